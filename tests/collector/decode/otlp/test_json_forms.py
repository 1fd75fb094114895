"""The forms OTLP JSON comes in: spellings, numbers and strings, nulls, and what JavaScript writes (clients.md, 2)."""

import math
from typing import Any

import pytest

from collector.decode import otlp_json
from collector.errors import MalformedPayload
from storage.attributes import AttributeValue
from storage.span import Span, SpanKind, StatusCode
from tests.collector.decode.otlp.messages import SPAN_ID, START_NS, TRACE_ID, json_request
from tests.collector.decode.otlp.traces import spans_of


def decoded_span(**members: Any) -> Span:
    (span,) = spans_of(otlp_json.decode(json_request(members)).columns)
    return span


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({"stringValue": ""}, ""),
        ({"stringValue": "日本 ✓ \x00 nul"}, "日本 ✓ \x00 nul"),
        ({"intValue": 5}, 5),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"intValue": 5.0}, 5),
        ({"intValue": 10**20}, 1e20),
        ({"intValue": "9223372036854775808"}, 2.0**63),
        ({"doubleValue": 200}, 200.0),
        ({"doubleValue": 1.5}, 1.5),
        ({"doubleValue": "2.5e3"}, 2500.0),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"boolValue": False}, False),
        ({"boolValue": "true"}, True),
        ({"bytesValue": "+/8="}, b"\xfb\xff"),
        ({"bytesValue": "-_8"}, b"\xfb\xff"),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": "1"}, {}, None]}}, [1, None, None]),
        (
            {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}, {"key": "b"}]}},
            {"a": True, "b": None},
        ),
        ({"kvlistValue": {"values": None}}, {}),
        ({}, None),
        (None, None),
        ({"stringValue": None}, None),
        ({"futureValue": 1}, None),
        ({"string_value": "x"}, "x"),
        ({"kvlist_value": {"values": []}}, {}),
    ],
)
def test_a_value_is_read_with_its_type(sent: object, value: AttributeValue) -> None:
    span = decoded_span(attributes=[{"key": "k", "value": sent}])

    assert span.attributes == {"k": value}
    assert type(span.attributes["k"]) is type(value)


def test_nan_is_read_as_nan() -> None:
    value = decoded_span(attributes=[{"key": "k", "value": {"doubleValue": "NaN"}}]).attributes["k"]

    assert isinstance(value, float)
    assert math.isnan(value)


def test_ids_may_have_any_case() -> None:
    span = decoded_span(traceId="ABCDEF" + TRACE_ID.hex()[6:].upper(), spanId=SPAN_ID.hex().upper())

    assert (span.trace_id.hex(), span.span_id) == ("abcdef" + TRACE_ID.hex()[6:], SPAN_ID)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (2, SpanKind.SERVER),
        ("2", SpanKind.SERVER),
        ("SPAN_KIND_CONSUMER", SpanKind.CONSUMER),
        ("SPAN_KIND_NEW", SpanKind.UNSPECIFIED),
        (None, SpanKind.UNSPECIFIED),
    ],
)
def test_a_kind_may_be_a_number_or_a_name(kind: object, expected: SpanKind) -> None:
    assert decoded_span(kind=kind).kind is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, StatusCode.UNSET),
        (None, StatusCode.UNSET),
        ({"code": "STATUS_CODE_ERROR"}, StatusCode.ERROR),
        ({"code": 1}, StatusCode.OK),
    ],
)
def test_a_status_may_be_empty_a_number_or_a_name(status: object, expected: StatusCode) -> None:
    assert decoded_span(status=status).status_code is expected


@pytest.mark.parametrize("start", [START_NS, str(START_NS)])
def test_times_may_be_numbers_or_strings(start: int | str) -> None:
    assert decoded_span(startTimeUnixNano=start).start_ns == START_NS


def test_nulls_are_absent() -> None:
    names = ("parentSpanId", "attributes", "events", "links", "traceState", "flags", "droppedLinksCount", "kind")

    span = decoded_span(**dict.fromkeys(names))

    assert span == decoded_span()


def test_snake_case_spellings_are_read() -> None:
    payload = (
        b'{"resource_spans":[{"schema_url":"r","resource":{"dropped_attributes_count":1},"scope_spans":[{"schema_url":"s",'
        b'"spans":[{"trace_id":"%s","span_id":"%s","parent_span_id":"0102030405060708","trace_state":"a=1",'
        b'"start_time_unix_nano":"5","end_time_unix_nano":9,"dropped_attributes_count":2,"dropped_events_count":3,'
        b'"dropped_links_count":4,"events":[{"time_unix_nano":6,"name":"e"}],'
        b'"links":[{"trace_id":"%s","span_id":"%s"}]}]}]}]}'
    ) % ((TRACE_ID.hex().encode(), SPAN_ID.hex().encode()) * 2)

    (span,) = spans_of(otlp_json.decode(payload).columns)

    assert (span.start_ns, span.duration_ns, span.trace_state) == (5, 4, "a=1")
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (2, 3, 4)
    assert (span.resource.schema_url, span.resource.dropped_attributes, span.scope.schema_url) == ("r", 1, "s")
    assert (span.events[0].time_ns, span.links[0].trace_id, span.links[0].span_id) == (6, TRACE_ID, SPAN_ID)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    payload = json_request({"name": "cut \ud83d", "attributes": [{"key": "whole \U0001f600"}]})

    (span,) = spans_of(otlp_json.decode(payload).columns)

    assert (span.name, span.attributes) == ("cut \ufffd", {"whole \U0001f600": None})


def test_a_payload_of_too_many_elements_is_refused() -> None:
    with pytest.raises(MalformedPayload, match="expected at most 4000000 JSON elements"):
        otlp_json.decode(b'{"a":[' + b"0," * 4_000_001 + b"0]}")
