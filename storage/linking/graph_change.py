"""How the calls of links and service graph change when spans come and go: `change`, for both at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.change import CHANGE_TABLE, Window
from storage.linking.graph_table import GRAPH_TABLE, Describe, Sums, graph_calls_of_table, sums_of_table
from storage.linking.row_index import Ints

GRAPH_CHANGE_TABLE = pa.schema([*GRAPH_TABLE, *(CHANGE_TABLE.field(name) for name in ("before", "after"))])
"""GRAPH_TABLE with the whole traces of both times. before, after: whether the span counts at that time."""


def change_of_sums(table: pa.Table, bucket_ns: int, describe: Describe) -> Sums:
    """What to add to the sums (`sums_of_table`): negative where there were more before. `describe` is of this table."""
    now, past = (
        sums_of_table(spans, bucket_ns, of_spans)
        for time in ("after", "before")
        for spans, of_spans in [_of_time(table, time, describe)]
    )
    return Sums(*(pa.concat_tables([more, _negative(less)]) for more, less in zip(now, past, strict=True)))


def graph_change_within(table: pa.Table, counted: Window, asked: Window, describe: Describe) -> pa.Table:
    """What to add to the GRAPH_CALLS before with a timestamp in `counted` to have those of now with one in `asked`."""
    now, past = (
        graph_calls_of_table(spans, *window, of_spans)
        for time, window in (("after", asked), ("before", counted))
        for spans, of_spans in [_of_time(table, time, describe)]
    )
    return pa.concat_tables([now, _negative(past)])


def _of_time(table: pa.Table, time: str, describe: Describe) -> tuple[pa.Table, Describe]:
    """The spans that count at that time, as GRAPH_TABLE, and what describes them."""
    rows = np.flatnonzero(table[time].to_numpy())

    def describe_rows(wanted: Ints) -> pa.ListArray:
        return describe(rows[wanted])

    return table.select(GRAPH_TABLE.names).take(pa.array(rows)), describe_rows


def _negative(calls: pa.Table) -> pa.Table:
    for name in ("calls", "errors"):
        at = calls.schema.get_field_index(name)
        calls = calls.set_column(at, calls.schema.field(at), pc.negate(calls[name]))
    return calls
