"""The critical path: at each moment of a trace the one span that everything else waited for.

To make a trace faster, one of these must become faster. Source: Jaeger's UI (TracePage/CriticalPath) and Uber's CRISP
(Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022): from a
span's end back to its start, follow the child that finished last; before that child began, the one that finished last
until then. Unlike Jaeger's UI a child that ends at the very moment another begins is followed: at a resolution of
microseconds calls one after the other often touch.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from query.reconstruct.tree import TraceTree
from query.reconstruct.waiting import Waits, Window


class Section(NamedTuple):
    """A part of the path in which the span at `position` was busy itself. Never empty; times are epoch ns."""

    position: int
    start_ns: int
    end_ns: int


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
_NO_CHILDREN: Iterator[_Part] = iter(())


class _Walk:
    """Back through one span's time. at_ns: what is after it is done. children: the last finishing first."""

    __slots__ = ("at_ns", "children", "position", "start_ns")

    def __init__(self, position: int, window: Window, waits: Waits) -> None:
        self.position = position
        self.start_ns, self.at_ns = window
        self.children = _NO_CHILDREN
        if waits.awaited[position]:
            self.children = iter(sorted(waits.parts_within(position, window), key=_end_ns, reverse=True))


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
            found = list(_backwards(_Walk(root, window, waits), waits, spans))
            sections += reversed(found)
    return CriticalPath(sections, frozenset(spans))


def _backwards(root: _Walk, waits: Waits, spans: set[int]) -> Iterator[Section]:
    """The sections, the latest first; `spans` gets all positions passed. Not recursive: a trace may be deep."""
    stack = [root]
    spans.add(root.position)
    while stack:
        walk = stack[-1]
        for start_ns, end_ns, child in walk.children:
            if end_ns > walk.at_ns:
                continue
            if end_ns < walk.at_ns:
                yield Section(walk.position, end_ns, walk.at_ns)
            walk.at_ns = start_ns
            spans.add(child)
            if waits.awaited[child]:
                stack.append(_Walk(child, (start_ns, end_ns), waits))
                break
            # Most spans wait for nobody, and need no walk of their own.
            yield Section(child, start_ns, end_ns)
        else:
            if walk.start_ns < walk.at_ns:
                yield Section(walk.position, walk.start_ns, walk.at_ns)
            stack.pop()


def _end_ns(part: _Part) -> int:
    return part[1]
