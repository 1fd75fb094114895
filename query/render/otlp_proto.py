"""Traces as OpenTelemetry's TracesData message. Source: opentelemetry-proto, trace/v1 and common/v1."""

from collections.abc import Iterable, Iterator

from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from query.reconstruct.trace import Trace, TraceSpan
from query.render.otlp_groups import MAX_VALUE_DEPTH, ResourceSpans, attributes_of, by_resource, times_ns, unsigned
from storage.attributes import Attributes, AttributeValue, text_of
from storage.span import Event, Link, SpanKind, StatusCode

_KINDS = {kind: trace_pb2.Span.SpanKind.Value(f"SPAN_KIND_{kind.name}") for kind in SpanKind}
_STATUS_CODES = {code: trace_pb2.Status.StatusCode.Value(f"STATUS_CODE_{code.name}") for code in StatusCode}

KeyValues = list[common_pb2.KeyValue]


def traces_data(traces: Iterable[Trace]) -> trace_pb2.TracesData:
    """All spans of the traces in one message, grouped by resource and scope in order of first use; types are kept.

    The local service is the resource's `service.name`; warnings are the span attribute `@jaeger@warnings`.
    """
    return trace_pb2.TracesData(resource_spans=[_resource_spans(group) for group in by_resource(traces)])


def chunks(trace: Trace, limit_bytes: int) -> Iterator[trace_pb2.TracesData]:
    """The trace as consecutive messages of at most `limit_bytes` each, and at least one span each.

    A single span that is larger than that goes alone, larger than the limit.
    """
    waiting = [trace]
    while waiting:
        part = waiting.pop()
        message = traces_data([part])
        if len(part.spans) == 1 or message.ByteSize() <= limit_bytes:
            yield message
        else:
            middle = len(part.spans) // 2
            waiting += (Trace(part.trace_id, half) for half in (part.spans[middle:], part.spans[:middle]))


def key_values(attributes: Attributes) -> KeyValues:
    """One KeyValue an attribute, in their order."""
    return [common_pb2.KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: AttributeValue, depth: int = MAX_VALUE_DEPTH) -> common_pb2.AnyValue:
    """The value with its type; null is an AnyValue without one. What nests deeper than `depth` is its JSON text."""
    match value:
        case None:
            return common_pb2.AnyValue()
        case str():
            return common_pb2.AnyValue(string_value=value)
        case bool():
            return common_pb2.AnyValue(bool_value=value)
        case int():
            return common_pb2.AnyValue(int_value=value)
        case float():
            return common_pb2.AnyValue(double_value=value)
        case bytes():
            return common_pb2.AnyValue(bytes_value=value)
        case _ if depth == 0:
            return common_pb2.AnyValue(string_value=text_of(value))
        case list():
            items = [any_value(item, depth - 1) for item in value]
            return common_pb2.AnyValue(array_value=common_pb2.ArrayValue(values=items))
        case dict():
            pairs = [common_pb2.KeyValue(key=key, value=any_value(item, depth - 1)) for key, item in value.items()]
            return common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=pairs))


def _resource_spans(group: ResourceSpans) -> trace_pb2.ResourceSpans:
    message = trace_pb2.ResourceSpans(schema_url=group.resource.schema_url)
    message.resource.SetInParent()
    message.resource.attributes.extend(key_values(group.attributes))
    message.resource.dropped_attributes_count = group.resource.dropped_attributes
    for one in group.scopes.values():
        below = message.scope_spans.add(schema_url=one.scope.schema_url)
        below.scope.SetInParent()
        below.scope.name, below.scope.version = one.scope.name, one.scope.version
        below.scope.attributes.extend(key_values(one.scope.attributes))
        below.scope.dropped_attributes_count = one.scope.dropped_attributes
        below.spans.extend([_span(shown) for shown in one.spans])
    return message


def _span(shown: TraceSpan) -> trace_pb2.Span:
    span = shown.span
    start_ns, end_ns = times_ns(span)
    return trace_pb2.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        trace_state=span.trace_state,
        parent_span_id=span.parent_span_id or b"",
        flags=span.flags,
        name=span.name or "",
        kind=_KINDS[span.kind],
        start_time_unix_nano=start_ns,
        end_time_unix_nano=end_ns,
        attributes=key_values(attributes_of(shown)),
        dropped_attributes_count=span.dropped_attributes,
        events=[_event(event) for event in span.events],
        dropped_events_count=span.dropped_events,
        links=[_link(link) for link in span.links],
        dropped_links_count=span.dropped_links,
        status=trace_pb2.Status(code=_STATUS_CODES[span.status_code], message=span.status_message),
    )


def _event(event: Event) -> trace_pb2.Span.Event:
    return trace_pb2.Span.Event(
        time_unix_nano=unsigned(event.time_ns),
        name=event.name,
        attributes=key_values(event.attributes),
        dropped_attributes_count=event.dropped_attributes,
    )


def _link(link: Link) -> trace_pb2.Span.Link:
    return trace_pb2.Span.Link(
        trace_id=link.trace_id,
        span_id=link.span_id,
        trace_state=link.trace_state,
        attributes=key_values(link.attributes),
        dropped_attributes_count=link.dropped_attributes,
        flags=link.flags,
    )
