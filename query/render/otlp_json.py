"""Traces as OTLP JSON. Unlike protobuf's own JSON it has ids in hex and enumerations as numbers.

Source: the OTLP specification, section "JSON Protobuf Encoding". Written from values: protobuf's writer would make
base64 of the ids.
"""

import base64
import math
from collections.abc import Iterable

from query.reconstruct.trace import Trace, TraceSpan
from query.render.otlp_groups import (
    MAX_VALUE_DEPTH,
    ResourceSpans,
    ScopeSpans,
    attributes_of,
    by_resource,
    times_ns,
    unsigned,
)
from storage.attributes import Attributes, AttributeValue, text_of
from storage.span import Event, Link, Scope

JsonObject = dict[str, object]


def traces_data_json(traces: Iterable[Trace]) -> JsonObject:
    """{resourceSpans: [...]}: all spans of the traces, grouped by resource and scope in order of first use.

    As proto3 JSON: 64-bit integers are strings, bytes base64, NaN and the infinities strings; what is 0, "" or empty is
    left out, but `resource`, `scope` and `status` are always there, as OpenTelemetry's collector writes them.
    The local service is the resource's `service.name`; warnings are the span attribute `@jaeger@warnings`.
    """
    return {"resourceSpans": [_resource_spans(group) for group in by_resource(traces)]}


def key_values_json(attributes: Attributes) -> list[JsonObject]:
    """{key, value: {<type>Value: ...}} for each attribute, in their order."""
    return [{"key": key, "value": any_value_json(value)} for key, value in attributes.items()]


def any_value_json(value: AttributeValue, depth: int = MAX_VALUE_DEPTH) -> JsonObject:
    """The value under the name of its type; null is {}. What nests deeper than `depth` is its JSON text."""
    match value:
        case None:
            return {}
        case str():
            return {"stringValue": value}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _not_finite(value)}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case _ if depth == 0:
            return {"stringValue": text_of(value)}
        case list():
            return {"arrayValue": {"values": [any_value_json(item, depth - 1) for item in value]}}
        case dict():
            pairs = [{"key": key, "value": any_value_json(item, depth - 1)} for key, item in value.items()]
            return {"kvlistValue": {"values": pairs}}


def _resource_spans(group: ResourceSpans) -> JsonObject:
    resource = _present(
        attributes=key_values_json(group.attributes), droppedAttributesCount=group.resource.dropped_attributes
    )
    return {
        "resource": resource,
        "scopeSpans": [_scope_spans(one) for one in group.scopes.values()],
        **_present(schemaUrl=group.resource.schema_url),
    }


def _scope_spans(one: ScopeSpans) -> JsonObject:
    return {
        "scope": scope_json(one.scope),
        "spans": [span_json(shown) for shown in one.spans],
        **_present(schemaUrl=one.scope.schema_url),
    }


def scope_json(scope: Scope) -> JsonObject:
    """An instrumentation scope without its schema's URL; {} when nothing is known of it."""
    return _present(
        name=scope.name,
        version=scope.version,
        attributes=key_values_json(scope.attributes),
        droppedAttributesCount=scope.dropped_attributes,
    )


def span_json(shown: TraceSpan) -> JsonObject:
    """One span, without its resource and scope."""
    span = shown.span
    start_ns, end_ns = times_ns(span)
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        **_present(
            traceState=span.trace_state,
            parentSpanId=(span.parent_span_id or b"").hex(),
            flags=span.flags,
            name=span.name,
            kind=int(span.kind),
            startTimeUnixNano=_int64(start_ns),
            endTimeUnixNano=_int64(end_ns),
            attributes=key_values_json(attributes_of(shown)),
            droppedAttributesCount=span.dropped_attributes,
            events=[_event(event) for event in span.events],
            droppedEventsCount=span.dropped_events,
            links=[_link(link) for link in span.links],
            droppedLinksCount=span.dropped_links,
        ),
        "status": _present(message=span.status_message, code=int(span.status_code)),
    }


def _event(event: Event) -> JsonObject:
    return _present(
        timeUnixNano=_int64(unsigned(event.time_ns)),
        name=event.name,
        attributes=key_values_json(event.attributes),
        droppedAttributesCount=event.dropped_attributes,
    )


def _link(link: Link) -> JsonObject:
    return {
        "traceId": link.trace_id.hex(),
        "spanId": link.span_id.hex(),
        **_present(
            traceState=link.trace_state,
            attributes=key_values_json(link.attributes),
            droppedAttributesCount=link.dropped_attributes,
            flags=link.flags,
        ),
    }


def _present(**members: object) -> JsonObject:
    return {name: value for name, value in members.items() if value}


def _int64(number: int) -> str:
    return str(number) if number else ""


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
