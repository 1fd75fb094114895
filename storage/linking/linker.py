"""Which service calls which: Zipkin's dependency links, as the executable definition every store agrees with.

Source: Zipkin's DependencyLinker. The graph is meant to show services, not spans: where client and server both
reported a call, the server's word counts, and a client tells of a server only when that reported nothing itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from storage.linking.link_span import LinkSpan
from storage.linking.tree import Node, tree_of
from storage.requests import DependencyLink
from storage.span import SpanKind


class Call(NamedTuple):
    """One call between two named services."""

    parent: str
    child: str
    error: bool


def link_traces(traces: Iterable[Sequence[LinkSpan]]) -> list[DependencyLink]:
    """The links of these traces: one a (parent, child) pair, sorted by them.

    Each sequence is all spans of one trace, that is of one low half of a trace id, in any order, with duplicates or
    not. Links count spans, not requests. A service may call itself.
    """
    return summed((call, 1) for trace in traces for call in calls_of(trace))


def summed(calls: Iterable[tuple[Call, int]]) -> list[DependencyLink]:
    """Calls with how often each was made, as links: one a (parent, child) pair, sorted by them."""
    counts: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for (parent, child, error), count in calls:
        counts[parent, child] += count
        if error:
            errors[parent, child] += count
    return [DependencyLink(*pair, counts[pair], errors[pair]) for pair in sorted(counts)]


def calls_of(trace: Iterable[LinkSpan]) -> Iterator[Call]:
    """The calls that one trace shows."""
    root = tree_of(trace)
    waiting: list[tuple[Node, LinkSpan | None]] = [(root, None)]
    while waiting:
        node, ancestor = waiting.pop()
        if node.span:
            yield from _calls_at(node, node.span, ancestor, is_root=node is root)
            if node.span.kind is not SpanKind.UNSPECIFIED:
                ancestor = node.span
        waiting.extend((child, ancestor) for child in node.children)


def _calls_at(node: Node, span: LinkSpan, ancestor: LinkSpan | None, *, is_root: bool) -> Iterator[Call]:
    """The calls that one place in the tree shows; `ancestor` is the nearest span above it that has a kind."""
    kind = _effective_kind(node, span)
    if kind in (SpanKind.PRODUCER, SpanKind.CONSUMER):
        yield from _broker_call(span, kind)
    elif kind is SpanKind.CLIENT or (kind is SpanKind.SERVER and not (is_root and span.remote_service is None)):
        yield from _rpc_calls(span, kind, ancestor)


def _effective_kind(node: Node, span: LinkSpan) -> SpanKind:
    """The end of the call that this span tells of, UNSPECIFIED when it tells of none."""
    if span.kind is SpanKind.CLIENT and node.children:
        return SpanKind.UNSPECIFIED
    if span.kind is SpanKind.UNSPECIFIED and span.service and span.remote_service:
        return SpanKind.CLIENT
    return span.kind


def _broker_call(span: LinkSpan, kind: SpanKind) -> Iterator[Call]:
    """A message goes through a broker: only the span itself can name it, so ancestors are not asked."""
    if span.service and span.remote_service:
        names = (span.service, span.remote_service)
        parent, child = names if kind is SpanKind.PRODUCER else reversed(names)
        yield Call(parent, child, span.error)


def _rpc_calls(span: LinkSpan, kind: SpanKind, ancestor: LinkSpan | None) -> Iterator[Call]:
    parent, child = span.service, span.remote_service
    if kind is SpanKind.SERVER:
        parent, child = child, parent
    error = span.error
    if ancestor and ancestor.service:
        if kind is SpanKind.CLIENT and span.service and span.service != ancestor.service:
            # The server between the two reported nothing. Whether it failed is not known.
            yield Call(ancestor.service, span.service, False)
        if kind is SpanKind.SERVER or parent is None:
            parent = ancestor.service
        # Only a span of its own id hears of its client's error: a shared one has its client's parent.
        if ancestor.kind is SpanKind.CLIENT and span.parent_span_id == ancestor.span_id:
            error = error or ancestor.error
    if parent and child:
        yield Call(parent, child, error)
