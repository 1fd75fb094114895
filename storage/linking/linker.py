"""Which service calls which: Zipkin's dependency links, as the executable definition every store agrees with.

Source: Zipkin's DependencyLinker. The graph is meant to show services, not spans: where client and server both
reported a call, the server's word counts, and a client tells of a server only when that reported nothing itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

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
    return (told.call for place in places_of(trace) for told in told_at(place))


class Place(NamedTuple):
    """A span's place in the tree of its trace. caller: the node of the nearest span above it that has a kind."""

    node: Node
    span: LinkSpan
    caller: Node | None
    is_root: bool


class Told(NamedTuple):
    """A call that a span tells of. named: the end of which only the name is known, because the other told it.

    witnessed: whether the span was an end of this call; else it only shows that there was one.
    """

    call: Call
    named: Literal["parent", "child"] | None = None
    witnessed: bool = True


def places_of(trace: Iterable[LinkSpan]) -> Iterator[Place]:
    """The place of every merged span that is reached from the root."""
    root = tree_of(trace)
    waiting: list[tuple[Node, Node | None]] = [(root, None)]
    while waiting:
        node, caller = waiting.pop()
        if node.span:
            yield Place(node, node.span, caller, node is root)
            if node.span.kind is not SpanKind.UNSPECIFIED:
                caller = node
        waiting.extend((child, caller) for child in node.children)


def told_at(place: Place) -> Iterator[Told]:
    """The calls that one place in the tree shows."""
    span = place.span
    kind = _effective_kind(place.node, span)
    if kind in (SpanKind.PRODUCER, SpanKind.CONSUMER):
        yield from _broker_call(span, kind)
    elif kind is SpanKind.CLIENT or (kind is SpanKind.SERVER and not (place.is_root and span.remote_service is None)):
        yield from _rpc_calls(span, kind, place.caller.span if place.caller else None)


def _effective_kind(node: Node, span: LinkSpan) -> SpanKind:
    """The end of the call that this span tells of, UNSPECIFIED when it tells of none."""
    if span.kind is SpanKind.CLIENT and node.children:
        return SpanKind.UNSPECIFIED
    if span.kind is SpanKind.UNSPECIFIED and span.service and span.remote_service:
        return SpanKind.CLIENT
    return span.kind


def _broker_call(span: LinkSpan, kind: SpanKind) -> Iterator[Told]:
    """A message goes through a broker: only the span itself can name it, so ancestors are not asked."""
    if span.service and span.remote_service:
        if kind is SpanKind.PRODUCER:
            yield Told(Call(span.service, span.remote_service, span.error), named="child")
        else:
            yield Told(Call(span.remote_service, span.service, span.error), named="parent")


def _rpc_calls(span: LinkSpan, kind: SpanKind, ancestor: LinkSpan | None) -> Iterator[Told]:
    parent, child = span.service, span.remote_service
    named: Literal["parent", "child"] | None = "child"
    if kind is SpanKind.SERVER:
        parent, child, named = child, parent, "parent"
    error = span.error
    if ancestor and ancestor.service:
        if kind is SpanKind.CLIENT and span.service and span.service != ancestor.service:
            # The server between the two reported nothing. Whether it failed is not known.
            yield Told(Call(ancestor.service, span.service, False), witnessed=False)
        if kind is SpanKind.SERVER:
            parent, named = ancestor.service, None
        elif parent is None:
            parent = ancestor.service
        # Only a span of its own id hears of its client's error: a shared one has its client's parent.
        if ancestor.kind is SpanKind.CLIENT and span.parent_span_id == ancestor.span_id:
            error = error or ancestor.error
    if parent and child:
        yield Told(Call(parent, child, error), named)
