"""Calls of the service graph, summed up by the minute, the hour and the day of their traces' timestamps.

Kept as `link_sums` keeps those of links, at the same commits and in the same transactions: what commits or retention
change goes to `recent_edges`, negative where calls went; when that is long it is settled into `edge_minutes`, in runs
sorted by time, and merged into `edge_hours` and `edge_days`. Each row counts the calls of one edge whose durations are
in one bucket, so a month would be some million rows in hours; in days it is as many as a day or two are in hours. There
are no seconds: the service graph is one of whole minutes. `edges` numbers the pairs of nodes, for sums are added up by
number three times as fast as by names.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from storage.duckdb.time_parts import Level, parts_read, union_of
from storage.latency_buckets import BUCKETS
from storage.linking.graph_rows import UNKNOWN
from storage.linking.graph_table import GRAPH_CALLS, MINUTE_CALLS
from storage.linking.row_index import Ints

TABLES = ("recent_edges", "edge_minutes", "edge_hours", "edge_days", "edges")
SETTLED_ROWS = 200_000
"""Every question reads all recent rows: 5 ms for this many."""
_HOUR_MINUTES = 60
_DAY_HOURS = 24
_DAY_MINUTES = _DAY_HOURS * _HOUR_MINUTES

_SUMS = "sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors"
_SOME = "HAVING sum(calls) <> 0 OR sum(errors) <> 0"

_ADD = f"INSERT INTO recent_edges SELECT minute, edge, latency, {_SUMS} FROM change GROUP BY ALL {_SOME}"
_COUNT_RECENT = "SELECT count(*) FROM recent_edges"

_PAIR = ("parent", "parent_kind", "child", "child_kind")
_NUMBER_NEW = f"""
INSERT INTO edges
SELECT coalesce((SELECT max(edge) FROM edges), 0) + row_number() OVER (), {", ".join(_PAIR)}
FROM pairs ANTI JOIN edges USING ({", ".join(_PAIR)})
"""
_NUMBERS = f"SELECT place, edge FROM pairs JOIN edges USING ({', '.join(_PAIR)})"


def _merged(table: str, bucket: str, minutes: int) -> tuple[str, ...]:
    """Add the recent rows to buckets of so many minutes, each with one row an edge and bucket of durations."""
    recent = f"SELECT floor(minute / {minutes})::BIGINT AS {bucket}, edge, latency, calls, errors FROM recent_edges"
    touched = f"SELECT floor(minute / {minutes})::BIGINT FROM recent_edges"
    return (
        f"CREATE TEMP TABLE merged AS SELECT {bucket}, edge, latency, {_SUMS} FROM ({recent} UNION ALL"
        f" SELECT * FROM {table} WHERE {bucket} IN ({touched})) GROUP BY ALL {_SOME}",
        f"DELETE FROM {table} WHERE {bucket} IN ({touched})",
        f"INSERT INTO {table} SELECT * FROM merged ORDER BY {bucket}",
        "DROP TABLE temp.merged",
    )


_ANY_LESS = "SELECT count(*) > 0 FROM recent_edges WHERE calls < 0"
_FORGET_EMPTY = (
    """
    -- No count of a minute is negative, so a minute without calls has none between any two nodes.
    DELETE FROM edge_minutes WHERE minute IN (
        SELECT minute FROM edge_minutes
        WHERE minute BETWEEN (SELECT min(minute) FROM recent_edges WHERE calls < 0)
                         AND (SELECT max(minute) FROM recent_edges WHERE calls < 0)
        GROUP BY minute HAVING sum(calls) = 0)
    """,
    "DELETE FROM edges WHERE edge NOT IN (SELECT edge FROM edge_days)",
)
"""Of the minutes there may stay rows of a forgotten edge which add up to none, whatever takes its number."""
_SETTLE = (
    f"INSERT INTO edge_minutes SELECT minute, edge, latency, {_SUMS} FROM recent_edges GROUP BY ALL {_SOME}"
    " ORDER BY minute",
    *_merged("edge_hours", "hour", _HOUR_MINUTES),
    *_merged("edge_days", "day", _DAY_MINUTES),
)
_CLEAR_RECENT = "DELETE FROM recent_edges"

_LEVELS = (
    Level("edge_minutes", "minute", 1),
    Level("edge_hours", "hour", _HOUR_MINUTES),
    Level("edge_days", "day", _DAY_MINUTES),
)
_CELLS = BUCKETS - UNKNOWN
"""Of an edge: a cell for each bucket that `latency` names, from UNKNOWN on."""
_DENSE_EDGES = 8192
"""Up to so many edges have all their cells in memory, 12 KB each."""
_EDGES = f"SELECT edge, {', '.join(_PAIR)} FROM edges ORDER BY edge"
_SUM = f"SELECT edge::BIGINT * {_CELLS} + latency - {UNKNOWN} AS cell, {_SUMS} FROM ({{parts}}) GROUP BY ALL {_SOME}"
_ROWS = f"SELECT edge::BIGINT * {_CELLS} + latency - {UNKNOWN} AS cell, calls, errors FROM ({{parts}})"
_ROWS_AT_ONCE = 122_880


def add(cursor: duckdb.DuckDBPyConnection, changes: Sequence[pa.Table]) -> None:
    """Add MINUTE_CALLS to the sums, in the caller's transaction. Who empties them: `link_sums`, with its own."""
    calls = pa.concat_tables([MINUTE_CALLS.empty_table(), *changes]).combine_chunks()
    if calls.num_rows:
        # The statement finds `change` by this name.
        change = calls.select(["minute", "latency", "calls", "errors"]).append_column(
            "edge", pa.array(_edge_numbers(cursor, calls))
        )
        cursor.execute(_ADD)
        del change
    (recent,) = cursor.execute(_COUNT_RECENT).fetchall()[0]
    if recent >= SETTLED_ROWS:
        _settle(cursor)


def _settle(cursor: duckdb.DuckDBPyConnection) -> None:
    ((any_less,),) = cursor.execute(_ANY_LESS).fetchall()
    for statement in (*_SETTLE, *(_FORGET_EMPTY if any_less else ()), _CLEAR_RECENT):
        cursor.execute(statement)


def _edge_numbers(cursor: duckdb.DuckDBPyConnection, calls: pa.Table) -> Ints:
    """The number of each row's edge; pairs of nodes that have none are given one."""
    codes = np.zeros(calls.num_rows, np.int64)
    for name in _PAIR:
        encoded = calls[name].combine_chunks().dictionary_encode()
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    # The statements find `pairs` by this name.
    pairs = calls.select(_PAIR).take(pa.array(first)).append_column("place", pa.array(np.arange(len(first))))
    cursor.execute(_NUMBER_NEW)
    numbers = np.zeros(len(first), np.int64)
    places, edges = cursor.execute(_NUMBERS).fetchnumpy().values()
    numbers[places] = edges
    del pairs
    return numbers[place]


def sums_between(cursor: duckdb.DuckDBPyConnection, minutes: range) -> pa.Table:
    """GRAPH_CALLS that the sums hold of the traces of these minutes since the epoch, one row a pair and bucket."""
    if not minutes:
        return GRAPH_CALLS.empty_table()
    parts, bounds = union_of(parts_read(cursor, minutes, "recent_edges", _LEVELS), "edge, latency")
    edges = cursor.execute(_EDGES).to_arrow_table()
    numbers = edges["edge"].to_numpy()
    if numbers.size and numbers[-1] < _DENSE_EDGES:
        rows = cursor.execute(_ROWS.format(parts=parts), bounds).to_arrow_reader(_ROWS_AT_ONCE)
        cell, *counts = _added_densely(rows, (int(numbers[-1]) + 1) * _CELLS)
    else:
        cell, *counts = cursor.execute(_SUM.format(parts=parts), bounds).fetchnumpy().values()
    edge, latency = np.divmod(cell, _CELLS)
    pairs = edges.select(_PAIR).take(pa.array(np.searchsorted(numbers, edge)))
    return pa.table([*pairs.columns, latency + UNKNOWN, *counts], names=GRAPH_CALLS.names).cast(GRAPH_CALLS)


def _added_densely(rows: pa.RecordBatchReader, cells: int) -> tuple[Ints, Ints, Ints]:
    """The cells that are not empty, with their calls and errors: half the work of grouping in SQL."""
    sums = np.zeros((2, cells), np.int64)
    for batch in rows:
        cell, calls, errors = (column.to_numpy() for column in batch.columns)
        np.add.at(sums[0], cell, calls)
        np.add.at(sums[1], cell, errors)
    some = np.flatnonzero(sums.any(axis=0))
    return some, sums[0, some], sums[1, some]
