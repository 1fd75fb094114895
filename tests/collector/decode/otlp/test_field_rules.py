"""What single fields become: times, kinds, services, repeated keys, text that is not UTF-8 (jaeger.md, section 3.1)."""

from typing import Any

import pytest

from collector.decode import otlp_json, otlp_proto
from collector.decode.decoded import Decoded
from storage.span import Span, SpanKind, StatusCode
from tests.collector.decode.otlp.messages import START_NS, json_request, request, span_of
from tests.collector.decode.otlp.traces import spans_of

BAD = b"a\xffb"
"""Bytes that are not UTF-8; `MARK` stands for them while protobuf's own classes write the request."""
MARK = "a%b"


def decoded_span(message: Any) -> Span:
    (span,) = spans_of(otlp_proto.decode(message.SerializeToString()).columns)
    return span


def decoded_with_bad_text(message: Any) -> Decoded:
    return otlp_proto.decode(message.SerializeToString().replace(MARK.encode(), BAD))


@pytest.mark.parametrize(
    ("start", "end", "start_ns", "duration_ns"),
    [
        (0, 0, None, None),
        (START_NS, START_NS, START_NS, 0),
        (START_NS, START_NS - 7, START_NS, -7),
        (START_NS, 0, START_NS, -START_NS),
        (0, 5, 0, 5),
        (2**64 - 1, 2**64 - 1, 2**63 - 1, 0),
        (1, 2**64 - 1, 1, 2**63 - 2),
    ],
)
def test_times_become_start_and_duration(start: int, end: int, start_ns: int | None, duration_ns: int | None) -> None:
    message = request(spans=2)
    span_of(message, 1).start_time_unix_nano, span_of(message, 1).end_time_unix_nano = start, end
    by_json = otlp_json.decode(json_request({"startTimeUnixNano": start, "endTimeUnixNano": str(end)}))

    span = spans_of(otlp_proto.decode(message.SerializeToString()).columns)[1]

    assert (span.start_ns, span.duration_ns) == (start_ns, duration_ns)
    assert [(span.start_ns, span.duration_ns) for span in spans_of(by_json.columns)] == [(start_ns, duration_ns)]


@pytest.mark.parametrize(("number", "kind"), [(0, 0), (5, 5), (6, 0), (99, 0), (-1, 0)])
def test_a_kind_out_of_range_is_unspecified(number: int, kind: int) -> None:
    message = request()
    span_of(message).kind = number
    (by_json,) = spans_of(otlp_json.decode(json_request({"kind": number})).columns)

    assert decoded_span(message).kind == by_json.kind == SpanKind(kind)


@pytest.mark.parametrize(("number", "code"), [(1, 1), (2, 2), (3, 0), (-1, 0)])
def test_a_status_code_out_of_range_is_unset(number: int, code: int) -> None:
    message = request()
    span_of(message).status.code = number
    (by_json,) = spans_of(otlp_json.decode(json_request({"status": {"code": number}})).columns)

    assert decoded_span(message).status_code == by_json.status_code == StatusCode(code)


def test_an_empty_name_is_absent() -> None:
    message = request()
    span_of(message).name = ""

    assert decoded_span(message).name is None


@pytest.mark.parametrize(
    ("attributes", "service"),
    [
        ([], "missing-service-name"),
        ([("service.name", {"stringValue": ""})], "empty-service-name"),
        ([("service.name", {"intValue": 1})], "service-name-wrong-type"),
        ([("service.name", {})], "service-name-wrong-type"),
        ([("other", {"stringValue": "x"}), ("service.name", {"stringValue": "Shop"})], "Shop"),
        ([("service.name", {"stringValue": "first"}), ("service.name", {"stringValue": "second"})], "first"),
    ],
)
def test_the_service_is_the_service_name_after_jaegers_sanitizer(
    attributes: list[tuple[str, dict[str, Any]]], service: str
) -> None:
    resource = {"attributes": [{"key": key, "value": value} for key, value in attributes]}

    (span,) = spans_of(otlp_json.decode(json_request({}, resource=resource)).columns)

    assert span.service == service
    assert set(span.resource.attributes) == {key for key, _ in attributes}


def test_a_repeated_key_is_kept_as_sent_in_both_formats() -> None:
    message = request()
    for value in ("1", "2"):
        span_of(message).attributes.add(key="k").value.string_value = value
    pairs = [{"key": "k", "value": {"stringValue": value}} for value in ("1", "2")]

    for decoded in (
        otlp_proto.decode(message.SerializeToString()),
        otlp_json.decode(json_request({"attributes": pairs})),
    ):
        records = decoded.columns.to_records().records
        assert records["attributes"].to_pylist() == ['{"k":"1","k":"2"}']
        assert [len(tokens) for tokens in records["tokens"].to_pylist()] == [2]


def test_a_name_that_is_not_utf8_is_replaced_and_kept_as_bytes() -> None:
    message = request(spans=2)
    span_of(message, 1).name = MARK
    span_of(message, 1).attributes.add(key="k").value.int_value = 1

    plain, span = spans_of(decoded_with_bad_text(message).columns)

    assert (span.name, span.attributes) == ("invalid-span-name", {"k": 1, "invalid-span-name": BAD})
    assert (plain.name, plain.attributes) == ("0", {})


@pytest.mark.parametrize("repeated", [1, 2])
def test_values_that_are_not_utf8_become_bytes_wherever_they_stand(repeated: int) -> None:
    message = request()
    attributes = span_of(message).attributes
    attributes.add(key="plain").value.string_value = MARK
    attributes.add(key="array").value.array_value.values.add().string_value = MARK
    attributes.add(key="map").value.kvlist_value.values.add(key="k").value.string_value = MARK

    for _ in range(repeated):
        (span,) = spans_of(decoded_with_bad_text(message).columns)

    assert span.attributes == {"plain": BAD, "array": [BAD], "map": {"k": BAD}}


def test_keys_that_are_not_utf8_are_numbered_and_keep_key_and_value_as_bytes() -> None:
    message = request()
    attributes = span_of(message).attributes
    attributes.add(key=MARK).value.int_value = 200
    attributes.add(key="k").value.string_value = "v"
    attributes.add(key=MARK + "2").value.string_value = MARK

    (span,) = spans_of(decoded_with_bad_text(message).columns)

    assert span.attributes == {
        "k": "v",
        "invalid-tag-key-1": BAD + b":200",
        "invalid-tag-key-2": BAD + b"2:" + BAD,
    }


def test_keys_of_maps_that_are_not_utf8_are_numbered_in_their_map() -> None:
    message = request()
    value = span_of(message).attributes.add(key="map").value
    value.kvlist_value.values.add(key=MARK).value.bool_value = True

    (span,) = spans_of(decoded_with_bad_text(message).columns)

    assert span.attributes == {"map": {"invalid-tag-key-1": BAD + b":true"}}


def test_every_other_text_that_is_not_utf8_is_replaced_and_kept_with_its_owner() -> None:
    message = request()
    resource_spans = message.resource_spans[0]
    resource_spans.schema_url = resource_spans.scope_spans[0].schema_url = MARK
    resource_spans.scope_spans[0].scope.name = resource_spans.scope_spans[0].scope.version = MARK
    span_of(message).trace_state = span_of(message).status.message = MARK
    span_of(message).events.add(name=MARK, time_unix_nano=1)
    span_of(message).links.add(trace_id=b"t" * 16, span_id=b"s" * 8, trace_state=MARK)

    (span,) = spans_of(decoded_with_bad_text(message).columns)

    assert (span.trace_state, span.status_message) == ("", "invalid-status-message")
    assert span.attributes == {"invalid-trace-state": BAD, "invalid-status-message": BAD}
    assert (span.resource.schema_url, span.resource.attributes["invalid-schema-url"]) == ("", BAD)
    assert (span.scope.name, span.scope.version, span.scope.schema_url) == (
        "invalid-scope-name",
        "invalid-scope-version",
        "",
    )
    assert set(span.scope.attributes) == {"invalid-schema-url", "invalid-scope-name", "invalid-scope-version"}
    assert [(event.name, event.attributes) for event in span.events] == [
        ("invalid-event-name", {"invalid-event-name": BAD})
    ]
    assert [(link.trace_state, link.attributes) for link in span.links] == [("", {"invalid-trace-state": BAD})]


def test_a_service_name_that_is_not_utf8_has_the_wrong_type() -> None:
    message = request()
    message.resource_spans[0].resource.attributes[0].value.string_value = MARK

    (span,) = spans_of(decoded_with_bad_text(message).columns)

    assert (span.service, span.resource.attributes) == ("service-name-wrong-type", {"service.name": BAD})


def test_a_link_without_ids_is_kept_with_zero_ids() -> None:
    message = request()
    span_of(message).links.add(trace_state="x=1")

    (link,) = decoded_span(message).links

    assert (link.trace_id, link.span_id, link.trace_state) == (bytes(16), bytes(8), "x=1")
