"""The questions of the contract suite, short: a query with wide defaults, and answers as trace numbers."""

from collections.abc import Mapping
from typing import Any

from storage.contract import SpanStore
from storage.ids import low_half
from storage.requests import TagFilter, TraceQuery
from storage.span import Span
from tests.builders import DAY, TODAY_NS, exactly


def a_query(*, tags: Mapping[str, str | None] | None = None, **criteria: Any) -> TraceQuery:
    """A query from the day before TODAY_NS to the day after it, at most 100 traces. tags: key -> text or None."""
    filters = tuple(TagFilter(key, text) for key, text in (tags or {}).items())
    window = {"start_min_ns": TODAY_NS - DAY, "start_max_ns": TODAY_NS + DAY, "limit": 100}
    return TraceQuery(**(window | {"tags": filters} | criteria))


def found(store: SpanStore, *, strict: bool = True, **criteria: Any) -> list[int]:
    """The numbers (`builders.a_trace_id`) of the traces that `a_query(**criteria)` finds, in the order they came.

    Asked for whole traces and for ids alone, which must agree (but for the order, which equal starts leave open).
    """
    query = a_query(**criteria)
    numbers = [number_of(trace) for trace in store.find_traces(query, strict=strict)]
    ids = store.find_trace_ids(query, strict=strict)
    assert sorted(int.from_bytes(low_half(trace_id), "big") for trace_id in ids) == sorted(numbers)
    return numbers


def number_of(trace: list[Span]) -> int:
    """The number of the trace, which is the low half of all its ids."""
    (low,) = {low_half(span.trace_id) for span in trace}
    return int.from_bytes(low, "big")


def same_spans(left: list[Span], right: list[Span]) -> bool:
    """Whether both lists hold exactly the same spans, with types, in whatever order."""
    return sorted(map(_sortable, left)) == sorted(map(_sortable, right))


def _sortable(span: Span) -> str:
    return repr(exactly(span))
