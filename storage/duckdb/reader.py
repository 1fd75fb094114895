"""Whole traces by id: side table to find the commits a trace is in, then those commits' spans only."""

from collections.abc import Iterable, Sequence

import duckdb

from storage.duckdb import sql
from storage.duckdb.marks import Marks
from storage.ids import TraceId, low_half
from storage.rows import span_of
from storage.span import Span

Range = tuple[int, int]
"""First and last seq, both inclusive."""

_END_OF_SEQ = 2**63 - 1
_ROWS_WORTH_SKIPPING = 60_000
"""Half a row group: two ranges closer than that are read as one, since a SELECT costs more than such a gap."""
_MAX_RANGES = 64


def grouping_key(trace_id: TraceId, strict: bool) -> bytes:
    """What spans are gathered into traces by: the whole trace id, or its low 64 bits."""
    return trace_id if strict else low_half(trace_id)


def traces_by_key(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes], *, strict: bool
) -> dict[bytes, list[Span]]:
    """The spans of each trace that exists, in the order they were written. Keys are `grouping_key`s, distinct."""
    if not keys:
        return {}
    ranges = ranges_of(cursor, marks, keys)
    statement = sql.spans_of_traces(sql.TRACE_ID if strict else sql.TRACE_ID_LOW, len(keys), len(ranges))
    parameters = [*keys, *(seq for bounds in ranges for seq in bounds)]
    rows = cursor.execute(statement, parameters).fetchall()
    rows.sort(key=lambda row: row[0])
    traces: dict[bytes, list[Span]] = {}
    for row in rows:
        span = span_of(row[1:])
        traces.setdefault(grouping_key(span.trace_id, strict), []).append(span)
    return traces


def ranges_of(cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes]) -> list[Range]:
    """Where the traces of these grouping keys may have spans: what upkeep noted, and all that came after it."""
    lows = [int.from_bytes(key[-8:], "big") for key in keys]
    tail = (marks.watermark + 1, _END_OF_SEQ)
    gap = max(1, int(_ROWS_WORTH_SKIPPING / marks.spans_per_commit))
    noted = cursor.execute(sql.trace_ranges(lows)).fetchall()
    ranges = merged([tail, *noted], gap)
    while len(ranges) > _MAX_RANGES:
        gap *= 2
        ranges = merged(ranges, gap)
    return ranges


def merged(ranges: Iterable[Range], gap: int) -> list[Range]:
    """The same ranges in order, those no more than `gap` apart joined; never two that overlap."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined
