"""Calls between services, summed up by the second, the minute and the hour of their traces' timestamps.

What commits or retention change is appended to `recent_links`, negative where calls went; when that is long it is
settled: summed up into `link_seconds` and `link_minutes`, in runs sorted by time, and merged into `link_hours`. A
month is read in hours but for its ends; seconds are kept as at 50,000 spans/s the minute in which a window begins has
three million spans, which nobody wants to wait for. All of it changes in one
transaction with `linked.seq`, the last commit that the sums know, so they are true for exactly the spans held of the
commits up to there.

A trace that keeps growing (a client that uses one id for all it does) would be linked anew in every round. Once it is
large it is taken out of the sums and noted in `set_aside`: whoever asks links it then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from storage.duckdb import graph_sums
from storage.duckdb.time_parts import Level, parts_read, union_of
from storage.duckdb.trace_slices import Asked, TraceSlice, whole_traces
from storage.linking.change import traces_larger_before, without_traces
from storage.linking.graph_change import change_of_sums
from storage.linking.graph_table import MINUTE_CALLS
from storage.linking.linker import Call
from storage.linking.table import BUCKET_CALLS, RULES

SECOND_NS = 10**9
_MINUTE_S = 60
_HOUR_S = 3600
SETTLED_ROWS = 200_000
"""Every question reads all recent rows: 5 ms for this many."""
RELINKED_SPANS = 10_000
"""A larger trace is set aside when it changes: linking it takes 10 ms, ten times that if its spans are repeated."""

_STATE = "SELECT seq, rules FROM linked"
_SET_STATE = "UPDATE linked SET seq = $1, rules = $2"
_TABLES = ("recent_links", "link_seconds", "link_minutes", "link_hours", "set_aside", *graph_sums.TABLES)

_ADD = """
INSERT INTO recent_links
SELECT bucket, parent, child, sum(calls), sum(errors) FROM change GROUP BY ALL
HAVING sum(calls) <> 0 OR sum(errors) <> 0
"""
_SET_ASIDE = "INSERT INTO set_aside SELECT trace_low FROM temp.asked WHERE rowid = ANY($1::BIGINT[])"
_TAKE_BACK = """
DELETE FROM set_aside
WHERE trace_low NOT IN (SELECT trace_low FROM traces UNION ALL SELECT trace_low FROM recent_traces)
"""
_COUNT_RECENT = "SELECT count(*) FROM recent_links"

_ADD_RUN = """
INSERT INTO {table}
SELECT floor(second / {length_s})::BIGINT AS bucket, parent, child, sum(calls), sum(errors) FROM recent_links
GROUP BY ALL HAVING sum(calls) <> 0 OR sum(errors) <> 0 ORDER BY bucket
"""
_FORGET_EMPTY = """
-- No count of a bucket is negative, so a bucket without calls has none between any two services.
DELETE FROM {table} WHERE {bucket} IN (
    SELECT {bucket} FROM {table}
    WHERE {bucket} BETWEEN (SELECT floor(min(second) / {length_s}) FROM recent_links WHERE calls < 0)
                       AND (SELECT floor(max(second) / {length_s}) FROM recent_links WHERE calls < 0)
    GROUP BY {bucket} HAVING sum(calls) = 0)
"""
_SECONDS = {"table": "link_seconds", "bucket": "second", "length_s": 1}
_MINUTES = {"table": "link_minutes", "bucket": "minute", "length_s": _MINUTE_S}

_SETTLE = (
    *(statement.format(**table) for table in (_SECONDS, _MINUTES) for statement in (_ADD_RUN, _FORGET_EMPTY)),
    """
    CREATE TEMP TABLE merged_hours AS
    WITH recent AS (SELECT floor(second / 3600)::BIGINT AS hour, parent, child, calls, errors FROM recent_links)
    SELECT hour, parent, child, sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors FROM (
        SELECT * FROM recent UNION ALL SELECT * FROM link_hours WHERE hour IN (SELECT hour FROM recent)
    ) GROUP BY ALL HAVING sum(calls) <> 0 OR sum(errors) <> 0
    """,
    "DELETE FROM link_hours WHERE hour IN (SELECT floor(second / 3600)::BIGINT FROM recent_links)",
    "INSERT INTO link_hours SELECT * FROM merged_hours ORDER BY hour",
    "DROP TABLE temp.merged_hours",
    "DELETE FROM recent_links",
)

_SUM = "SELECT parent, child, sum(calls)::BIGINT, sum(errors)::BIGINT FROM ({parts}) GROUP BY ALL"
_LEVELS = (
    Level("link_seconds", "second", 1),
    Level("link_minutes", "minute", _MINUTE_S),
    Level("link_hours", "hour", _HOUR_S),
)


@dataclass(frozen=True, slots=True)
class LinkedState:
    """The one row of `linked`. seq: the sums are true for all spans held up to this commit, by these rules."""

    seq: int
    rules: int

    @classmethod
    def read(cls, cursor: duckdb.DuckDBPyConnection) -> "LinkedState":
        """As it is in this transaction."""
        (row,) = cursor.execute(_STATE).fetchall()
        return cls(*row)


def sums_between(cursor: duckdb.DuckDBPyConnection, seconds: range) -> Counter[Call]:
    """The calls that the sums hold of the traces of these seconds since the epoch."""
    if not seconds:
        return Counter()
    parts, bounds = union_of(parts_read(cursor, seconds, "recent_links", _LEVELS), "parent, child")
    calls: Counter[Call] = Counter()
    for parent, child, times, errors in cursor.execute(_SUM.format(parts=parts), bounds).fetchall():
        calls[Call(parent, child, True)] += errors
        calls[Call(parent, child, False)] += times - errors
    return calls


def forget_sums_of_other_rules(cursor: duckdb.DuckDBPyConnection) -> None:
    """Begin anew when the sums were made by other rules than this clew's; in a transaction of its own."""
    if LinkedState.read(cursor).rules == RULES:
        return
    cursor.begin()
    for table in _TABLES:
        cursor.execute(f"DELETE FROM {table}")
    cursor.execute(_SET_STATE, [0, RULES])
    cursor.commit()


def count_commits(cursor: duckdb.DuckDBPyConnection, after: int, upto: int) -> pa.Table:
    """Add the commits (after, upto] to the sums, which know those up to `after`. In the caller's transaction.

    Returns by how much the calls of the service graph changed, as MINUTE_CALLS, several rows a key.
    """
    asked = Asked(
        spans="SELECT trace_id, false AS late FROM spans WHERE seq > $after AND seq <= $upto",
        before="seq <= $after",
        after="seq <= $upto",
        counted_seq=after,
        spans_values={"after": after, "upto": upto},
        read_values={"after": after, "upto": upto},
        with_set_aside=False,
    )
    slices = whole_traces(cursor, asked)
    change = _add(cursor, (_with_large_set_aside(cursor, part) for part in slices))
    cursor.execute(_SET_STATE, [upto, RULES])
    return change


def discount_spans(cursor: duckdb.DuckDBPyConnection, condition: str, values: Mapping[str, int]) -> None:
    """Take the spans that meet the SQL condition out of the sums; in the transaction that drops them, before that."""
    seq = LinkedState.read(cursor).seq
    known = {**values, "counted_seq": seq}
    asked = Asked(
        spans=f"SELECT trace_id, false AS late FROM spans WHERE {condition} AND seq <= $counted_seq",
        before="seq <= $counted_seq",
        after=f"seq <= $counted_seq AND NOT ({condition})",
        counted_seq=seq,
        spans_values=known,
        read_values=known,
        with_set_aside=False,
    )
    _add(cursor, whole_traces(cursor, asked))


def take_dropped_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """Forget that traces were set aside of which nothing is held any more, after `traces` forgot them."""
    cursor.execute(_TAKE_BACK)


def _with_large_set_aside(cursor: duckdb.DuckDBPyConnection, part: TraceSlice) -> TraceSlice:
    large = traces_larger_before(part.spans, RELINKED_SPANS)
    if not large.size:
        return part
    cursor.execute(_SET_ASIDE, [(large + part.first_trace).tolist()])
    return part._replace(spans=without_traces(part.spans, large))


def _add(cursor: duckdb.DuckDBPyConnection, slices: Iterable[TraceSlice]) -> pa.Table:
    """Add the change that each slice shows, to the sums of the service graph, too; by how much those changed."""
    changes = [change_of_sums(part.spans, SECOND_NS, part.describe) for part in slices]
    graph_sums.add(cursor, [change.graph for change in changes])
    # The statement finds `change` by this name.
    change = pa.concat_tables([BUCKET_CALLS.empty_table(), *(change.links for change in changes)])
    if change.num_rows:
        cursor.execute(_ADD)
    (recent,) = cursor.execute(_COUNT_RECENT).fetchall()[0]
    if recent >= SETTLED_ROWS:
        for statement in _SETTLE:
            cursor.execute(statement)
    return pa.concat_tables([MINUTE_CALLS.empty_table(), *(change.graph for change in changes)])
