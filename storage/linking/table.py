"""Links of an Arrow table of spans: what a SQL store reads, made into columns of numbers for `columns` and `linker`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.linking.columns import Calls, counted, link_plain_traces
from storage.linking.linker import Call, calls_of
from storage.linking.row_index import Ints
from storage.linking.rows import Addresses, Names, link_columns, link_spans_by_trace, trace_buckets, trace_timestamps

LINK_TABLE = pa.schema(
    [
        pa.field("trace", pa.int64()),
        pa.field("written", pa.int64()),
        pa.field("span_id", pa.uint64()),
        pa.field("parent_span_id", pa.uint64()),
        pa.field("start_ns", pa.int64()),
        pa.field("kind", pa.uint8()),
        pa.field("shared", pa.bool_()),
        pa.field("service", pa.string()),
        pa.field("local_ipv4", pa.string()),
        pa.field("local_ipv6", pa.string()),
        pa.field("local_port", pa.uint16()),
        pa.field("remote_service", pa.string()),
        pa.field("error", pa.bool_()),
    ]
)
"""Whole traces, a row a span, in any order. trace: a number from 0 on, few of them unused, equal for spans whose
trace ids share the low half. written: rises in the order of writing. error: as `link_span` reads it. The rest: as in
SPAN_SCHEMA."""


RULES = 2
"""The number of the rules that calls, those of the service graph too, are found by. A change by which the same spans
show other calls raises it, so that a store which keeps sums of calls knows to count them anew."""

BUCKET_CALLS = pa.schema(
    [
        pa.field("bucket", pa.int64()),
        pa.field("parent", pa.string()),
        pa.field("child", pa.string()),
        pa.field("calls", pa.int64()),
        pa.field("errors", pa.int64()),
    ]
)
"""Calls between named services, and how many of them failed, in buckets of trace timestamp."""


class Linked(NamedTuple):
    """calls: how often each was made. odd_spans: how many spans stood in traces that are not plain (`columns`)."""

    calls: Counter[Call]
    odd_spans: int


class _Found(NamedTuple):
    """plain: rows for the plain traces. odd: the calls of each other trace asked for, after the trace's group."""

    plain: Calls
    odd: list[tuple[int, list[Call]]]
    odd_spans: int
    names: Sequence[str | None]


def calls_of_table(table: pa.Table, start_ns: int, end_ns: int) -> Linked:
    """The calls of the traces whose trace timestamp lies in [start_ns, end_ns]. Their table is LINK_TABLE.

    The trace timestamp is that of `SpanReader.dependencies`.
    """
    if not table.num_rows:
        return Linked(Counter(), 0)
    timestamp_ns, known = trace_timestamps(table)
    within = known & (timestamp_ns >= start_ns) & (timestamp_ns <= end_ns)
    found = _found(table, np.where(within, 0, -1))
    calls = Counter(_named(found))
    for _, odd in found.odd:
        calls.update(odd)
    return Linked(calls, found.odd_spans)


def calls_by_bucket(table: pa.Table, bucket_ns: int) -> pa.Table:
    """The calls of all traces that have a trace timestamp, as BUCKET_CALLS; several rows may name one pair of a bucket.

    The table is LINK_TABLE. Bucket n holds the traces whose timestamp lies in [n * bucket_ns, (n + 1) * bucket_ns).
    """
    if not table.num_rows:
        return BUCKET_CALLS.empty_table()
    buckets, group = trace_buckets(table, bucket_ns)
    found = _found(table, group)
    return bucket_calls(found.plain, found.odd, found.names, buckets)


def bucket_calls(
    plain: Calls, odd: Iterable[tuple[int, Iterable[Call]]], names: Sequence[str | None], buckets: Ints
) -> pa.Table:
    """BUCKET_CALLS of calls by group: those of plain traces, whose names are numbers, and those of each other trace.

    buckets: that of each group.
    """
    name = pa.array(names, pa.string())
    plain_columns = [
        buckets[plain.group],
        name.take(pa.array(plain.parent)),
        name.take(pa.array(plain.child)),
        plain.times,
        np.where(plain.error, plain.times, 0),
    ]
    rows = [
        (int(buckets[group]), call.parent, call.child, 1, int(call.error)) for group, calls in odd for call in calls
    ]
    odd_columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in BUCKET_CALLS]
    return pa.concat_tables(table_of(BUCKET_CALLS, columns) for columns in (plain_columns, odd_columns))


def table_of(schema: pa.Schema, columns: Sequence[Sequence[object] | Ints | pa.Array]) -> pa.Table:
    """The columns, in the schema's order, in its types."""
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _found(table: pa.Table, group: Ints) -> _Found:
    """The calls of the traces whose group, by their number, is not negative."""
    names = Names()
    addresses = Addresses(table)
    spans = link_columns(table, names, addresses)
    found = link_plain_traces(spans, group)
    odd = link_spans_by_trace(spans.take(found.odd), names, addresses)
    calls = [(int(group[number]), list(calls_of(trace))) for number, trace in odd]
    return _Found(counted(found.told), calls, len(found.odd), names.of_number)


def _named(found: _Found) -> dict[Call, int]:
    """The calls of the plain traces when they are all of one group."""
    _, *columns = (column.tolist() for column in found.plain)
    name = found.names
    return {
        Call(str(name[parent]), str(name[child]), error): times
        for parent, child, error, times in zip(*columns, strict=True)
    }
