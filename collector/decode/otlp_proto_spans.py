"""One span, event, link, status of the lean view at a time: the careful path of the protobuf decoder.

`otlp_proto` fills the columns of clean spans in bulk; whatever is odd in any way comes here.
"""

from google.protobuf.message import DecodeError

from collector.decode.otlp_attributes import (
    INVALID_EVENT_NAME,
    INVALID_SPAN_NAME,
    INVALID_STATUS_MESSAGE,
    INVALID_TRACE_STATE,
    SanitizedPairs,
    attributes_of,
)
from collector.decode.otlp_fields import (
    Attached,
    SpanFields,
    SpanRefused,
    add_event,
    add_link,
    checked_ids,
    checked_link_ids,
    kind_of,
    status_of,
)
from collector.decode.otlp_proto_values import sanitized
from wire import otlp_lean_pb2 as lean


def span_fields(span: lean.Span) -> SpanFields:
    """The fields of one span. SpanRefused when it must be left out."""
    trace_id, span_id, parent_span_id = checked_ids(span.trace_id, span.span_id, span.parent_span_id)
    status = status_fields(span.status)
    found = SanitizedPairs()
    name = found.text(span.name, INVALID_SPAN_NAME, INVALID_SPAN_NAME)
    trace_state = found.text(span.trace_state, INVALID_TRACE_STATE)
    message = found.text(status.message, INVALID_STATUS_MESSAGE, INVALID_STATUS_MESSAGE)
    fields = SpanFields(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=name,
        kind=kind_of(span.kind),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=attributes_of(sanitized(span.attributes, found).finish()),
        status_code=status_of(status.code),
        status_message=message,
        trace_state=trace_state,
        flags=span.flags,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        dropped_links=span.dropped_links_count,
    )
    for index, raw in enumerate(span.events):
        _add_event(fields.attached, raw, index)
    for index, raw in enumerate(span.links):
        _add_link(fields.attached, raw, index)
    return fields


def status_fields(raw: bytes) -> lean.Status:
    """The status of a span. SpanRefused when it does not parse."""
    try:
        return lean.Status.FromString(raw)
    except DecodeError as error:
        raise SpanRefused("malformed_status", f".status: expected a Status message, {error}") from None


def _add_event(attached: Attached, raw: bytes, index: int) -> None:
    try:
        event = lean.Event.FromString(raw)
    except DecodeError as error:
        raise SpanRefused("malformed_event", f".events[{index}]: expected an Event message, {error}") from None
    found = SanitizedPairs()
    name = found.text(event.name, INVALID_EVENT_NAME, INVALID_EVENT_NAME)
    pairs = sanitized(event.attributes, found, f".events[{index}]").finish()
    add_event(attached, event.time_unix_nano, name, attributes_of(pairs), event.dropped_attributes_count)


def _add_link(attached: Attached, raw: bytes, index: int) -> None:
    try:
        link = lean.Link.FromString(raw)
    except DecodeError as error:
        raise SpanRefused("malformed_link", f".links[{index}]: expected a Link message, {error}") from None
    found = SanitizedPairs()
    trace_state = found.text(link.trace_state, INVALID_TRACE_STATE)
    pairs = sanitized(link.attributes, found, f".links[{index}]").finish()
    ids = checked_link_ids(link.trace_id, link.span_id)
    add_link(attached, ids, trace_state, link.flags, attributes_of(pairs), link.dropped_attributes_count)
