"""The newest traces that have a span which meets some conditions, without reading spans.

Sorting the newest few hundred rows is cheap. For more, DuckDB would keep a heap into which nearly every row of a table
that is written by time goes: 15,000 of 10 million took 1.6 s. So beyond the first rows traces are grouped within
windows of time, which zone maps prune, ever longer ones and each of the time before the last.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import duckdb
import sqlalchemy as sa

from storage.duckdb import sql
from storage.duckdb.candidates import started_within
from storage.duckdb.reader import Place
from storage.ids import TraceId, grouping_key
from storage.requests import TraceQuery
from storage.span_conditions import Condition

_ROWS_PER_TRACE = 3
_MIN_ROWS = 64
"""Not 50 or fewer: for those DuckDB reads all but the sorted column by row ids, for 13 ms more in 26 million spans."""
_MAX_ROWS = 1_000
_GROWTH = 8
_SPAN = sql.SPANS.c
_ROW_ID: sa.ColumnElement[int] = sa.literal_column("rowid", sa.BigInteger)


class NewestSpan(NamedTuple):
    """A trace by its grouping key, and of its spans that meet the conditions the one that starts last."""

    key: bytes
    place: Place
    start_ns: int


def newest_spans(
    cursor: duckdb.DuckDBPyConnection, conditions: Sequence[Condition], query: TraceQuery, *, strict: bool
) -> list[NewestSpan]:
    """At most `query.limit` traces, newest first, with a span that meets the conditions and starts when asked."""
    found: dict[bytes, NewestSpan] = {}
    for candidates in _windows(cursor, conditions, query, strict):
        for one in candidates:
            found.setdefault(one.key, one)
        if len(found) >= query.limit:
            break
    return list(found.values())[: query.limit]


def _windows(
    cursor: duckdb.DuckDBPyConnection, conditions: Sequence[Condition], query: TraceQuery, strict: bool
) -> Iterator[list[NewestSpan]]:
    """The candidates of ever earlier times, newest first; a trace may come again."""
    size = min(max(_MIN_ROWS, _ROWS_PER_TRACE * query.limit), _MAX_ROWS)
    rows = _newest_rows(cursor, conditions, query, size, strict)
    yield rows
    if len(rows) < size:
        return
    # Others may start with the last of these rows, which are not all rows of that moment.
    last_ns = rows[-1].start_ns
    traces = len({one.key for one in rows})
    length_ns = max(1, (rows[0].start_ns - last_ns) * _GROWTH * query.limit // traces)
    while last_ns >= query.start_min_ns:
        first_ns = max(query.start_min_ns, last_ns - length_ns)
        yield _newest_traces(cursor, [started_within(first_ns, last_ns), *conditions], query.limit, strict)
        last_ns = first_ns - 1
        length_ns *= _GROWTH


def _newest_rows(
    cursor: duckdb.DuckDBPyConnection, conditions: Sequence[Condition], query: TraceQuery, rows: int, strict: bool
) -> list[NewestSpan]:
    window = started_within(query.start_min_ns, query.start_max_ns)
    statement = (
        sa.select(_SPAN.trace_id, _ROW_ID, _SPAN.seq, _SPAN.start_ns)
        .where(window, *conditions)
        .order_by(_SPAN.start_ns.desc())
        .limit(rows)
    )
    return [
        NewestSpan(grouping_key(TraceId(trace_id), strict), (row_id, seq), start_ns)
        for trace_id, row_id, seq, start_ns in _all(cursor, statement)
    ]


def _newest_traces(
    cursor: duckdb.DuckDBPyConnection, conditions: Sequence[Condition], limit: int, strict: bool
) -> list[NewestSpan]:
    key = _SPAN.trace_id if strict else sa.func.array_slice(_SPAN.trace_id, 9, 16, type_=sa.LargeBinary)
    newest = sa.func.max(_SPAN.start_ns, type_=sa.BigInteger)
    row = sa.func.arg_max(sa.func.row(_ROW_ID, _SPAN.seq), _SPAN.start_ns)
    statement = sa.select(key, row, newest).where(*conditions).group_by(key).order_by(newest.desc()).limit(limit)
    return [NewestSpan(key, row, start_ns) for key, row, start_ns in _all(cursor, statement)]


def _all(cursor: duckdb.DuckDBPyConnection, statement: sa.Select[tuple[object, ...]]) -> list[tuple[Any, ...]]:
    return cursor.execute(*sql.compiled(statement)).fetchall()
