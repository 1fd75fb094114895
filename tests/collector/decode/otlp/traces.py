"""Random traces as span values, and the same traces as the protobuf and the JSON that a sender would write."""

import base64
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from storage.attributes import Attributes, AttributeValue
from storage.batch import DecodedSpans, SpanColumns
from storage.ids import SpanId, TraceId
from storage.rows import span_of
from storage.span import Endpoint, Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.span_strategies import made

Group = tuple[Resource, Scope, list[Span]]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_UINT32 = st.integers(0, 2**32 - 1)
_VALUES: st.SearchStrategy[AttributeValue] = st.recursive(
    st.one_of(
        TEXTS,
        st.text(st.characters(max_codepoint=127), min_size=100, max_size=300),
        st.booleans(),
        _INT64,
        st.integers(-300, 300),
        st.floats(),
        st.binary(max_size=8),
        st.none(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    st.sampled_from(["http.method", "http.url", "id", "service.name", "peer.service", "n"]) | TEXTS | st.just("k" * 130)
)
_ATTRIBUTES = st.dictionaries(_KEYS, _VALUES, max_size=5)
_TIMES = st.integers(0, 2**63 - 1)
_TRACE_IDS = st.binary(min_size=16, max_size=16).filter(any).map(TraceId)
_SPAN_IDS = st.binary(min_size=8, max_size=8).filter(any).map(SpanId)
_EVENTS = made(Event, _TIMES, TEXTS, _ATTRIBUTES, _UINT32)
_LINKS = made(Link, _TRACE_IDS, _SPAN_IDS, TEXTS, _ATTRIBUTES, _UINT32, _UINT32)
RESOURCES = made(Resource, _ATTRIBUTES, _UINT32, TEXTS)
SCOPES = made(Scope, TEXTS, TEXTS, _ATTRIBUTES, _UINT32, TEXTS)
SPANS = made(
    Span,
    trace_id=_TRACE_IDS,
    span_id=_SPAN_IDS,
    parent_span_id=st.none() | _SPAN_IDS,
    name=st.none() | TEXTS.filter(bool),
    kind=st.sampled_from(SpanKind),
    start_ns=st.integers(1, 2**63 - 1),
    duration_ns=st.integers(-(2**62), 2**62),
    status_code=st.sampled_from(StatusCode),
    status_message=TEXTS,
    attributes=_ATTRIBUTES,
    events=st.lists(_EVENTS, max_size=2).map(tuple),
    links=st.lists(_LINKS, max_size=2).map(tuple),
    trace_state=TEXTS,
    flags=_UINT32,
    dropped_attributes=_UINT32,
    dropped_events=_UINT32,
    dropped_links=_UINT32,
).map(lambda span: replace(span, duration_ns=_duration_within_uint64(span)))
GROUPS = st.lists(st.tuples(RESOURCES, SCOPES, st.lists(SPANS, max_size=4)), max_size=3)


def expected_columns(groups: Sequence[Group]) -> SpanColumns:
    """The columns that a decoder must make of these groups."""
    columns = SpanColumns()
    for resource, scope, spans in groups:
        for span in spans:
            service, remote = _service(resource.attributes), Endpoint(service=_peer_service(span))
            columns.append(replace(span, resource=resource, scope=scope, service=service, remote=remote))
    return columns


def _peer_service(span: Span) -> str | None:
    peer = span.attributes.get("peer.service")
    return peer if isinstance(peer, str) and peer and span.kind in (SpanKind.CLIENT, SpanKind.PRODUCER) else None


def comparable(columns: DecodedSpans) -> list[str]:
    """Each row as text: the span it reads back as, its keys, its tokens in any order. (NaN equals itself in a text.)"""
    return [f"{span_of(row)!r} {row[11]!r} {sorted(row[12])!r}" for row in columns.to_batch(received_ns=0).rows()]


def spans_of(columns: DecodedSpans) -> list[Span]:
    """The spans that a reader gets back."""
    return [span_of(row) for row in columns.to_batch(received_ns=0).rows()]


def as_protobuf(groups: Iterable[Group]) -> bytes:
    """The groups as OpenTelemetry's own protobuf classes write them."""
    request = ExportTraceServiceRequest()
    for resource, scope, spans in groups:
        resource_spans = request.resource_spans.add(schema_url=resource.schema_url)
        _fill(resource_spans.resource, resource.attributes, resource.dropped_attributes)
        scope_spans = resource_spans.scope_spans.add(schema_url=scope.schema_url)
        scope_spans.scope.name, scope_spans.scope.version = scope.name, scope.version
        _fill(scope_spans.scope, scope.attributes, scope.dropped_attributes)
        for span in spans:
            _add_span(scope_spans, span)
    return bytes(request.SerializeToString())


def as_json(groups: Iterable[Group]) -> bytes:
    """The groups as OTLP JSON."""
    return json.dumps({"resourceSpans": [_json_group(group) for group in groups]}).encode()


def _duration_within_uint64(span: Span) -> int:
    start_ns, duration_ns = span.start_ns or 0, span.duration_ns or 0
    return min(max(start_ns + duration_ns, 0), 2**63 - 1) - start_ns


def _service(attributes: Attributes) -> str:
    if "service.name" not in attributes:
        return "missing-service-name"
    value = attributes["service.name"]
    return (value or "empty-service-name") if isinstance(value, str) else "service-name-wrong-type"


def _end_ns(span: Span) -> int:
    return (span.start_ns or 0) + (span.duration_ns or 0)


def _add_span(scope_spans: Any, span: Span) -> None:
    message = scope_spans.spans.add(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id or b"",
        name=span.name or "",
        kind=int(span.kind),
        start_time_unix_nano=span.start_ns or 0,
        end_time_unix_nano=_end_ns(span),
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_events_count=span.dropped_events,
        dropped_links_count=span.dropped_links,
    )
    message.status.code, message.status.message = int(span.status_code), span.status_message
    _fill(message, span.attributes, span.dropped_attributes)
    for event in span.events:
        added = message.events.add(time_unix_nano=event.time_ns, name=event.name)
        _fill(added, event.attributes, event.dropped_attributes)
    for link in span.links:
        added = message.links.add(
            trace_id=link.trace_id, span_id=link.span_id, trace_state=link.trace_state, flags=link.flags
        )
        _fill(added, link.attributes, link.dropped_attributes)


def _fill(message: Any, attributes: Attributes, dropped: int) -> None:
    message.dropped_attributes_count = dropped
    for key, value in attributes.items():
        added = message.attributes.add(key=key)
        _set_value(added.value, value)


def _set_value(message: Any, value: AttributeValue) -> None:
    match value:
        case None:
            pass
        case bool():
            message.bool_value = value
        case str():
            message.string_value = value
        case int():
            message.int_value = value
        case float():
            message.double_value = value
        case bytes():
            message.bytes_value = value
        case list():
            message.array_value.SetInParent()
            for item in value:
                _set_value(message.array_value.values.add(), item)
        case _:
            message.kvlist_value.SetInParent()
            for key, item in value.items():
                _set_value(message.kvlist_value.values.add(key=key).value, item)


def _json_group(group: Group) -> dict[str, Any]:
    resource, scope, spans = group
    return {
        "resource": _json_owner(resource.attributes, resource.dropped_attributes),
        "schemaUrl": resource.schema_url,
        "scopeSpans": [
            {
                "scope": {"name": scope.name, "version": scope.version}
                | _json_owner(scope.attributes, scope.dropped_attributes),
                "schemaUrl": scope.schema_url,
                "spans": [_json_span(span) for span in spans],
            }
        ],
    }


def _json_span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex() if span.parent_span_id else "",
        "name": span.name or "",
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(_end_ns(span)),
        "traceState": span.trace_state,
        "flags": span.flags,
        "status": {"code": int(span.status_code), "message": span.status_message},
        "events": [
            {"timeUnixNano": str(event.time_ns), "name": event.name}
            | _json_owner(event.attributes, event.dropped_attributes)
            for event in span.events
        ],
        "links": [
            {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex(), "traceState": link.trace_state}
            | {"flags": link.flags}
            | _json_owner(link.attributes, link.dropped_attributes)
            for link in span.links
        ],
        "droppedEventsCount": span.dropped_events,
        "droppedLinksCount": span.dropped_links,
    } | _json_owner(span.attributes, span.dropped_attributes)


def _json_owner(attributes: Attributes, dropped: int) -> dict[str, Any]:
    return {"attributes": _json_pairs(attributes), "droppedAttributesCount": dropped}


def _json_pairs(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _json_value(value)} for key, value in attributes.items()]


def _json_value(value: AttributeValue) -> dict[str, Any]:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float() if math.isnan(value):
            return {"doubleValue": "NaN"}
        case float() if math.isinf(value):
            return {"doubleValue": "Infinity" if value > 0 else "-Infinity"}
        case float():
            return {"doubleValue": value}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case list():
            return {"arrayValue": {"values": [_json_value(item) for item in value]}}
        case _:
            return {"kvlistValue": {"values": _json_pairs(value)}}
