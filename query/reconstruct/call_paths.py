"""The ways calls took through services, for Jaeger's deep dependency graph."""

from collections.abc import Iterator
from typing import NamedTuple

from query.reconstruct.trace import Trace
from storage.ids import SpanId
from storage.span import Span

MOST_STEPS = 100
"""Steps of a path. Without an end each span of a chain of 50 000 would hold a path as long as its depth: gigabytes."""


class CallStep(NamedTuple):
    """Where a path enters a service: by which operation. "" is a span's that has no name."""

    service: str
    operation: str


CallPath = tuple[CallStep, ...]


def call_paths(trace: Trace, service: str, operation: str | None = None) -> Iterator[CallPath]:
    """Each way from a root to a leaf that leads through the service (by that operation), once.

    A way has a step where it begins and wherever it enters another service, the first MOST_STEPS of them. Spans without
    a service are passed over; a span whose parent is not in the trace, or is below it, is a root.
    """
    spans = {shown.span.span_id: shown.span for shown in trace.spans}
    paths: dict[SpanId, CallPath] = {}
    for span in spans.values():
        _follow(span, spans, paths)
    parents = {span.parent_span_id for span in spans.values()}
    found = dict.fromkeys(path for span_id, path in paths.items() if span_id not in parents)
    for path in found:
        if any(step.service == service and operation in (None, step.operation) for step in path):
            yield path


def _follow(span: Span, spans: dict[SpanId, Span], paths: dict[SpanId, CallPath]) -> None:
    """Note the path to this span and to all above it. Not recursive: a trace may be deeper than the stack."""
    chain: dict[SpanId, Span] = {}
    at: Span | None = span
    while at is not None and at.span_id not in paths and at.span_id not in chain:
        chain[at.span_id] = at
        at = spans.get(at.parent_span_id) if at.parent_span_id else None
    path = paths.get(at.span_id, ()) if at is not None else ()
    for one in reversed(chain.values()):
        if one.service and len(path) < MOST_STEPS and (not path or path[-1].service != one.service):
            path = (*path, CallStep(one.service, one.name or ""))
        paths[one.span_id] = path
