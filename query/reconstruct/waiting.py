"""For whom a span waits: what its self time and the critical path are made of.

Source of the rule: Jaeger's UI, which leaves messages (PRODUCER, CONSUMER) and references of the type FOLLOWS_FROM out
of the critical path, for their parent goes on without them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import TraceTree
from storage.conventions import FOLLOWS_FROM, REF_TYPE_KEY
from storage.span import Span, SpanKind

_PRODUCER, _CONSUMER = SpanKind.PRODUCER, SpanKind.CONSUMER

Window = tuple[int, int]
"""From when to when something ran, epoch ns; the second is never less than the first."""


class Waits(NamedTuple):
    """By position: when each span ran, None without a start; and the children it waited for, all with a start."""

    windows: Sequence[Window | None]
    awaited: Sequence[Sequence[int]]

    def parts_within(self, position: int, window: Window) -> list[tuple[int, int, int]]:
        """(start_ns, end_ns, position) of the awaited children, as far as they ran within the window.

        Children of which nothing is left are left out: they ran before it or after it, or took no time.
        """
        begin_ns, finish_ns = window
        parts = []
        for child in self.awaited[position]:
            own = self.windows[child]
            if own is not None:
                start_ns = own[0] if own[0] > begin_ns else begin_ns
                end_ns = own[1] if own[1] < finish_ns else finish_ns
                if start_ns < end_ns:
                    parts.append((start_ns, end_ns, child))
        return parts


def waits_of(spans: Sequence[TraceSpan], tree: TraceTree) -> Waits:
    """When the spans of the tree ran, an absent or negative duration counting as none, and for whom they waited.

    A span without a start stands in for nobody: who waits for it waits for its children instead.
    """
    bare = [shown.span for shown in spans]
    windows = [_window(span) for span in bare]
    unawaited = _unawaited(bare)
    if not unawaited and None not in windows:
        return Waits(windows, tree.children)
    awaited: list[Sequence[int]] = [()] * len(spans)
    # Children first, so that a span without a start has its own when it is replaced by them.
    for at in reversed(tree.order):
        if not tree.children[at]:
            continue
        found: list[int] = []
        for child in tree.children[at]:
            if child in unawaited:
                continue
            if windows[child] is None:
                found += awaited[child]
            else:
                found.append(child)
        awaited[at] = found
    return Waits(windows, awaited)


def _window(span: Span) -> Window | None:
    start_ns, duration_ns = span.start_ns, span.duration_ns
    if start_ns is None:
        return None
    return start_ns, start_ns + duration_ns if duration_ns and duration_ns > 0 else start_ns


def _unawaited(spans: Sequence[Span]) -> set[int]:
    messages = [at for at, span in enumerate(spans) if span.kind is _PRODUCER or span.kind is _CONSUMER]
    return {*messages, *(at for at, span in enumerate(spans) if span.links and _follows_its_parent(span))}


def _follows_its_parent(span: Span) -> bool:
    return any(
        link.span_id == span.parent_span_id and link.attributes.get(REF_TYPE_KEY) == FOLLOWS_FROM for link in span.links
    )
