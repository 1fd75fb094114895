"""The critical path: at each moment of a trace the one span that everything else waited for.

To make a trace faster, one of these must become faster. Source: Jaeger's UI (TracePage/CriticalPath) and Uber's CRISP
(Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022): from a
span's end back to its start, follow the child that finished last; before that child began, the one that finished last
until then. Unlike Jaeger's UI a child that ends at the very moment another begins is followed: at a resolution of
microseconds calls one after the other often touch.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from query.reconstruct.tree import TraceTree
from query.reconstruct.waiting import Waits, Window

Section = tuple[int, int, int]
"""A part of the path in which a span was busy itself: its position, start_ns, end_ns. Never empty; epoch ns.

A plain tuple, for the garbage collector lets those alone: of a large trace there are as many sections as spans.
"""


class CriticalPath(NamedTuple):
    """sections: by root, and of each root by time; without a gap or an overlap they fill that root's time exactly.

    spans: the positions of all spans that the path leads through, those included that only waited.
    """

    sections: Sequence[Section]
    spans: frozenset[int]

    def times_ns(self) -> dict[int, int]:
        """How long the path stays in each span that has a section."""
        times: dict[int, int] = {}
        for position, start_ns, end_ns in self.sections:
            times[position] = times.get(position, 0) + end_ns - start_ns
        return times


_Part = tuple[int, int, int]
"""From when to when a child counts, and its position."""


def critical_path(tree: TraceTree, waits: Waits) -> CriticalPath:
    """The path through each tree of the trace, for no root waits for another.

    A child that began before its parent or outlived it counts for the part within; one that ran outside of its parent
    counts for nothing. Neither does a root without a start.
    """
    sections: list[Section] = []
    spans: set[int] = set()
    for root in tree.roots:
        window = waits.windows[root]
        if window is not None:
            found = _backwards(root, window, waits, spans)
            found.reverse()
            sections += found
    return CriticalPath(sections, frozenset(spans))


def _backwards(root: int, window: Window, waits: Waits, spans: set[int]) -> list[Section]:
    """The sections, the latest first; `spans` gets all positions passed. Not recursive: a trace may be deep."""
    awaited = waits.awaited
    sections: list[Section] = []
    above: list[tuple[int, int, int, Iterator[_Part]]] = []
    # Of the span that is walked back through: what is after at_ns is done; children: the last finishing first.
    position, (begin_ns, at_ns) = root, window
    children = _last_first(waits, root, window)
    spans.add(root)
    while True:
        for start_ns, end_ns, child in children:
            if end_ns > at_ns:
                continue
            if end_ns < at_ns:
                sections.append((position, end_ns, at_ns))
            at_ns = start_ns
            spans.add(child)
            if awaited[child]:
                above.append((position, begin_ns, at_ns, children))
                position, begin_ns, at_ns = child, start_ns, end_ns
                children = _last_first(waits, child, (start_ns, end_ns))
                break
            # Most spans wait for nobody.
            sections.append((child, start_ns, end_ns))
        else:
            if begin_ns < at_ns:
                sections.append((position, begin_ns, at_ns))
            if not above:
                return sections
            position, begin_ns, at_ns, children = above.pop()


def _last_first(waits: Waits, position: int, window: Window) -> Iterator[_Part]:
    """The children for whom the span waited within the window, the last finishing first."""
    return iter(sorted(waits.parts_within(position, window), key=_END_NS, reverse=True))


_END_NS = itemgetter(1)
