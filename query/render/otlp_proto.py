"""Traces as OpenTelemetry's TracesData message. Source: opentelemetry-proto, trace/v1 and common/v1.

Messages are filled from the outside in: protobuf copies a message that is put into another, with all that is in it.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from query.reconstruct.trace import Trace, TraceSpan
from query.render.otlp_groups import MAX_VALUE_DEPTH, ResourceSpans, attributes_of, by_resource, times_ns, unsigned
from storage.attributes import Attributes, AttributeValue, text_of
from storage.span import Event, Link, SpanKind, StatusCode

CHUNK_SPANS = 4_000
"""Some megabytes. A trace of 100 000 spans, rendered whole to find that it must be halved, and its halves again, took
four times as long, and 4 s until its first message."""
_KINDS = {kind: trace_pb2.Span.SpanKind.Value(f"SPAN_KIND_{kind.name}") for kind in SpanKind}
_STATUS_CODES = {code: trace_pb2.Status.StatusCode.Value(f"STATUS_CODE_{code.name}") for code in StatusCode}


class _KeyValues(Protocol):
    """A repeated field of KeyValue."""

    def add(self, *, key: str) -> KeyValue: ...


def traces_data(traces: Iterable[Trace]) -> trace_pb2.TracesData:
    """All spans of the traces in one message, grouped by resource and scope in order of first use; types are kept.

    The local service is the resource's `service.name`; warnings are the span attribute `@jaeger@warnings`.
    """
    data = trace_pb2.TracesData()
    for group in by_resource(traces):
        _fill_resource_spans(data.resource_spans.add(schema_url=group.resource.schema_url), group)
    return data


def chunks(trace: Trace, limit_bytes: int) -> Iterator[trace_pb2.TracesData]:
    """The trace as consecutive messages of at most `limit_bytes` and CHUNK_SPANS each, and at least one span each.

    A single span that is larger than that goes alone, larger than the limit.
    """
    starts = range(0, len(trace.spans), CHUNK_SPANS)
    waiting = [Trace(trace.trace_id, trace.spans[start : start + CHUNK_SPANS]) for start in reversed(starts)]
    while waiting:
        part = waiting.pop()
        message = traces_data([part])
        if len(part.spans) == 1 or message.ByteSize() <= limit_bytes:
            yield message
        else:
            middle = len(part.spans) // 2
            waiting += (Trace(part.trace_id, half) for half in (part.spans[middle:], part.spans[:middle]))


def _fill_resource_spans(message: trace_pb2.ResourceSpans, group: ResourceSpans) -> None:
    message.resource.SetInParent()
    _add(message.resource.attributes, group.attributes)
    message.resource.dropped_attributes_count = group.resource.dropped_attributes
    for one in group.scopes.values():
        below = message.scope_spans.add(schema_url=one.scope.schema_url)
        below.scope.SetInParent()
        below.scope.name, below.scope.version = one.scope.name, one.scope.version
        _add(below.scope.attributes, one.scope.attributes)
        below.scope.dropped_attributes_count = one.scope.dropped_attributes
        for shown in one.spans:
            _fill_span(below.spans.add(), shown)


def _fill_span(message: trace_pb2.Span, shown: TraceSpan) -> None:
    span = shown.span
    message.trace_id, message.span_id = span.trace_id, span.span_id
    message.parent_span_id = span.parent_span_id or b""
    message.trace_state, message.flags = span.trace_state, span.flags
    message.name, message.kind = span.name or "", _KINDS[span.kind]
    message.start_time_unix_nano, message.end_time_unix_nano = times_ns(span)
    _add(message.attributes, attributes_of(shown))
    message.dropped_attributes_count = span.dropped_attributes
    for event in span.events:
        _fill_event(message.events.add(), event)
    message.dropped_events_count = span.dropped_events
    for link in span.links:
        _fill_link(message.links.add(), link)
    message.dropped_links_count = span.dropped_links
    message.status.SetInParent()
    message.status.code, message.status.message = _STATUS_CODES[span.status_code], span.status_message


def _fill_event(message: trace_pb2.Span.Event, event: Event) -> None:
    message.time_unix_nano, message.name = unsigned(event.time_ns), event.name
    _add(message.attributes, event.attributes)
    message.dropped_attributes_count = event.dropped_attributes


def _fill_link(message: trace_pb2.Span.Link, link: Link) -> None:
    message.trace_id, message.span_id = link.trace_id, link.span_id
    message.trace_state, message.flags = link.trace_state, link.flags
    _add(message.attributes, link.attributes)
    message.dropped_attributes_count = link.dropped_attributes


def _add(pairs: _KeyValues, attributes: Attributes, depth: int = MAX_VALUE_DEPTH) -> None:
    for key, value in attributes.items():
        _set_value(pairs.add(key=key).value, value, depth)


def _set_value(message: AnyValue, value: AttributeValue, depth: int) -> None:
    """With its type; null is an AnyValue without one."""
    match value:
        case str():
            message.string_value = value
        case None:
            message.SetInParent()
        case bool():
            message.bool_value = value
        case int():
            message.int_value = value
        case float():
            message.double_value = value
        case bytes():
            message.bytes_value = value
        case _ if depth == 0:
            message.string_value = text_of(value)
        case list():
            message.array_value.SetInParent()
            for item in value:
                _set_value(message.array_value.values.add(), item, depth - 1)
        case dict():
            message.kvlist_value.SetInParent()
            _add(message.kvlist_value.values, value, depth - 1)
