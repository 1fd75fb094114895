"""How calls change when spans come and go: what all spans show now, less what those that were counted had shown.

A span that comes late may change what its whole trace shows, and when that was. So a trace that changed is linked
twice, as it was and as it is; traces that only came are linked once.
"""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.linker import Call
from storage.linking.row_index import Ints
from storage.linking.table import BUCKET_CALLS, LINK_TABLE, calls_by_bucket, calls_of_table

CHANGE_TABLE = pa.schema([*LINK_TABLE, pa.field("before", pa.bool_()), pa.field("after", pa.bool_())])
"""LINK_TABLE with the whole traces of both times. before, after: whether the span counts at that time."""

Window = tuple[int, int]
"""Trace timestamps from the first to the last, both inclusive, in epoch nanoseconds; none when the last is less."""


def change_by_bucket(table: pa.Table, bucket_ns: int) -> pa.Table:
    """What to add to the calls of each bucket, as BUCKET_CALLS: negative where there were more before."""
    now = calls_by_bucket(_of_time(table, "after"), bucket_ns)
    past = calls_by_bucket(_of_time(table, "before"), bucket_ns)
    for name in ("calls", "errors"):
        at = BUCKET_CALLS.get_field_index(name)
        past = past.set_column(at, BUCKET_CALLS.field(name), pc.negate(past[name]))
    return pa.concat_tables([now, past])


def change_within(table: pa.Table, counted: Window, asked: Window) -> Counter[Call]:
    """What to add to the calls before with a timestamp in `counted` to have those of now with one in `asked`."""
    change = Counter(calls_of_table(_of_time(table, "after"), *asked).calls)
    change.subtract(calls_of_table(_of_time(table, "before"), *counted).calls)
    return change


def traces_larger_before(table: pa.Table, spans: int) -> Ints:
    """The numbers of the traces of which more than so many spans counted before."""
    return np.flatnonzero(np.bincount(table["trace"].to_numpy()[table["before"].to_numpy()]) > spans)


def without_traces(table: pa.Table, traces: Ints) -> pa.Table:
    """The same table, in which no span of these traces counts after."""
    after = pc.and_(table["after"], pc.invert(pc.is_in(table["trace"], value_set=pa.array(traces, pa.int64()))))
    return table.set_column(table.schema.get_field_index("after"), CHANGE_TABLE.field("after"), after)


def _of_time(table: pa.Table, time: str) -> pa.Table:
    return table.filter(table[time]).select(LINK_TABLE.names)
