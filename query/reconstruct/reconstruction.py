"""From stored spans to all that clew can tell of their trace, whichever protocols they came by.

Jaeger's view (`assembly`) shows what Jaeger would show. This one joins more, places every span, and says how the time
was spent. What was sent stays as it was sent: attributes keep their order and a missing duration stays missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from msgspec.structs import replace

from query.reconstruct.canonical import by_start, in_canonical_order
from query.reconstruct.clock_skew import correct_clock_skew
from query.reconstruct.critical_path import CriticalPath, critical_path
from query.reconstruct.reports import join_reports
from query.reconstruct.sanitize import named
from query.reconstruct.self_time import self_times_ns
from query.reconstruct.shared_ids import separate_shared_ids
from query.reconstruct.summary import TreeSummary, summarize_tree
from query.reconstruct.trace import Trace, TraceSpan
from query.reconstruct.tree import TraceTree, tree_of
from query.reconstruct.waiting import Waits, waits_of
from query.reconstruct.zipkin_as_otel import as_otel
from query.reconstruct.zipkin_clock_skew import correct_clock_skew_as_zipkin
from storage.ids import TraceId
from storage.span import Span
from storage.trace_summary import common_trace_id


class ClockRule(StrEnum):
    """Whose rule corrects clocks. JAEGER: up to a limit, else it warns; ZIPKIN: without a limit; NONE: no rule."""

    JAEGER = "jaeger"
    ZIPKIN = "zipkin"
    NONE = "none"


@dataclass(frozen=True)
class Reconstruction:
    """One trace, and what follows from it. Positions are those in `trace.spans`.

    How its time was spent is reckoned when it is asked for: who looks at the tree first need not wait for that.
    """

    trace: Trace
    tree: TraceTree
    summary: TreeSummary

    @cached_property
    def self_times_ns(self) -> Sequence[int | None]:
        """By position, as `self_time` gives them."""
        return self_times_ns(self._waits)

    @cached_property
    def path(self) -> CriticalPath:
        """The critical path."""
        return critical_path(self.tree, self._waits)

    @cached_property
    def _waits(self) -> Waits:
        return waits_of(self.trace.spans, self.tree)


def reconstruct(
    spans: Sequence[Span], *, clocks: ClockRule = ClockRule.JAEGER, max_clock_skew_ns: int = 0
) -> Reconstruction:
    """The trace of these stored spans, at least one, in any order: the order changes nothing.

    Every span given is in the tree once, as itself or as one of the `reports` of what it was joined to.
    max_clock_skew_ns: the largest correction by Jaeger's rule; 0 corrects none and warns.
    """
    if not spans:
        raise ValueError("expected at least one span, got none")
    trace_id = common_trace_id(span.trace_id for span in spans)
    reported = in_canonical_order(_with_id(span, trace_id) for span in spans)
    shown = separate_shared_ids([_shown(one) for one in join_reports(reported)])
    trace = Trace(trace_id, by_start(_with_clocks_corrected(shown, clocks, max_clock_skew_ns)))
    tree = tree_of(trace.spans)
    return Reconstruction(trace, tree, summarize_tree(trace, tree))


def _with_id(span: Span, trace_id: TraceId) -> Span:
    return span if span.trace_id == trace_id else replace(span, trace_id=trace_id)


def _shown(joined: TraceSpan) -> TraceSpan:
    shown = named(as_otel(joined.span))
    return replace(shown, reports=joined.reports) if joined.reports > 1 else shown


def _with_clocks_corrected(spans: Sequence[TraceSpan], clocks: ClockRule, max_clock_skew_ns: int) -> list[TraceSpan]:
    match clocks:
        case ClockRule.JAEGER:
            return correct_clock_skew(spans, max_clock_skew_ns)
        case ClockRule.ZIPKIN:
            return correct_clock_skew_as_zipkin(spans)
        case ClockRule.NONE:
            return list(spans)
