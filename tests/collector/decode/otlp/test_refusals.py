"""A bad span is left out and counted; only a payload that is broken around its spans is refused whole."""

from collections.abc import Callable
from typing import Any

import pytest

from collector.decode import otlp_json, otlp_proto
from collector.errors import MalformedPayload
from tests.collector.decode.otlp.messages import SPAN_ID, TRACE_ID, json_request, request, span_of
from tests.collector.decode.otlp.traces import spans_of


@pytest.mark.parametrize(
    ("field", "raw", "reason"),
    [
        ("trace_id", b"", "invalid_trace_id"),
        ("trace_id", bytes(16), "invalid_trace_id"),
        ("trace_id", TRACE_ID[:8], "invalid_trace_id"),
        ("trace_id", TRACE_ID + b"x", "invalid_trace_id"),
        ("span_id", b"", "invalid_span_id"),
        ("span_id", bytes(8), "invalid_span_id"),
        ("span_id", TRACE_ID, "invalid_span_id"),
        ("parent_span_id", SPAN_ID[:7], "invalid_parent_span_id"),
        ("parent_span_id", TRACE_ID, "invalid_parent_span_id"),
    ],
)
def test_a_span_with_a_wrong_id_is_left_out_alone(field: str, raw: bytes, reason: str) -> None:
    message = request(spans=3)
    setattr(span_of(message, 1), field, raw)

    decoded = otlp_proto.decode(message.SerializeToString())

    assert [span.name for span in spans_of(decoded.columns)] == ["0", "2"]
    assert decoded.rejected == {reason: 1}
    assert "resourceSpans[0].scopeSpans[0].spans[1]." in decoded.message


@pytest.mark.parametrize("raw", [b"", bytes(8)])
def test_a_parent_that_is_empty_or_zero_is_absent(raw: bytes) -> None:
    message = request()
    span_of(message).parent_span_id = raw

    (span,) = spans_of(otlp_proto.decode(message.SerializeToString()).columns)

    assert span.parent_span_id is None


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        ("traceId", "", "invalid_trace_id"),
        ("traceId", None, "invalid_trace_id"),
        ("traceId", "0" * 32, "invalid_trace_id"),
        ("traceId", "ab" * 8, "invalid_trace_id"),
        ("traceId", "x" * 32, "invalid_trace_id"),
        ("traceId", "AQIDBAUGBwgJCgsMDQ4PEA==", "invalid_trace_id"),
        ("traceId", 5, "invalid_trace_id"),
        ("spanId", "0" * 16, "invalid_span_id"),
        ("spanId", "éé" * 8, "invalid_span_id"),
        ("parentSpanId", "01", "invalid_parent_span_id"),
        ("attributes", {}, "malformed_attribute"),
        ("attributes", [7], "malformed_attribute"),
        ("attributes", [{"key": 1, "value": {}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": "bare"}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"stringValue": 1}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"intValue": "1.5"}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"intValue": True}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"intValue": "9" * 400}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"boolValue": 1}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"doubleValue": "1_0"}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"doubleValue": []}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"bytesValue": "***"}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"arrayValue": []}}], "malformed_attribute"),
        ("attributes", [{"key": "k", "value": {"kvlistValue": {"values": {}}}}], "malformed_attribute"),
        ("events", [None], "malformed_event"),
        ("events", [{"timeUnixNano": -1}], "malformed_event"),
        ("events", [{"attributes": 1}], "malformed_event"),
        ("links", [{"traceId": "ab", "spanId": ""}], "malformed_link"),
        ("links", "x", "malformed_link"),
        ("status", 2, "malformed_status"),
        ("status", {"message": 2}, "malformed_status"),
        ("name", 5, "malformed_span"),
        ("startTimeUnixNano", "soon", "malformed_span"),
        ("endTimeUnixNano", -1, "malformed_span"),
        ("flags", 2**32, "malformed_span"),
        ("kind", [], "malformed_span"),
    ],
)
def test_a_json_span_with_a_wrong_member_is_left_out_alone(member: str, value: Any, reason: str) -> None:
    decoded = otlp_json.decode(json_request({"name": "good"}, {member: value}))

    assert [span.name for span in spans_of(decoded.columns)] == ["good"]
    assert decoded.rejected == {reason: 1}
    assert f"resourceSpans[0].scopeSpans[0].spans[1].{member}" in decoded.message


@pytest.mark.parametrize(
    ("number", "raw", "reason"),
    [
        (9, b"\x0a\x05ab", "malformed_attribute"),
        (9, b"\x0a\x01k\x12\x02\x0a\x09", "malformed_attribute"),
        (11, b"\xff", "malformed_event"),
        (11, b"\x1a\x03\x0a\x09x", "malformed_attribute"),
        (13, b"\x0a\x01x", "malformed_link"),
        (13, b"\x0f", "malformed_link"),
        (15, b"\x12\x7f", "malformed_status"),
    ],
)
def test_a_protobuf_span_with_a_broken_part_is_left_out_alone(number: int, raw: bytes, reason: str) -> None:
    spans = b"".join(
        _field(2, bytes(span_of(request()).SerializeToString()) + part) for part in (b"", _field(number, raw), b"")
    )

    decoded = otlp_proto.decode(_field(1, _field(2, spans)))

    assert len(decoded.columns) == 2
    assert decoded.rejected == {reason: 1}
    assert decoded.message.startswith("1 span left out: resourceSpans[0].scopeSpans[0].spans[1].")


def test_the_message_names_the_first_three_and_counts_the_rest() -> None:
    decoded = otlp_json.decode(json_request(*[{"traceId": ""}] * 5))

    assert decoded.rejected == {"invalid_trace_id": 5}
    assert decoded.message.startswith("5 spans left out: resourceSpans[0].scopeSpans[0].spans[0].traceId: expected 16")
    assert decoded.message.endswith("; and 2 more")
    assert decoded.message.count("spans[") == 3


def test_nesting_is_taken_up_to_its_limit_and_beyond_it_the_span_is_left_out() -> None:
    message = request(spans=2)
    for span, depth in zip(message.resource_spans[0].scope_spans[0].spans, (64, 65), strict=True):
        value = span.attributes.add(key="deep").value
        for _ in range(depth):
            value.array_value.SetInParent()
            value = value.array_value.values.add()

    decoded = otlp_proto.decode(message.SerializeToString())

    assert [span.name for span in spans_of(decoded.columns)] == ["0"]
    assert decoded.rejected == {"malformed_attribute": 1}
    assert "nested at most 64 deep" in decoded.message


def test_json_nesting_has_the_same_limit() -> None:
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(depth):
            value = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
        return {"name": str(depth), "attributes": [{"key": "deep", "value": value}]}

    decoded = otlp_json.decode(json_request(nested(64), nested(65)))

    assert [span.name for span in spans_of(decoded.columns)] == ["64"]
    assert decoded.rejected == {"malformed_attribute": 1}


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"{", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"\xff\xfe", "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b'{"a":"\\ud800"', "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b'{"a":"\\ud800","b":NaN}', "expected an OTLP ExportTraceServiceRequest as JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b"[]", "as a JSON object, got an array"),
        (b"null", "as a JSON object, got null"),
        (b'{"resourceSpans":{}}', "resourceSpans: expected an array, got an object"),
        (b'{"resourceSpans":[1]}', "resourceSpans[0]: expected an object, got 1"),
        (b'{"resourceSpans":[{"scopeSpans":true}]}', "resourceSpans[0].scopeSpans: expected an array, got true"),
        (b'{"resourceSpans":[{"resource":"x"}]}', "resourceSpans[0].resource: expected an object, got 'x'"),
        (
            b'{"resourceSpans":[{"resource":{"attributes":[{"key":2}]}}]}',
            "resourceSpans[0].resource.attributes[0].key: expected a string, got 2",
        ),
        (
            b'{"resourceSpans":[{"scopeSpans":[{},{"scope":{"name":[]}}]}]}',
            "resourceSpans[0].scopeSpans[1].scope.name: expected a string, got an array",
        ),
        (
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}',
            "resourceSpans[0].scopeSpans[0].spans[0]: expected an object, got null",
        ),
    ],
)
def test_json_that_is_no_export_request_is_refused_whole(payload: bytes, told: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        otlp_json.decode(payload)

    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"\x0a", "expected an OTLP ExportTraceServiceRequest as protobuf"),
        (b'{"resourceSpans":[]}', "expected an OTLP ExportTraceServiceRequest as protobuf"),
        (b"\x0a\x05\x12\x03\x12\x05x", "expected an OTLP ExportTraceServiceRequest as protobuf"),
        (
            b"\x0a\x09\x0a\x03\x0a\x05x\x12\x02\x12\x00",
            "resourceSpans[0].scopeSpans[0]: expected a well-formed",
        ),
    ],
)
def test_bytes_that_are_no_export_request_are_refused_whole(payload: bytes, told: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        otlp_proto.decode(payload)

    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("decode", "payload"),
    [
        (otlp_proto.decode, b""),
        (otlp_json.decode, b"{}"),
        (otlp_json.decode, b'{"resourceSpans":null}'),
        (otlp_json.decode, b'{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}],"other":[1]}'),
    ],
)
def test_a_request_without_spans_is_no_error(decode: Callable[[bytes], Any], payload: bytes) -> None:
    decoded = decode(payload)

    assert (len(decoded.columns), decoded.rejected, decoded.message) == (0, {}, "")


def _field(number: int, content: bytes) -> bytes:
    size, length = len(content), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + content
