"""The dependency graph of a time window: sums that upkeep keeps, and linking of what they do not cover.

The sums (`link_sums`) hold the calls of whole seconds, true for all commits up to `linked.seq`. Asked at a moment, the
graph is the sum of the whole seconds, plus what the traces of the cut seconds at the window's ends show, plus what
later commits changed: their traces as they are, less what the sums hold of them.
"""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb
import pyarrow as pa

from storage.duckdb.beyond_sums import beyond_sums
from storage.duckdb.link_sums import SECOND_NS, sums_between
from storage.duckdb.trace_slices import SLICE_SPANS, whole_traces
from storage.linking.change import Window, change_within
from storage.linking.linker import Call, summed
from storage.requests import DependencyLink


def links(
    cursor: duckdb.DuckDBPyConnection, start_ns: int, end_ns: int, *, slice_spans: int = SLICE_SPANS
) -> list[DependencyLink]:
    """SpanReader.dependencies of the store behind `cursor`, as of the moment of the call.

    The cursor must be idle, and is in no transaction before and after. slice_spans: as in `whole_traces`.
    Raises what DuckDB raises.
    """
    cursor.begin()
    try:
        beyond = beyond_sums(cursor, (start_ns, end_ns), SECOND_NS)
        calls = sums_between(cursor, beyond.summed)
        slices = whole_traces(cursor, beyond.asked, slice_spans=slice_spans)
        calls.update(_change((part.spans for part in slices), beyond.counted, (start_ns, end_ns)))
        return summed((call, times) for call, times in calls.items() if times)
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()


def _change(tables: Iterable[pa.Table], counted: Window, asked: Window) -> Counter[Call]:
    """The change that all slices show; while one is linked the next is read, which halves the time on two cores."""
    change: Counter[Call] = Counter()
    with ThreadPoolExecutor(1, "link") as thread:
        before: Future[Counter[Call]] | None = None
        for table in tables:
            if before:
                change.update(before.result())
            before = thread.submit(change_within, table, counted, asked)
        if before:
            change.update(before.result())
    return change
