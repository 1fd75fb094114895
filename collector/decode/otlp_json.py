"""OTLP JSON (ExportTraceServiceRequest) -> columns.

Read by hand, never by protobuf's json_format: that takes hex ids for base64 and refuses a whole batch for one integer
beyond int64, which Node's SDK does send.
"""

import json
import re
from typing import Any, NoReturn

import msgspec

from collector.decode.decoded import DecodedColumns
from collector.decode.otlp_attributes import attributes_of
from collector.decode.otlp_fields import (
    Attached,
    Rejections,
    ResourceFields,
    ScopeFields,
    SpanFields,
    SpanRefused,
    add_event,
    add_link,
    checked_ids,
    checked_link_ids,
    kind_of,
    resource_fields,
    scope_fields,
    status_of,
)
from collector.decode.otlp_json_values import (
    Object,
    WrongShape,
    an_object,
    enum,
    id_bytes,
    member,
    objects,
    pairs,
    shown,
    text,
    time_ns,
    uint32,
)
from collector.decode.otlp_rows import append_span
from collector.errors import MalformedPayload
from storage.batch import SpanColumns

ELEMENTS_MAX = 4_000_000
"""Objects, arrays and members of one payload: a Python object each, so this bounds the memory that one may take."""

_KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_STATUS_CODES = {f"STATUS_CODE_{name}": number for number, name in enumerate(("UNSET", "OK", "ERROR"))}
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(payload: bytes) -> DecodedColumns:
    """The spans of an OTLP export request, in their order.

    Both spellings of a name are read (spanId, span_id); null is absent; unknown members are ignored. Times beyond int64
    are held at its maximum; an intValue beyond int64 becomes a double; half a surrogate pair becomes U+FFFD.
    A span that must be left out is counted in `rejected` under invalid_trace_id, invalid_span_id,
    invalid_parent_span_id or malformed_attribute, _event, _link, _status, _span.
    MalformedPayload: not JSON, or the shape around the spans (or their resource or scope) is wrong.
    """
    columns, rejections = SpanColumns(), Rejections()
    try:
        request = _parsed(payload)
        for i, resource_spans in enumerate(
            objects(member(request, "resourceSpans", "resource_spans"), "resourceSpans")
        ):
            where = f"resourceSpans[{i}]"
            resource = _resource(resource_spans, where)
            scopes = objects(member(resource_spans, "scopeSpans", "scope_spans"), f"{where}.scopeSpans")
            for j, scope_spans in enumerate(scopes):
                _append_scope(columns, rejections, resource, scope_spans, f"{where}.scopeSpans[{j}]")
    except WrongShape as error:
        raise MalformedPayload(str(error)) from None
    return DecodedColumns(columns, rejections.by_reason, rejections.message)


def _append_scope(
    columns: SpanColumns, rejections: Rejections, resource: ResourceFields, scope_spans: Object, where: str
) -> None:
    scope = _scope(scope_spans, where)
    for index, span in enumerate(objects(scope_spans.get("spans"), f"{where}.spans")):
        try:
            append_span(columns, _span(span), resource, scope)
        except SpanRefused as refusal:
            rejections.add(f"{where}.spans[{index}]", refusal)


def _resource(resource_spans: Object, where: str) -> ResourceFields:
    resource = an_object(resource_spans.get("resource"), f"{where}.resource")
    return resource_fields(
        pairs(resource.get("attributes"), f"{where}.resource.attributes"),
        _dropped_attributes(resource, f"{where}.resource"),
        text(member(resource_spans, "schemaUrl", "schema_url"), f"{where}.schemaUrl"),
    )


def _scope(scope_spans: Object, where: str) -> ScopeFields:
    scope = an_object(scope_spans.get("scope"), f"{where}.scope")
    return scope_fields(
        text(scope.get("name"), f"{where}.scope.name"),
        text(scope.get("version"), f"{where}.scope.version"),
        pairs(scope.get("attributes"), f"{where}.scope.attributes"),
        _dropped_attributes(scope, f"{where}.scope"),
        text(member(scope_spans, "schemaUrl", "schema_url"), f"{where}.schemaUrl"),
    )


def _span(span: Object) -> SpanFields:
    reason = "malformed_span"
    try:
        ids = _ids(span)
        reason = "malformed_attribute"
        found = attributes_of(pairs(span.get("attributes"), ".attributes"))
        reason = "malformed_status"
        status = an_object(span.get("status"), ".status")
        code = status_of(enum(status.get("code"), _STATUS_CODES, ".status.code"))
        message = text(status.get("message"), ".status.message")
        reason = "malformed_event"
        attached = Attached()
        for index, event in enumerate(objects(span.get("events"), ".events")):
            _add_event(attached, event, f".events[{index}]")
        reason = "malformed_link"
        for index, link in enumerate(objects(span.get("links"), ".links")):
            _add_link(attached, link, f".links[{index}]")
        reason = "malformed_span"
        return SpanFields(
            *ids,
            name=text(span.get("name"), ".name"),
            kind=kind_of(enum(span.get("kind"), _KINDS, ".kind")),
            start_ns=time_ns(member(span, "startTimeUnixNano", "start_time_unix_nano"), ".startTimeUnixNano"),
            end_ns=time_ns(member(span, "endTimeUnixNano", "end_time_unix_nano"), ".endTimeUnixNano"),
            attributes=found,
            status_code=code,
            status_message=message,
            trace_state=text(member(span, "traceState", "trace_state"), ".traceState"),
            flags=uint32(span.get("flags"), ".flags"),
            dropped_attributes=_dropped_attributes(span, ""),
            dropped_events=uint32(member(span, "droppedEventsCount", "dropped_events_count"), ".droppedEventsCount"),
            dropped_links=uint32(member(span, "droppedLinksCount", "dropped_links_count"), ".droppedLinksCount"),
            attached=attached,
        )
    except WrongShape as error:
        raise SpanRefused(reason, str(error)) from None


def _ids(span: Object) -> tuple[bytes, bytes, bytes]:
    found = []
    for camel, snake, reason in (
        ("traceId", "trace_id", "invalid_trace_id"),
        ("spanId", "span_id", "invalid_span_id"),
        ("parentSpanId", "parent_span_id", "invalid_parent_span_id"),
    ):
        try:
            found.append(id_bytes(member(span, camel, snake), f".{camel}"))
        except WrongShape as error:
            raise SpanRefused(reason, str(error)) from None
    trace_id, span_id, parent_span_id = found
    return checked_ids(trace_id, span_id, parent_span_id)


def _add_event(attached: Attached, event: Object, where: str) -> None:
    found = attributes_of(pairs(event.get("attributes"), f"{where}.attributes"))
    at_ns = time_ns(member(event, "timeUnixNano", "time_unix_nano"), f"{where}.timeUnixNano")
    name = text(event.get("name"), f"{where}.name")
    add_event(attached, at_ns, name, found, _dropped_attributes(event, where))


def _add_link(attached: Attached, link: Object, where: str) -> None:
    found = attributes_of(pairs(link.get("attributes"), f"{where}.attributes"))
    ids = checked_link_ids(
        id_bytes(member(link, "traceId", "trace_id"), f"{where}.traceId"),
        id_bytes(member(link, "spanId", "span_id"), f"{where}.spanId"),
    )
    trace_state = text(member(link, "traceState", "trace_state"), f"{where}.traceState")
    flags = uint32(link.get("flags"), f"{where}.flags")
    add_link(attached, ids, trace_state, flags, found, _dropped_attributes(link, where))


def _dropped_attributes(owner: Object, where: str) -> int:
    count = member(owner, "droppedAttributesCount", "dropped_attributes_count")
    return uint32(count, f"{where}.droppedAttributesCount")


def _parsed(payload: bytes) -> Object:
    elements = payload.count(b"{") + payload.count(b"[") + payload.count(b",")
    if elements > ELEMENTS_MAX:
        raise MalformedPayload(f"expected at most {ELEMENTS_MAX} JSON elements in a payload, got about {elements}")
    try:
        request = msgspec.json.decode(payload)
    except RecursionError:
        raise MalformedPayload("expected an OTLP ExportTraceServiceRequest as JSON, got one nested too deep") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        request = _parsed_with_lone_surrogates(payload, error)
    if not isinstance(request, dict):
        raise MalformedPayload(f"expected an OTLP ExportTraceServiceRequest as a JSON object, got {shown(request)}")
    return request


def _parsed_with_lone_surrogates(payload: bytes, error: Exception) -> Any:
    """JavaScript cuts strings between the halves of a pair and JSON.stringify writes them so; msgspec refuses that."""
    refusal = MalformedPayload(f"expected an OTLP ExportTraceServiceRequest as JSON: {error}")
    if not _SURROGATE_ESCAPE.search(payload):
        raise refusal from None
    try:
        return _without_surrogates(json.loads(payload.decode(), parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        raise refusal from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case _:
            return value
