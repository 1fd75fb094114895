"""The tree of one trace: every span has exactly one place in it, however broken the trace is.

Source: Zipkin's SpanNode. It hangs further roots and orphans below the first root, or below one that it makes up; here
they stay roots of their own and say why, so that nobody takes a guess for a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import eq

from query.reconstruct.kinship import Hosts, encloses, service_affinity
from query.reconstruct.trace import TraceSpan
from storage.ids import SpanId
from storage.span import Span

_MOST_COMPARED = 16
"""Of more spans with one id, as broken tracers send them, the first are compared: else a trace could take for ever."""


class RootReason(IntEnum):
    """Why a span is a root, in the order in which roots are listed."""

    PARENTLESS = 0
    """It names no parent, or itself."""
    ORPHAN = 1
    """Its parent is not in the trace: not yet, not any more, or never reported."""
    CIRCLE = 2
    """It is an ancestor of itself; the circle is cut above its first span."""


@dataclass(frozen=True, slots=True)
class TraceTree:
    """Places of spans, by their positions in the sequence that the tree was made of.

    parents: of each span the position of its parent, None of a root. children: of each span in the order of the
    sequence. order: every position once, depth-first, a parent before its children. depths: of each span, 0 of a root.
    roots: each root's reason, in the order of `order`: by reason, those without a start last.
    """

    parents: Sequence[int | None]
    children: Sequence[Sequence[int]]
    order: Sequence[int]
    depths: Sequence[int]
    roots: dict[int, RootReason]

    @property
    def height(self) -> int:
        """How many spans the longest way from a root to a leaf has; 0 of no spans."""
        return max(self.depths, default=-1) + 1

    def roots_for(self, reason: RootReason) -> list[int]:
        """The roots of this reason, in their order."""
        return [root for root, why in self.roots.items() if why is reason]


def tree_of(spans: Sequence[TraceSpan]) -> TraceTree:
    """The tree of one trace's spans, which have shared ids separated. Their sequence is the order of siblings.

    Where several spans have the id of a parent, a child stands below the one of its service, else of its host, else
    the one that was running, else the first.
    """
    parents, reasons = _parents(spans, Hosts())
    for first in _circles(parents):
        parents[first] = None
        reasons[first] = RootReason.CIRCLE
    children = _children(parents)
    roots = {root: reasons[root] for root in sorted(reasons, key=lambda root: _rank(spans[root], reasons[root]))}
    order, depths = _depth_first(roots, children)
    return TraceTree(parents, children, order, depths, roots)


def first_positions(spans: Sequence[TraceSpan]) -> dict[SpanId | None, int]:
    """Of each span id where the first span with it is; nothing of None, which roots have for a parent."""
    ids = [shown.span.span_id for shown in spans]
    # The last one written stays, so from the end.
    return dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))


def _parents(spans: Sequence[TraceSpan], hosts: Hosts) -> tuple[list[int | None], dict[int, RootReason]]:
    firsts, others = _positions(spans)
    ids, parent_ids = [shown.span.span_id for shown in spans], [shown.span.parent_span_id for shown in spans]
    parents = [*map(firsts.get, parent_ids)]
    for at in [at for at, own_parent in enumerate(map(eq, ids, parent_ids)) if own_parent]:
        parents[at] = None
    if others:
        for at, found in enumerate(parents):
            if found is not None and (more := others.get(spans[found].span.span_id)):
                parents[at] = _closest(spans, [found, *more], spans[at].span, hosts)
    without = [at for at, found in enumerate(parents) if found is None]
    return parents, {at: _reason(spans[at].span) for at in without}


def _reason(span: Span) -> RootReason:
    return RootReason.PARENTLESS if span.parent_span_id in (None, span.span_id) else RootReason.ORPHAN


def _positions(spans: Sequence[TraceSpan]) -> tuple[dict[SpanId | None, int], dict[SpanId, list[int]]]:
    """Of each id the first position; and of ids that more spans have the next ones, as many as are compared."""
    firsts: dict[SpanId | None, int] = first_positions(spans)
    others: dict[SpanId, list[int]] = {}
    if len(firsts) == len(spans):
        return firsts, others
    for at, shown in enumerate(spans):
        if firsts[shown.span.span_id] != at:
            more = others.setdefault(shown.span.span_id, [])
            if len(more) < _MOST_COMPARED - 1:
                more.append(at)
    return firsts, others


def _closest(spans: Sequence[TraceSpan], found: Sequence[int], child: Span, hosts: Hosts) -> int:
    affinities = [service_affinity(spans[at].span, child) for at in found]
    best = max(affinities)
    kin = [at for at, affinity in zip(found, affinities, strict=True) if affinity == best]
    if len(kin) == 1:
        return kin[0]
    # Hosts are costly to compare, and mostly the service has told already.
    own = hosts.of(child)

    def closeness(at: int) -> tuple[bool, bool]:
        parent = spans[at].span
        return not own.isdisjoint(hosts.of(parent)), encloses(parent, child)

    return max(kin, key=closeness)


def _circles(parents: Sequence[int | None]) -> list[int]:
    """The first position of each circle of parents."""
    if all(above is None or above < at for at, above in enumerate(parents)):
        # As nearly always: where every parent began before its children there is none.
        return []
    firsts: list[int] = []
    walked = [-1] * len(parents)
    for start in range(len(parents)):
        at: int | None = start
        while at is not None and walked[at] < 0:
            walked[at] = start
            at = parents[at]
        if at is not None and walked[at] == start:
            firsts.append(_first_of_circle(parents, at))
    return firsts


def _first_of_circle(parents: Sequence[int | None], member: int) -> int:
    first, at = member, parents[member]
    while at is not None and at != member:
        first, at = min(first, at), parents[at]
    return first


def _children(parents: Sequence[int | None]) -> list[Sequence[int]]:
    children: list[list[int] | None] = [None] * len(parents)
    for at, parent in enumerate(parents):
        if parent is not None:
            siblings = children[parent]
            if siblings is None:
                children[parent] = [at]
            else:
                siblings.append(at)
    return [() if siblings is None else siblings for siblings in children]


def _rank(root: TraceSpan, reason: RootReason) -> tuple[int, bool, int]:
    return reason, root.span.start_ns is None, root.span.start_ns or 0


def _depth_first(roots: dict[int, RootReason], children: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    order: list[int] = []
    depths = [0] * len(children)
    waiting = list(reversed(roots))
    while waiting:
        at = waiting.pop()
        order.append(at)
        if below := children[at]:
            waiting += below[::-1]
            depth = depths[at] + 1
            for child in below:
                depths[child] = depth
    return order, depths
