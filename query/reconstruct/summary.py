"""What a list of traces shows of each one. Source: Jaeger's summary of a trace, computed after its adjusters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from query.reconstruct.trace import Trace
from query.reconstruct.tree import RootReason, TraceTree
from storage.span import Span, StatusCode
from storage.times import clamped_ns
from storage.trace_summary import ServiceSummary, TraceSummary

_ERROR = StatusCode.ERROR


@dataclass(frozen=True, slots=True)
class TreeSummary:
    """One trace on its own: what a list shows of it, and what only its tree tells.

    root: the position of the span it begins with, the first root by the order of the tree.
    roots, orphans, circles: how many there are of each reason to be a root. depth: spans on the longest way down.
    reports: how many spans were sent, repeats included.
    """

    listed: TraceSummary
    root: int
    roots: int
    orphans: int
    circles: int
    depth: int
    reports: int


def summarize_tree(trace: Trace, tree: TraceTree) -> TreeSummary:
    """The summary of a trace and its tree."""
    reasons = Counter(tree.roots.values())
    return TreeSummary(
        listed=summarize(trace),
        root=tree.order[0],
        roots=len(tree.roots),
        orphans=reasons[RootReason.ORPHAN],
        circles=reasons[RootReason.CIRCLE],
        depth=tree.height,
        reports=sum([shown.reports for shown in trace.spans]),
    )


def summarize(trace: Trace) -> TraceSummary:
    """The summary of an assembled trace. A span without a start is counted, and says nothing about times."""
    spans = [shown.span for shown in trace.spans]
    ids = {span.span_id for span in spans}
    parent_ids = [span.parent_span_id for span in spans]
    root = _root(spans)
    starts = [start_ns for span in spans if (start_ns := span.start_ns) is not None]
    ends = [start_ns + (span.duration_ns or 0) for span in spans if (start_ns := span.start_ns) is not None]
    services = _services(spans)
    return TraceSummary(
        trace_id=trace.trace_id,
        root_service=(root and root.service) or "",
        root_operation=(root and root.name) or "",
        start_ns=min(starts, default=None),
        end_ns=clamped_ns(max(ends)) if ends else None,
        spans=len(spans),
        errors=sum(service.errors for service in services),
        orphans=len([parent_id for parent_id in parent_ids if parent_id not in ids and parent_id is not None]),
        services=services,
    )


def _root(spans: Sequence[Span]) -> Span | None:
    roots = [span for span in spans if span.parent_span_id is None]
    return min(roots, key=_earliness, default=None)


def _earliness(root: Span) -> tuple[object, ...]:
    return root.start_ns is None, root.start_ns or 0, root.span_id, root.service or "", root.name or ""


def _services(spans: Sequence[Span]) -> tuple[ServiceSummary, ...]:
    counts = Counter([span.service or "" for span in spans])
    errors = Counter([span.service or "" for span in spans if span.status_code is _ERROR])
    return tuple(ServiceSummary(name, counts[name], errors[name]) for name in sorted(counts))
