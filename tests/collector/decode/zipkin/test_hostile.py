"""Bodies meant to break a reader: every one ends in spans or in MalformedPayload."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.decode.zipkin_json_v2 import decode
from collector.errors import MalformedPayload
from tests.collector.decode.zipkin.reading import body_of, body_with, captured, span_from, span_with

TEN_MB = 10 * 2**20
_ENVOY = captured("envoy-zipkin-json-0001.json")
_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("before", [b"", b'[{"traceId":"a","id":"b","x":', b'[{"traceId":"a","id":"b","tags":{"a":'])
def test_nesting_is_refused_when_it_fills_ten_megabytes(opening: bytes, before: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode(before + opening * (TEN_MB // len(opening)))


def test_nesting_is_refused_at_its_limit_when_the_lenient_reader_skips_it() -> None:
    deep = "[" * 300 + "]" * 300
    with pytest.raises(MalformedPayload, match="Nesting limit 255 reached"):
        span_from(f'"debug":TRUE,"x":{deep}')


@pytest.mark.parametrize(
    "text",
    [
        '"timestamp":' + "9" * TEN_MB,
        '"timestamp":"' + "9" * TEN_MB + '"',
        '"timestamp":"' + "9" * TEN_MB + 'x"',
        '"timestamp":1e999999999',
        '"timestamp":0.' + "0" * 100_000 + "1",
        '"localEndpoint":{"port":' + "9" * 5000 + "}",
    ],
)
def test_number_is_refused_when_it_is_giant(text: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_from(text)
    assert len(str(refusal.value)) < 500


def test_number_is_skipped_when_it_is_giant_and_unknown() -> None:
    assert span_from('"name":"n","x":' + "9" * 100_000).name == "n"


def test_long_strings_are_kept_whole() -> None:
    long = "x" * 1_000_000
    span = span_with(name=long, tags={"a": long, long: "b"}, annotations=[{"timestamp": 1, "value": long}])
    assert (span.name, span.attributes, span.events[0].name) == (long, {"a": long, long: "b"}, long)


def test_nul_is_kept_in_every_text() -> None:
    span = span_with(name="a\0", localEndpoint={"serviceName": "s\0"}, tags={"k\0": "v\0"})
    assert (span.name, span.service, span.attributes) == ("a\0", "s\0", {"k\0": "v\0"})


@pytest.mark.parametrize("cut", range(0, len(_ENVOY), 211))
def test_envoy_body_is_refused_when_it_is_cut(cut: int) -> None:
    if cut == 0:
        assert len(decode(_ENVOY[:0]).columns) == 0
        return
    with pytest.raises(MalformedPayload):
        decode(_ENVOY[:cut])


def _ends_well(payload: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        columns = decode(payload).columns
        assert len(columns.to_batch(received_ns=0)) == len(columns)


@_untimed
@given(st.binary(max_size=200))
def test_any_bytes_end_in_spans_or_a_refusal(payload: bytes) -> None:
    _ends_well(payload)


@_untimed
@given(st.lists(st.tuples(st.integers(0, len(_ENVOY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_envoy_body_ends_in_spans_or_a_refusal_when_bytes_are_changed(changes: list[tuple[int, int]]) -> None:
    payload = bytearray(_ENVOY)
    for place, byte in changes:
        payload[place] = byte
    _ends_well(bytes(payload))


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = [
    *("traceId", "id", "parentId", "kind", "name", "timestamp", "duration", "localEndpoint", "remoteEndpoint"),
    *("annotations", "tags", "debug", "shared", "x"),
]


@_untimed
@given(st.dictionaries(st.sampled_from(_MEMBERS), _ANYTHING, max_size=6))
@example({"tags": {"a": {"b": 1}}})
@example({"annotations": [1]})
@example({"timestamp": float("nan")})
def test_members_of_any_type_end_in_spans_or_a_refusal(members: dict[str, Any]) -> None:
    _ends_well(body_of(members))
    _ends_well(json.dumps([members]).encode())


def test_refusal_shows_little_of_a_long_payload() -> None:
    with pytest.raises(MalformedPayload) as refusal:
        decode(body_with('"kind":"' + "K" * 100_000 + '"'))
    assert len(str(refusal.value)) < 500
