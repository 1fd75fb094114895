"""What a field of a query stands for on one span of an assembled trace.

An unscoped attribute is the span's, else the resource's. `service.name` is the name of the span's service whatever
protocol it came by, unscoped too, so that a store can look for it. Attributes of events and links have as many values
as there are events and links with them.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from query.reconstruct.summary import summarize
from query.reconstruct.trace import Trace
from query.traceql.syntax import Attribute, Field, Intrinsic, Scope
from storage.attributes import Attributes, AttributeValue
from storage.span import Span, SpanKind, StatusCode
from storage.trace_summary import TraceSummary

SERVICE_NAME = "service.name"

Value = AttributeValue | StatusCode | SpanKind


class TraceFacts:
    """What is asked of the assembled trace of a span: computed when it is, for most queries ask nothing of it.

    The root is the earliest span without a parent.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    @cached_property
    def summary(self) -> TraceSummary:
        """All that a list shows of the trace."""
        return summarize(self._trace)

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self._trace.trace_id.hex()

    @property
    def duration_ns(self) -> int:
        """From the earliest start to the latest end; 0 when no span has a start."""
        return (self.summary.end_ns or 0) - (self.summary.start_ns or 0)


def values_of(span: Span, field: Field, facts: TraceFacts) -> Sequence[Value]:
    """Every value of the field; none when the span has no such field."""
    if isinstance(field, Intrinsic):
        return _intrinsic(span, field, facts)
    match field.scope:
        case Scope.ANY | Scope.RESOURCE if field.key == SERVICE_NAME:
            return () if span.service is None else (span.service,)
        case Scope.ANY:
            return _under(field, (span.attributes,)) or _under(field, (span.resource.attributes,))
        case Scope.SPAN:
            return _under(field, (span.attributes,))
        case Scope.RESOURCE:
            return _under(field, (span.resource.attributes,))
        case Scope.EVENT:
            return _under(field, (event.attributes for event in span.events))
        case Scope.LINK:
            return _under(field, (link.attributes for link in span.links))
        case Scope.INSTRUMENTATION:
            return _under(field, (span.scope.attributes,))


def _under(field: Attribute, places: Iterable[Attributes]) -> tuple[Value, ...]:
    return tuple(attributes[field.key] for attributes in places if field.key in attributes)


def _intrinsic(span: Span, field: Intrinsic, facts: TraceFacts) -> Sequence[Value]:
    match field:
        case Intrinsic.NAME:
            return (span.name or "",)
        case Intrinsic.KIND:
            return (span.kind,)
        case Intrinsic.STATUS:
            return (span.status_code,)
        case Intrinsic.STATUS_MESSAGE:
            return (span.status_message,)
        case Intrinsic.DURATION:
            return (span.duration_ns or 0,)
        case Intrinsic.SPAN_ID:
            return (span.span_id.hex(),)
        case Intrinsic.PARENT_ID:
            return () if span.parent_span_id is None else (span.parent_span_id.hex(),)
        case Intrinsic.TRACE_ID:
            return (facts.trace_id,)
        case Intrinsic.TRACE_DURATION:
            return (facts.duration_ns,)
        case Intrinsic.ROOT_NAME:
            return (facts.summary.root_operation,)
        case Intrinsic.ROOT_SERVICE:
            return (facts.summary.root_service,)
        case Intrinsic.EVENT_NAME:
            return tuple(event.name for event in span.events)
        case Intrinsic.LINK_SPAN_ID:
            return tuple(link.span_id.hex() for link in span.links)
        case Intrinsic.LINK_TRACE_ID:
            return tuple(link.trace_id.hex() for link in span.links)
        case Intrinsic.SCOPE_NAME:
            return (span.scope.name,)
        case Intrinsic.SCOPE_VERSION:
            return (span.scope.version,)
