"""Calls of the service graph, summed up by the minute, the hour and the day of their traces' timestamps.

Kept as `link_sums` keeps those of links, at the same commits and in the same transactions: what commits or retention
change goes to `recent_edges`, negative where calls went; when that is long it is settled into `edge_minutes`, in runs
sorted by time, and merged into `edge_hours` and `edge_days`. Each row counts the calls between two nodes whose
durations are in one bucket, so a month would be some million rows in hours; in days it is as many as two days are in
hours. There are no seconds: the service graph is one of whole minutes.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from storage.duckdb.time_parts import Level, parts_of, union_of
from storage.linking.graph_table import GRAPH_CALLS, MINUTE_CALLS

TABLES = ("recent_edges", "edge_minutes", "edge_hours", "edge_days")
SETTLED_ROWS = 200_000
"""Every question reads all recent rows: 10 ms for this many."""
_HOUR_MINUTES = 60
_DAY_HOURS = 24
_DAY_MINUTES = _DAY_HOURS * _HOUR_MINUTES

_KEY = "parent, parent_kind, child, child_kind, latency"
_SUMS = "sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors"
_SOME = "HAVING sum(calls) <> 0 OR sum(errors) <> 0"

_ADD = f"INSERT INTO recent_edges SELECT minute, {_KEY}, {_SUMS} FROM change GROUP BY ALL {_SOME}"
_COUNT_RECENT = "SELECT count(*) FROM recent_edges"


def _merged(table: str, bucket: str, minutes: int) -> tuple[str, ...]:
    """Add the recent rows to buckets of so many minutes, each of which keeps one row a key."""
    recent = f"SELECT floor(minute / {minutes})::BIGINT AS {bucket}, {_KEY}, calls, errors FROM recent_edges"
    touched = f"SELECT floor(minute / {minutes})::BIGINT FROM recent_edges"
    return (
        f"CREATE TEMP TABLE merged AS SELECT {bucket}, {_KEY}, {_SUMS} FROM ({recent} UNION ALL"
        f" SELECT {bucket}, {_KEY}, calls, errors FROM {table} WHERE {bucket} IN ({touched})) GROUP BY ALL {_SOME}",
        f"DELETE FROM {table} WHERE {bucket} IN ({touched})",
        f"INSERT INTO {table} SELECT * FROM merged ORDER BY {bucket}",
        "DROP TABLE temp.merged",
    )


_SETTLE = (
    f"INSERT INTO edge_minutes SELECT minute, {_KEY}, {_SUMS} FROM recent_edges GROUP BY ALL {_SOME} ORDER BY minute",
    """
    -- No count of a minute is negative, so a minute without calls has none between any two nodes.
    DELETE FROM edge_minutes WHERE minute IN (
        SELECT minute FROM edge_minutes
        WHERE minute BETWEEN (SELECT min(minute) FROM recent_edges WHERE calls < 0)
                         AND (SELECT max(minute) FROM recent_edges WHERE calls < 0)
        GROUP BY minute HAVING sum(calls) = 0)
    """,
    *_merged("edge_hours", "hour", _HOUR_MINUTES),
    *_merged("edge_days", "day", _DAY_MINUTES),
    "DELETE FROM recent_edges",
)

_LEVELS = (
    Level("edge_minutes", "minute", 1),
    Level("edge_hours", "hour", _HOUR_MINUTES),
    Level("edge_days", "day", _DAY_MINUTES),
)
_SUM = f"SELECT {_KEY}, {_SUMS} FROM ({{parts}}) GROUP BY ALL {_SOME}"


def add(cursor: duckdb.DuckDBPyConnection, changes: Sequence[pa.Table]) -> None:
    """Add MINUTE_CALLS to the sums, in the caller's transaction. Who empties them: `link_sums`, with its own."""
    # The statement finds `change` by this name.
    change = pa.concat_tables([MINUTE_CALLS.empty_table(), *changes])
    if change.num_rows:
        cursor.execute(_ADD)
    del change
    (recent,) = cursor.execute(_COUNT_RECENT).fetchall()[0]
    if recent >= SETTLED_ROWS:
        for statement in _SETTLE:
            cursor.execute(statement)


def sums_between(cursor: duckdb.DuckDBPyConnection, minutes: range) -> pa.Table:
    """GRAPH_CALLS that the sums hold of the traces of these minutes since the epoch, one row a pair and bucket."""
    if not minutes:
        return GRAPH_CALLS.empty_table()
    parts, bounds = union_of(parts_of(minutes, "recent_edges", _LEVELS), f"{_KEY}, calls, errors")
    found = cursor.execute(_SUM.format(parts=parts), bounds).to_arrow_table()
    return found.cast(GRAPH_CALLS)
