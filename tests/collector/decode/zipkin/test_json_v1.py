"""Zipkin v1 JSON: the rules of zipkin.md 2.7, and one meaning of both readers."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_json_v1 import decode
from collector.decode.zipkin_json_v1_lenient import read_spans
from collector.errors import MalformedPayload
from storage.ids import SpanId, TraceId
from storage.rows import span_of
from storage.span import Endpoint, Event, SpanKind
from tests.collector.decode.zipkin.v1_reading import IDS, SHOP, span_from, span_with, spans_of

_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refusal(text: str) -> str:
    with pytest.raises(MalformedPayload) as caught:
        decode(text.encode())
    return str(caught.value)


def test_a_client_span_reads_back_as_v2() -> None:
    span = span_with(
        parentId="000000000000000c",
        name="GET",
        timestamp=1_472_470_996_199_000,
        duration=207_000,
        debug=True,
        annotations=[
            {"timestamp": 1_472_470_996_199_000, "value": "cs", "endpoint": SHOP},
            {"timestamp": 1_472_470_996_300_000, "value": "retry", "endpoint": SHOP},
            {"timestamp": 1_472_470_996_406_000, "value": "cr", "endpoint": SHOP},
        ],
        binaryAnnotations=[
            {"key": "http.path", "value": "/api", "endpoint": SHOP},
            {"key": "sa", "value": True, "endpoint": {"serviceName": "bank", "ipv6": "2001:db8::c001"}},
        ],
    )
    assert span.trace_id == TraceId((10).to_bytes(16, "big"))
    assert (span.span_id, span.parent_span_id) == (SpanId((11).to_bytes(8, "big")), SpanId((12).to_bytes(8, "big")))
    assert (span.name, span.service, span.kind, span.debug) == ("get", "shop", SpanKind.CLIENT, True)
    assert (span.start_ns, span.duration_ns) == (1_472_470_996_199_000_000, 207_000_000)
    assert span.attributes == {"http.path": "/api"}
    assert span.events == (Event(1_472_470_996_300_000_000, "retry"),)
    assert span.local == Endpoint(ipv4="10.0.0.1", port=8080)
    assert span.remote == Endpoint(service="bank", ipv6="2001:db8::c001")


@pytest.mark.parametrize("payload", [b"", b"[]", b" [ ] "])
def test_nothing_is_no_spans(payload: bytes) -> None:
    assert spans_of(payload) == []


def test_a_trace_id_of_32_characters_keeps_its_high_bits() -> None:
    span = span_with(traceId="463ac35c9f6413ad48485a3953bb6124")
    assert span.trace_id.hex() == "463ac35c9f6413ad48485a3953bb6124"


def test_a_trace_id_of_17_to_31_characters_loses_its_high_bits() -> None:
    # as in Zipkin, whose v1 model keeps numbers
    assert span_with(traceId="3ac35c9f6413ad48485a3953bb6124").trace_id.hex() == "0" * 16 + "48485a3953bb6124"


def test_short_ids_are_padded() -> None:
    span = span_with(traceId="a", id="b", parentId="c")
    assert (span.trace_id[-1], span.span_id[-1], (span.parent_span_id or b"")[-1]) == (10, 11, 12)


def test_long_span_ids_are_cut_to_their_low_64_bits() -> None:
    span = span_with(id="463ac35c9f6413ad48485a3953bb6124", parentId="463ac35c9f6413ad0000000000000001")
    assert span.span_id.hex() == "48485a3953bb6124"
    assert span.parent_span_id == SpanId((1).to_bytes(8, "big"))


@pytest.mark.parametrize("parent", ["0", "0000000000000000", None])
def test_a_parent_of_zero_is_none(parent: str | None) -> None:
    assert span_with(parentId=parent).parent_span_id is None


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"traceId": "A"}, "A should be a 1 to 32 character lower-hex string with no prefix"),
        ({"traceId": "0x1"}, "0x1 should be a 1 to 32 character lower-hex string with no prefix"),
        ({"traceId": ""}, " should be a 1 to 32 character lower-hex string with no prefix"),
        ({"id": "g"}, "g should be a 1 to 32 character lower-hex string with no prefix"),
        ({"parentId": "b" * 33}, "should be a 1 to 32 character lower-hex string with no prefix"),
        ({"traceId": "0"}, "traceId == 0"),
        ({"traceId": "463ac35c9f6413ad0000000000000000"}, "traceId == 0"),
        ({"id": "0"}, "id == 0"),
        ({"timestamp": 2**63}, f"Expected a long but was {2**63}"),
        ({"annotations": [{"timestamp": 1, "value": "x", "endpoint": {"port": 65536}}]}, "invalid port 65536"),
    ],
)
def test_a_span_that_breaks_a_rule_refuses_the_list_and_is_named(members: dict[str, Any], said: str) -> None:
    text = refusal(json.dumps([IDS, IDS | members]))
    assert text.startswith(said) or said in text
    assert text.endswith("reading List<Span> from json, at $[1]")


def test_missing_ids_are_zero() -> None:
    assert refusal('[{"id":"b"}]').startswith("traceId == 0")
    assert refusal('[{"traceId":"a"}]').startswith("id == 0")


@pytest.mark.parametrize("payload", ["{}", "x", '"a"', "\x01\x02\x03\x04"])
def test_what_is_no_list_is_refused_as_zipkin_does(payload: str) -> None:
    assert refusal(payload) == "Expected a JSON_V1 encoded list\n"


def test_a_binary_annotation_of_another_type_than_text_is_ignored() -> None:
    # zipkin.md 2.7: [T] key "aa" true
    values: list[Any] = [True, False, 1, 1.5, None, [], {"a": [1]}, 10**30]
    assert span_with(binaryAnnotations=[{"key": "aa", "value": value} for value in values]).attributes == {}


def test_an_address_without_a_known_host_is_ignored() -> None:
    span = span_with(binaryAnnotations=[{"key": "sa", "value": True, "endpoint": {}}, {"key": "ca", "value": True}])
    assert (span.kind, span.remote) == (SpanKind.UNSPECIFIED, Endpoint())


def test_an_endpoint_may_be_null_or_empty() -> None:
    for endpoint in (None, {}, {"serviceName": "", "port": 0}):
        span = span_with(annotations=[{"timestamp": 5, "value": "sr", "endpoint": endpoint}])
        assert (span.service, span.kind) == (None, SpanKind.UNSPECIFIED)
        assert [event.name for event in span.events] == ["sr"]


def test_the_local_component_names_the_host_alone() -> None:
    span = span_with(binaryAnnotations=[{"key": "lc", "value": "", "endpoint": SHOP}])
    assert (span.service, span.attributes) == ("shop", {})


def test_members_of_v2_are_ignored() -> None:
    span = span_with(localEndpoint=SHOP, remoteEndpoint=SHOP, shared=True, kind="CLIENT", tags={"a": "b"})
    assert (span.service, span.kind, span.shared, span.attributes) == (None, SpanKind.UNSPECIFIED, False, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"annotations":[{"timestamp":1}]', "Incomplete annotation at $[0].annotations[0].timestamp"),
        ('"annotations":[{"value":"a"}]', "Incomplete annotation at $[0].annotations[0].value"),
        ('"annotations":[{"timestamp":null,"value":"a"}]', "Expected a long but was NULL"),
        ('"binaryAnnotations":[{"value":"a"}]', "No key at $[0].binaryAnnotations[0].value"),
        ('"debug":"yes"', "Expected a boolean but was STRING"),
        ('"name":true', "Expected a string but was BOOLEAN"),
    ],
)
def test_a_member_of_another_form_is_refused_with_its_place(text: str, said: str) -> None:
    assert said in refusal(f'[{{"traceId":"a","id":"b",{text}}}]')


@pytest.mark.parametrize("text", ['"debug":TRUE', '"debug":true,"timestamp":"12"', '"debug":true,"x":' + "9" * 5000])
def test_gsons_tolerance_is_kept(text: str) -> None:
    assert span_from(text).debug


@pytest.mark.parametrize(
    "text",
    [
        '"annotations":' + "[" * 100_000,
        '"x":' + '{"a":' * 100_000,
        '"timestamp":' + "9" * 1_000_000,
        '"binaryAnnotations":[{"key":"a","value":' + "[" * 100_000,
    ],
)
def test_hostile_text_is_refused_in_few_words(text: str) -> None:
    assert len(refusal(f'[{{"traceId":"a","id":"b",{text}}}]')) < 500
    assert len(refusal(f'[{{"traceId":"a","id":"b",{text}')) < 500


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
_MICROS = st.integers(-(2**63), 2**63 - 1) | st.integers(1, 2**52)
_ENDPOINTS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "serviceName": st.none() | st.sampled_from(["shop", "Bank", ""]),
        "ipv4": st.none() | st.ip_addresses(v=4).map(str),
        "port": st.none() | st.integers(-1, 65535),
    },
)
_CORE = st.sampled_from(["cs", "cr", "sr", "ss", "ms", "mr", "ws", "wr"])
_BODIES = st.lists(
    st.fixed_dictionaries(
        {
            "traceId": st.text("0123456789abcdef", min_size=1, max_size=16).filter(lambda text: text.strip("0")),
            "id": st.text("0123456789abcdef", min_size=1, max_size=16).filter(lambda text: text.strip("0")),
        },
        optional={
            "parentId": st.none() | st.text("0123456789abcdef", min_size=1, max_size=16),
            "name": st.none() | _TEXTS,
            "timestamp": st.none() | _MICROS,
            "duration": st.none() | _MICROS,
            "debug": st.none() | st.booleans(),
            "annotations": st.none()
            | st.lists(
                st.fixed_dictionaries(
                    {"timestamp": _MICROS, "value": _TEXTS | _CORE}, optional={"endpoint": _ENDPOINTS}
                ),
                max_size=6,
            ),
            "binaryAnnotations": st.none()
            | st.lists(
                st.fixed_dictionaries(
                    {"key": _TEXTS | st.sampled_from(["ca", "sa", "ma", "lc"])},
                    optional={
                        "value": st.none() | st.booleans() | _TEXTS | st.integers() | st.lists(_TEXTS, max_size=2),
                        "endpoint": _ENDPOINTS,
                    },
                ),
                max_size=5,
            ),
        },
    ),
    max_size=3,
)


@_untimed
@given(_BODIES)
def test_the_strict_and_the_lenient_reader_tell_the_same(body: list[dict[str, Any]]) -> None:
    payload = json.dumps(body, ensure_ascii=False).encode()
    lenient = columns_of(read_spans(payload), escape_free=False)
    assert spans_of(payload) == [span_of(row) for row in lenient.to_batch(received_ns=0).rows()]


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = ["traceId", "id", "parentId", "name", "timestamp", "duration", "annotations", "binaryAnnotations", "debug"]


@_untimed
@given(st.dictionaries(st.sampled_from(_MEMBERS), _ANYTHING, max_size=6))
@example({"annotations": [1]})
@example({"binaryAnnotations": {"a": 1}})
def test_members_of_any_type_end_in_spans_or_a_refusal(members: dict[str, Any]) -> None:
    for body in (members, IDS | members):
        with contextlib.suppress(MalformedPayload):
            assert len(decode(json.dumps([body]).encode()).columns.to_batch(received_ns=0)) >= 1


@_untimed
@given(st.binary(max_size=200))
def test_any_bytes_end_in_spans_or_a_refusal(payload: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        decode(payload)
