"""Sums of the calls of whole buckets of time, kept under the state of the bucket that they are true of.

Nothing is ever changed: upkeep adds sums, under a number of their own, and names them in `summed_buckets` when they are
there. A reader takes those whose state is that of the bucket now, so that nobody waits for anybody, several processes
may sum up one bucket, and a span that comes late makes the sums of its bucket those of nothing any more.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import pyarrow as pa

from storage.clickhouse import sql
from storage.clickhouse.bucket_states import BucketState, states_of
from storage.clickhouse.candidates import bucket_of
from storage.clickhouse.connection import Connection, Values
from storage.clickhouse.whole_traces import Window, graph_table
from storage.linking.graph import MINUTE_NS
from storage.linking.graph_table import GRAPH_CALLS, MINUTE_CALLS, Sums, sums_of_table
from storage.linking.rows import trace_timestamps
from storage.linking.table import BUCKET_CALLS

_SUMMED = """
SELECT bucket, state, made, link_rows, graph_rows FROM summed_buckets
WHERE bucket BETWEEN {first:Int32} AND {last:Int32}
"""
_LINKS = """
SELECT parent, child, sum(calls) AS calls, sum(errors) AS errors, count() AS rows FROM link_sums
WHERE bucket BETWEEN {{first:Int32}} AND {{last:Int32}} AND made IN ({made}) GROUP BY parent, child
"""
_GRAPH = """
SELECT parent, parent_kind, child, child_kind, latency, sum(calls) AS calls, sum(errors) AS errors, count() AS rows
FROM graph_sums WHERE bucket BETWEEN {{first:Int32}} AND {{last:Int32}} AND made IN ({made})
GROUP BY parent, parent_kind, child, child_kind, latency
"""
_LAST_BUCKET = bucket_of(2**63 - 1)
_MINUTES = sql.BUCKET_NS // MINUTE_NS
LINK_CALLS = pa.schema([field for field in BUCKET_CALLS if field.name != "bucket"])


class Summed(NamedTuple):
    """The sums of one bucket. made: their number. link_rows, graph_rows: how many rows have it."""

    made: int
    link_rows: int
    graph_rows: int


class SumsOfWindow(NamedTuple):
    """calls: of some buckets, LINK_CALLS or GRAPH_CALLS. rest: the parts of the window that they leave, in order."""

    calls: pa.Table
    rest: Sequence[Window]


def links_of(connection: Connection, asked: Window) -> SumsOfWindow:
    """What is kept of the links of a window."""
    return _kept_of(connection, asked, _LINKS, LINK_CALLS, lambda summed: summed.link_rows)


def graph_calls_of(connection: Connection, asked: Window) -> SumsOfWindow:
    """What is kept of the service graph of a window."""
    return _kept_of(connection, asked, _GRAPH, GRAPH_CALLS, lambda summed: summed.graph_rows)


def summed_of(connection: Connection, states: Mapping[int, BucketState]) -> dict[int, Summed]:
    """The sums of those of the buckets that have some for their state."""
    return _true_of(states, _summed_between(connection, min(states), max(states))) if states else {}


def sums_of(connection: Connection, windows: Sequence[Window]) -> Sums:
    """The calls of the traces with timestamps in windows of whole buckets, by bucket: links and service graph.

    links: BUCKET_CALLS. graph: MINUTE_CALLS whose `minute` is the bucket.
    """
    found = [_of_minutes(connection, window) for window in windows]
    links = pa.concat_tables([BUCKET_CALLS.empty_table(), *(sums.links for sums in found)])
    graph = pa.concat_tables([MINUTE_CALLS.empty_table(), *(sums.graph for sums in found)])
    return Sums(_by_bucket(links), _by_bucket(graph))


def keep(
    connection: Connection,
    states: Mapping[int, BucketState],
    sums: Sums,
    made_ns: int,
    settings: Values,
) -> None:
    """Keep the sums of the buckets, which `sums_of` found, under their states. settings: of the inserts."""
    made = {bucket: uuid4().int >> 64 for bucket in states}
    held = []
    for table, calls in (("link_sums", sums.links), ("graph_sums", sums.graph)):
        rows = _made(calls.rename_columns(["bucket", *calls.column_names[1:]]), made, made_ns)
        if rows.num_rows:
            connection.insert(table, rows, settings)
        held.append(np.unique(rows["bucket"].to_numpy(), return_counts=True))
    counts = [dict(zip(buckets.tolist(), rows.tolist(), strict=True)) for buckets, rows in held]
    columns = {
        "bucket": pa.array(states, pa.int32()),
        "made": pa.array(made.values(), pa.uint64()),
        "made_ns": pa.array([made_ns] * len(states), pa.int64()),
        "state": pa.array([state.key for state in states.values()], pa.binary(16)),
        "link_rows": pa.array([counts[0].get(bucket, 0) for bucket in states], pa.uint64()),
        "graph_rows": pa.array([counts[1].get(bucket, 0) for bucket in states], pa.uint64()),
    }
    connection.insert("summed_buckets", pa.table(columns), settings)


def _kept_of(
    connection: Connection, asked: Window, statement: str, schema: pa.Schema, rows_of: Callable[[Summed], int]
) -> SumsOfWindow:
    first, end = max(-(-asked[0] // sql.BUCKET_NS), 1), min((asked[1] + 1) // sql.BUCKET_NS, _LAST_BUCKET)
    rows = _summed_between(connection, first, end - 1) if first < end else []
    summed = _true_of(states_of(connection, {row[0] for row in rows}), rows)
    nothing = SumsOfWindow(schema.empty_table(), [asked])
    if not summed:
        return nothing
    numbers = ", ".join(str(each.made) for each in summed.values())
    found = connection.table(statement.format(made=numbers), {"first": min(summed), "last": max(summed)})
    # A replica may not have all of them yet.
    if sum(found["rows"].to_pylist()) != sum(map(rows_of, summed.values())):
        return nothing
    return SumsOfWindow(found.drop_columns("rows").cast(schema), list(_rest(asked, sorted(summed))))


def _summed_between(connection: Connection, first: int, last: int) -> Sequence[Sequence[Any]]:
    return connection.rows(_SUMMED, {"first": first, "last": last})


def _true_of(states: Mapping[int, BucketState], rows: Sequence[Sequence[Any]]) -> dict[int, Summed]:
    """Of the rows of `summed_buckets` one for each bucket that is in that state."""
    return {
        bucket: Summed(*summed) for bucket, state, *summed in rows if bucket in states and state == states[bucket].key
    }


def _rest(asked: Window, buckets: Sequence[int]) -> Sequence[Window]:
    """What rising buckets, all within a window, leave of it."""
    begins = [asked[0], *((bucket + 1) * sql.BUCKET_NS for bucket in buckets)]
    ends = [*(bucket * sql.BUCKET_NS - 1 for bucket in buckets), asked[1]]
    return [(begin_ns, end_ns) for begin_ns, end_ns in zip(begins, ends, strict=True) if begin_ns <= end_ns]


def _of_minutes(connection: Connection, window: Window) -> Sums:
    """The calls of the traces with timestamps in the window, by minute."""
    traces = graph_table(connection, window)
    if not traces.spans.num_rows:
        return Sums(BUCKET_CALLS.empty_table(), MINUTE_CALLS.empty_table())
    timestamp_ns, known = trace_timestamps(traces.spans)
    within = known & (timestamp_ns >= window[0]) & (timestamp_ns <= window[1])
    rows = np.flatnonzero(within[traces.spans["trace"].to_numpy()])
    return sums_of_table(traces.spans.take(pa.array(rows)), MINUTE_NS, lambda wanted: traces.describe(rows[wanted]))


def _by_bucket(calls: pa.Table) -> pa.Table:
    """Calls by minute, by bucket; the first column is the one or the other."""
    name = calls.column_names[0]
    buckets = pa.array(calls[name].to_numpy() // _MINUTES, pa.int64())
    keys = [each for each in calls.column_names if each not in ("calls", "errors")]
    grouped = calls.set_column(0, name, buckets).group_by(keys).aggregate([("calls", "sum"), ("errors", "sum")])
    return grouped.rename_columns(calls.column_names)


def _made(calls: pa.Table, made: Mapping[int, int], made_ns: int) -> pa.Table:
    """With the number of their bucket's sums."""
    buckets = calls["bucket"].to_numpy()
    numbers = pa.array([made[bucket] for bucket in buckets.tolist()], pa.uint64())
    times = pa.array(np.full(len(buckets), made_ns, np.int64))
    calls = calls.set_column(0, "bucket", calls["bucket"].cast(pa.int32()))
    return calls.append_column("made", numbers).append_column("made_ns", times)
