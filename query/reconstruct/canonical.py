"""Spans in one order, whatever order they arrived in."""

from collections.abc import Iterable
from operator import itemgetter

from query.reconstruct.trace import TraceSpan
from storage.repeats import content_of
from storage.span import Span

_PLACE = itemgetter(0, 1)


def in_canonical_order(spans: Iterable[Span]) -> list[Span]:
    """By start (absent as 0), then span id, then content: the same list for every order of arrival."""
    places = [(span.start_ns or 0, span.span_id, span) for span in spans]
    places.sort(key=_PLACE)
    ordered = [span for _, _, span in places]
    begin = 0
    for end in range(1, len(ordered) + 1):
        if end < len(ordered) and _are_tied(ordered[begin], ordered[end]):
            continue
        # Content is costly to write down, and nearly every span has a place of its own.
        if end - begin > 1:
            ordered[begin:end] = sorted(ordered[begin:end], key=content_of)
        begin = end
    return ordered


def by_start(spans: Iterable[TraceSpan]) -> list[TraceSpan]:
    """By start (absent as 0), then span id; spans equal in both keep their order."""
    places = [(shown.span.start_ns or 0, shown.span.span_id, shown) for shown in spans]
    places.sort(key=_PLACE)
    return [shown for _, _, shown in places]


def _are_tied(one: Span, other: Span) -> bool:
    return one.span_id == other.span_id and (one.start_ns or 0) == (other.start_ns or 0)
