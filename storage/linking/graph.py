"""The service graph: Zipkin's links with their latencies, and the far ends that no one reports from.

The executable definition every store agrees with. The calls of `linker` are all in it. Beside them stand the calls of
which a trace shows one side only and names no other service:

- A CLIENT with no span of any kind (but local ones) below it, and with no call told by the linker to whom it names,
  calls what it describes (`peer`). So of clients within each other the innermost tells. Whom it names by
  `remote_service` though local spans below it keep the linker from counting that, is such a far end, too.
- A PRODUCER that names no service calls the queue it describes; a CONSUMER is called by it, and by a CLIENT that
  receives from a queue the queue is the caller. Whoever stands above or below in the trace: from producer to consumer
  the way leads through the queue.

The kind of a named service's node is SERVICE, but DATABASE or QUEUE when the span that names it describes one, and
QUEUE when a PRODUCER or a CONSUMER names it. What is only described is never SERVICE, so a service's edges to another
are exactly its links.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from storage.latency_buckets import Histogram, bucket_numbers
from storage.linking.link_span import LinkSpan
from storage.linking.linker import Place, Told, places_of, told_at
from storage.linking.peer import PEER_KINDS, Peer
from storage.requests import GraphEdge, GraphNode, NodeKey, NodeKind, ServiceGraph
from storage.span import SpanKind

MINUTE_NS = 60 * 10**9
_MESSAGING_KINDS = (SpanKind.PRODUCER, SpanKind.CONSUMER)


class End(NamedTuple):
    """One end of a call. reported: whether it is a service that told something of itself in this trace."""

    name: str
    kind: NodeKind
    reported: bool

    @property
    def key(self) -> NodeKey:
        return NodeKey(self.name, self.kind)


class GraphCall(NamedTuple):
    """One call. bucket: of its duration (storage.latency_buckets); None when that is not known."""

    parent: End
    child: End
    error: bool
    bucket: int | None


def whole_minutes(start_ns: int, end_ns: int) -> range:
    """The minutes since the epoch that [start_ns, end_ns] touches."""
    return range(start_ns // MINUTE_NS, end_ns // MINUTE_NS + 1) if start_ns <= end_ns else range(0)


def graph_of_traces(traces: Iterable[Sequence[LinkSpan]]) -> ServiceGraph:
    """The graph of these traces, each of them as `linker.link_traces` takes it."""
    return graph_of_calls((call, 1) for trace in traces for call in graph_calls_of(trace))


def graph_of_calls(calls: Iterable[tuple[GraphCall, int]]) -> ServiceGraph:
    """The graph of calls, each with how often it was made; the same call may come several times, in any order."""
    instrumented: dict[NodeKey, bool] = {}
    latencies: dict[tuple[NodeKey, NodeKey], Counter[int]] = {}
    totals: Counter[tuple[NodeKey, NodeKey]] = Counter()
    errors: Counter[tuple[NodeKey, NodeKey]] = Counter()
    for call, times in calls:
        for end in (call.parent, call.child):
            instrumented[end.key] = instrumented.get(end.key, False) or end.reported
        pair = call.parent.key, call.child.key
        totals[pair] += times
        errors[pair] += times * call.error
        durations = latencies.setdefault(pair, Counter())
        if call.bucket is not None:
            durations[call.bucket] += times
    return ServiceGraph(
        tuple(GraphNode(key, instrumented[key]) for key in sorted(instrumented)),
        tuple(
            GraphEdge(*pair, totals[pair], errors[pair], Histogram.of(sorted(latencies[pair].items())))
            for pair in sorted(totals)
        ),
    )


def graph_calls_of(trace: Iterable[LinkSpan]) -> Iterator[GraphCall]:
    """The calls that one trace shows."""
    return graph_calls_at(list(places_of(trace)))


def graph_calls_at(places: Sequence[Place]) -> Iterator[GraphCall]:
    """The calls that one trace shows, by `linker.places_of` of it.

    The duration of a call is that of the called one's span where there is one, else of the caller's. It is not known
    when the span has none, or when only a span further down shows that there was a call.
    """
    callers = {id(place.caller) for place in places if place.span.kind is not SpanKind.UNSPECIFIED}
    for place in places:
        told = list(told_at(place))
        for each in told:
            yield _told_call(each, place.span)
        if place.span.kind in PEER_KINDS and not any(each.named for each in told):
            yield from _described_call(place, is_innermost=id(place.node) not in callers)


def _told_call(told: Told, span: LinkSpan) -> GraphCall:
    parent, child = (
        End(name, _named_kind(span) if told.named == which else NodeKind.SERVICE, told.named != which)
        for which, name in (("parent", told.call.parent), ("child", told.call.child))
    )
    return GraphCall(parent, child, told.call.error, _bucket(span) if told.witnessed else None)


def _named_kind(span: LinkSpan) -> NodeKind:
    """What the service is that this span names."""
    if span.kind in _MESSAGING_KINDS:
        return NodeKind.QUEUE
    return NodeKind.SERVICE if span.peer is None or span.peer.kind is NodeKind.EXTERNAL else span.peer.kind


def _described_call(place: Place, *, is_innermost: bool) -> Iterator[GraphCall]:
    span, peer = place.span, _described_end(place.span)
    service, gives = span.service, span.kind is SpanKind.CONSUMER
    if span.kind is SpanKind.CLIENT:
        if not is_innermost:
            return
        caller = place.caller.span if place.caller else None
        service = service or (caller.service if caller else None)
        gives = peer is not None and peer.gives
    if service and peer:
        ends = (End(peer.name, peer.kind, False), End(service, NodeKind.SERVICE, True))
        parent, child = ends if gives else reversed(ends)
        yield GraphCall(parent, child, span.error, _bucket(span))


def _described_end(span: LinkSpan) -> Peer | None:
    peer = span.peer
    if span.remote_service:
        peer = (peer or Peer(NodeKind.EXTERNAL, ""))._replace(name=span.remote_service)
    return peer._replace(kind=NodeKind.QUEUE) if peer and span.kind in _MESSAGING_KINDS else peer


def _bucket(span: LinkSpan) -> int | None:
    if span.duration_ns is None:
        return None
    return int(bucket_numbers(np.array([span.duration_ns]))[0])
