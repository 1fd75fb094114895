"""Whole traces by id: side table to find the commits a trace is in, then those commits' spans only."""

from collections.abc import Iterable, Iterator, Sequence

import duckdb

from storage.duckdb import sql
from storage.duckdb.marks import Marks
from storage.ids import grouping_key
from storage.rows import span_of
from storage.span import Span

Range = tuple[int, int]
"""First and last seq, both inclusive."""

_END_OF_SEQ = 2**63 - 1
_ROWS_WORTH_SKIPPING = 60_000
"""Half a row group: two ranges closer than that are read as one, since a SELECT costs more than such a gap."""
_MAX_RANGES = 64
_RANGES_AT_ONCE = 8
"""Each SELECT of a statement has its own table of the ids and its own buffers: 50 of them took 192 MB."""


def traces_by_key(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes], *, strict: bool
) -> dict[bytes, list[Span]]:
    """The spans of each trace that exists, in the order they were written. Keys are `grouping_key`s, distinct."""
    if not keys:
        return {}
    traces: dict[bytes, list[Span]] = {}
    for ranges in ranges_of(cursor, marks, keys):
        statement = sql.spans_of_traces(sql.trace_key(strict), len(keys), len(ranges))
        rows = cursor.execute(statement, parameters_of(keys, ranges)).fetchall()
        rows.sort(key=lambda row: row[0])
        for row in rows:
            span = span_of(row[1:])
            traces.setdefault(grouping_key(span.trace_id, strict), []).append(span)
    return traces


def spans_of_rows(cursor: duckdb.DuckDBPyConnection, row_ids: Sequence[int]) -> dict[int, Span]:
    """The spans of these rows that are still held. A row keeps its number within a transaction."""
    rows = cursor.execute(sql.SPANS_OF_ROWS, [list(row_ids)]).fetchall()
    return {row[0]: span_of(row[1:]) for row in rows}


def ranges_of(cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes]) -> Iterator[list[Range]]:
    """Where the traces of these grouping keys may have spans: what upkeep noted, and all that came after it.

    In order, as many at a time as one statement should ask for.
    """
    lows = [int.from_bytes(key[-8:], "big") for key in keys]
    tail = (marks.watermark + 1, _END_OF_SEQ)
    gap = max(1, int(_ROWS_WORTH_SKIPPING / marks.spans_per_commit))
    noted = cursor.execute(sql.trace_ranges(lows)).fetchall()
    ranges = merged([tail, *noted], gap)
    while len(ranges) > _MAX_RANGES:
        gap *= 2
        ranges = merged(ranges, gap)
    for first in range(0, len(ranges), _RANGES_AT_ONCE):
        yield ranges[first : first + _RANGES_AT_ONCE]


def parameters_of(keys: Sequence[bytes], ranges: Sequence[Range]) -> list[bytes | int]:
    """The parameters of a statement about traces and ranges, in their order."""
    return [*keys, *(seq for bounds in ranges for seq in bounds)]


def merged(ranges: Iterable[Range], gap: int) -> list[Range]:
    """The same ranges in order, those no more than `gap` apart joined; never two that overlap."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
