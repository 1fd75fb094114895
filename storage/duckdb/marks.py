"""What the threads of one store tell each other. Each field is written by one thread and read by any."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb

from storage.duckdb.trace_runs import TraceRun

_UNKNOWN_SPANS_PER_COMMIT = 1.0


@dataclass(slots=True)
class Marks:
    """watermark: the last seq that the side tables know; a reader that sees an old one only reads a longer tail.

    spans_per_commit: the mean of all spans held; tells a reader how many rows lie in a range of seq.
    complete_tag_keys: the autocomplete keys whose values are rolled up to the watermark.
    trace_runs: the runs of `traces`, oldest first, but perhaps for the latest.
    """

    watermark: int = 0
    spans_per_commit: float = _UNKNOWN_SPANS_PER_COMMIT
    complete_tag_keys: frozenset[str] = frozenset()
    trace_runs: tuple[TraceRun, ...] = ()


@contextmanager
def snapshot(cursor: duckdb.DuckDBPyConnection, marks: Marks) -> Iterator[Marks]:
    """A transaction for reads of one moment, in which rows keep their numbers, and the marks as they were before it.

    Later marks would tell of side tables that the transaction does not see.
    """
    known = replace(marks)
    cursor.begin()
    try:
        yield known
    finally:
        cursor.rollback()
