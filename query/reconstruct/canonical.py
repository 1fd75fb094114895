"""Spans in one order, whatever order they arrived in."""

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import le
from typing import TypeVar

from query.reconstruct.trace import TraceSpan
from storage.ids import SpanId
from storage.repeats import content_of, repeated_ids
from storage.span import Span

_Value = TypeVar("_Value")


def in_canonical_order(spans: Iterable[Span]) -> list[Span]:
    """By start (absent as 0), then span id, then content: the same list for every order of arrival."""
    given = list(spans)
    ordered = _sorted(given, _places(given))
    if not repeated_ids(ordered):
        return ordered
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
    given = list(spans)
    return _sorted(given, _places([shown.span for shown in given]))


def _places(spans: Sequence[Span]) -> list[tuple[int, SpanId]]:
    return [*zip([span.start_ns or 0 for span in spans], [span.span_id for span in spans], strict=True)]


def _sorted(given: list[_Value], places: list[tuple[int, SpanId]]) -> list[_Value]:
    """The values by their places; those of one place keep their order."""
    if all(map(le, places, islice(places, 1, None))):
        return given
    return [given[at] for at in sorted(range(len(given)), key=places.__getitem__)]


def _are_tied(one: Span, other: Span) -> bool:
    return one.span_id == other.span_id and (one.start_ns or 0) == (other.start_ns or 0)
