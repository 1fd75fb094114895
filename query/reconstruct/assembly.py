"""From stored spans to the trace that a reader sees: Jaeger's chain of adjusters, in its order.

Two steps differ from Jaeger v2 on purpose. Repeated spans are dropped first, so that a server half that was sent twice
does not become two spans with two fresh ids. And the order of the spans is fixed, whatever order they arrived in.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from query.reconstruct.attribute_repairs import (
    addresses_as_text,
    library_attributes_on_resources,
    without_invalid_links,
)
from query.reconstruct.canonical import by_start, in_canonical_order
from query.reconstruct.clock_skew import correct_clock_skew
from query.reconstruct.sanitize import sanitized
from query.reconstruct.shared_ids import separate_shared_ids
from query.reconstruct.sorting import sort_collections, sort_resource
from query.reconstruct.trace import Trace, TraceSpan
from query.reconstruct.zipkin_as_otel import as_otel
from storage.ids import TraceId
from storage.repeats import distinct
from storage.span import Resource, Span
from storage.trace_summary import common_trace_id


def assemble(spans: Sequence[Span], *, raw: bool = False, max_clock_skew_ns: int = 0) -> Trace:
    """The trace of these stored spans, at least one, in any order. It never loses a span that differs from the others.

    Zipkin spans are put in OpenTelemetry's terms and every span is sanitized, `raw` or not, for Jaeger does that
    before it stores. The adjusters, duplicates included, are left out when `raw`.
    max_clock_skew_ns: the largest correction of a clock; 0 corrects none and warns.
    Spans found by the low half of their trace id all take the 128-bit id, if there is one.
    """
    if not spans:
        raise ValueError("expected at least one span, got none")
    trace_id = common_trace_id(span.trace_id for span in spans)
    ordered = in_canonical_order(spans)
    if raw:
        return Trace(trace_id, [_shown(span, trace_id) for span in ordered])
    resources = _RepairedResources()
    shown = separate_shared_ids([_adjusted_alone(span, trace_id, resources) for span in distinct(ordered)])
    shown = correct_clock_skew(shown, max_clock_skew_ns)
    shown = library_attributes_on_resources(shown)
    return Trace(trace_id, by_start(without_invalid_links(one) for one in shown))


def _shown(span: Span, trace_id: TraceId) -> TraceSpan:
    if span.trace_id != trace_id:
        span = replace(span, trace_id=trace_id)
    return sanitized(as_otel(span))


def _adjusted_alone(span: Span, trace_id: TraceId, resources: "_RepairedResources") -> TraceSpan:
    shown = _shown(span, trace_id)
    repaired = addresses_as_text(sort_collections(shown.span))
    return TraceSpan(replace(repaired, resource=resources.of(repaired)), shown.warnings)


class _RepairedResources:
    """The resources of one trace, each repaired once: the spans of a process share one, and go on sharing it."""

    def __init__(self) -> None:
        self._repaired: dict[int, tuple[Resource, Resource]] = {}

    def of(self, span: Span) -> Resource:
        """The span's resource, repaired."""
        sent = span.resource
        known = self._repaired.get(id(sent))
        if known is None:
            known = self._repaired[id(sent)] = sent, addresses_as_text(sort_resource(sent))
        return known[1]
