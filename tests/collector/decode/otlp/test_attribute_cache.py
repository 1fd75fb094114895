"""The cache of attributes never changes an answer and never grows without bound."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collector.decode.otlp_attributes import Attribute, attribute
from collector.decode.otlp_proto_values import AttributeCache, OddAttribute, key_value


def raw_pair(key: str, **value: Any) -> bytes:
    pair = KeyValue(key=key)
    (field,) = value
    setattr(pair.value, field, value[field])
    return bytes(pair.SerializeToString())


def plain(raw: bytes) -> Attribute:
    key, value = key_value(raw)
    return attribute(key.decode(), value)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(st.floats(), min_size=2, max_size=5))
@example(values=[1.0, 5e-324, 1e16, 1e-5, 123456789012345680.0, 1e22, 0.1 + 0.2, -0.0, 1e21, 9.999999e-7])
def test_a_double_reads_as_without_the_cache(values: list[float]) -> None:
    cache = AttributeCache()

    for raw in [raw_pair("k", double_value=value) for value in values]:
        (member, *rest), (plain_member, *plain_rest) = cache[raw], plain(raw)
        assert rest == plain_rest
        assert repr(json.loads(f"{{{member}}}")) == repr(json.loads(f"{{{plain_member}}}"))


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2**20), min_size=2, max_size=5))
def test_an_integer_reads_as_without_the_cache(values: list[int]) -> None:
    cache = AttributeCache()
    raws = [raw_pair("k", int_value=value) for value in values]

    assert [cache[raw] for raw in raws] == [plain(raw) for raw in raws]


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.text(max_size=130), min_size=2, max_size=5), key=st.text(max_size=130))
def test_a_text_reads_as_without_the_cache(values: list[str], key: str) -> None:
    cache = AttributeCache()
    raws = [raw_pair(key, string_value=value) for value in values]

    assert [cache[raw] for raw in raws] == [plain(raw) for raw in raws]


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=20), start=st.integers(0, 12))
def test_bytes_that_begin_like_a_known_pair_read_as_without_the_cache(noise: bytes, start: int) -> None:
    cache = AttributeCache()
    for known in (raw_pair("k", string_value="abc"), raw_pair("k", int_value=300), raw_pair("k", double_value=1.5)):
        cache[known]
        raw = known[:start] + noise
        assert _answer(lambda raw=raw: cache[raw]) == _answer(lambda raw=raw: plain(raw))


def test_an_integer_that_hides_a_second_field_reads_as_protobuf_reads_it() -> None:
    cache = AttributeCache()
    cache[raw_pair("k", int_value=2**20)]
    hiding = b"\x0a\x01k\x12\x04\x18\x05\x10\x01"

    assert cache[hiding] == ('"k":true', *plain(raw_pair("k", bool_value=True))[1:])


def test_values_of_one_key_take_only_their_share() -> None:
    cache = AttributeCache()

    for number in range(5000):
        cache[raw_pair("id", string_value=str(number))]
    method = raw_pair("http.method", string_value="GET")
    cache[method]

    assert len(cache) <= 1025
    assert method in cache


def test_long_values_are_not_kept() -> None:
    cache = AttributeCache()

    for number in range(10):
        cache[raw_pair("prompt", string_value=f"{number}" * 1000)]

    assert len(cache) == 0


def test_everything_is_forgotten_when_too_many_keys_came() -> None:
    cache = AttributeCache()

    for number in range(33_000):
        cache[raw_pair(f"key{number}", bool_value=True)]
    cache.count_spans(1)

    assert len(cache) == 0


@pytest.mark.parametrize("raw", [b"", b"\x0a\x00", b"\x12\x00"])
def test_a_pair_without_key_and_value_has_both_empty(raw: bytes) -> None:
    assert AttributeCache()[raw] == attribute("", None)


def _answer(read: Any) -> Any:
    try:
        return read()
    except (OddAttribute, UnicodeDecodeError):
        return "odd"
