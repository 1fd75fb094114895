"""What a list shows of a trace: the executable definition that every store's answer must agree with.

Source: Jaeger's summary of a trace, computed after its sanitizers and adjusters: repeats are dropped, the halves of a
shared id are spans of their own, and a span has a service, a name and a duration. Everything here can be told from a
few narrow columns (`storage.summary_table`), but for which of the spans that look alike are equal, and for the status
of a Zipkin span that tells it by a tag. Clocks are as they were sent.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.conventions import EMPTY_SPAN_NAME, MISSING_SERVICE_NAME
from storage.ids import TraceId
from storage.repeats import distinct, repeated_ids
from storage.span import Protocol, Span, SpanKind, StatusCode
from storage.times import clamped_ns
from storage.zipkin_status import zipkin_status

SHORTEST_NS = 1
"""What Jaeger makes of a duration that is absent, zero or negative."""
_CLIENT = SpanKind.CLIENT
_SERVER = SpanKind.SERVER
_ERROR = StatusCode.ERROR
_ZIPKIN = Protocol.ZIPKIN
# Python 3.11 takes 0.2 us to find a member in its enumeration, too long where it is asked of every span.
_ZERO_HIGH = bytes(8)


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One service's part in a trace. errors: how many of its spans have the status ERROR."""

    name: str
    spans: int
    errors: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One trace in a list.

    root_*: of the earliest span without a parent; "" when every span has one. Of several that are equally early it is
    the one with the least span id, then service, then name; one without a start is the last.
    start_ns, end_ns: the earliest start and the latest end, epoch ns, at most the largest int64; None when no span has
    a start.
    errors: spans with the status ERROR. orphans: spans whose parent is not in the trace.
    services: every service, sorted by name; "" is a span's that has none.
    """

    trace_id: TraceId
    root_service: str
    root_operation: str
    start_ns: int | None
    end_ns: int | None
    spans: int
    errors: int
    orphans: int
    services: tuple[ServiceSummary, ...]


def trace_summary(spans: Sequence[Span]) -> TraceSummary:
    """The summary of one trace's stored spans, at least one, in any order."""
    told = distinct(spans)
    halves = set(server_halves(told))
    ids = {span.span_id for span in told}
    others = [span for at, span in enumerate(told) if at not in halves]
    parentless = [span for span in others if span.parent_span_id in (None, span.span_id)]
    root = min(parentless, key=_earliness, default=None)
    starts = [span.start_ns for span in told if span.start_ns is not None]
    ends = [span.start_ns + _duration_ns(span) for span in told if span.start_ns is not None]
    services = _services(told)
    return TraceSummary(
        trace_id=common_trace_id(span.trace_id for span in told),
        root_service=_service(root) if root else "",
        root_operation=_name(root) if root else "",
        start_ns=min(starts, default=None),
        end_ns=clamped_ns(max(ends)) if ends else None,
        spans=len(told),
        errors=sum(one.errors for one in services),
        orphans=sum(span.parent_span_id is not None and span.parent_span_id not in ids for span in others),
        services=services,
    )


def server_halves(spans: Sequence[Span]) -> list[int]:
    """The positions of those that share an id with the call they answer.

    A SERVER span whose id a CLIENT span has too, or a `shared` span whose id one that is not shared has. Never all
    spans of an id.
    """
    repeated = repeated_ids(spans)
    if not repeated:
        return []
    called_for = {span.span_id for span in spans if span.kind is _CLIENT}
    own = {span.span_id for span in spans if not span.shared}
    return [
        at
        for at, span in enumerate(spans)
        if span.span_id in repeated
        and (
            (span.kind is _SERVER and span.span_id in called_for)
            or (span.shared and span.kind is not _CLIENT and span.span_id in own)
        )
    ]


def common_trace_id(trace_ids: Iterable[TraceId]) -> TraceId:
    """The id of the trace whose spans have these, at least one: the least of 128 bits, else the least."""
    return min(set(trace_ids), key=lambda trace_id: (trace_id.startswith(_ZERO_HIGH), trace_id))


def is_error(span: Span) -> bool:
    """Whether the status is ERROR; a Zipkin span's is what its tags say."""
    status = span.status_code
    if span.protocol is _ZIPKIN:
        status = zipkin_status(status, span.attributes)
    return status is _ERROR


def _earliness(root: Span) -> tuple[object, ...]:
    return root.start_ns is None, root.start_ns or 0, root.span_id, _service(root), _name(root)


def _service(span: Span) -> str:
    return span.service or MISSING_SERVICE_NAME


def _name(span: Span) -> str:
    return span.name or EMPTY_SPAN_NAME


def _duration_ns(span: Span) -> int:
    return max(span.duration_ns or 0, SHORTEST_NS)


def _services(spans: Sequence[Span]) -> tuple[ServiceSummary, ...]:
    counts = Counter(_service(span) for span in spans)
    errors = Counter(_service(span) for span in spans if is_error(span))
    return tuple(ServiceSummary(name, counts[name], errors[name]) for name in sorted(counts))
