"""The service graph of Arrow tables of spans: the rules of `graph`, for whole columns."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.latency_buckets import bucket_numbers
from storage.linking.columns import ToldCalls, counted, link_plain_traces
from storage.linking.graph import MINUTE_NS, End, GraphCall, graph_calls_at
from storage.linking.graph_rows import (
    NAMED_SERVICE,
    UNKNOWN,
    GraphRows,
    counted_rows,
    lonely_rows,
    rows_that_describe,
    told_rows,
)
from storage.linking.link_span import LinkSpan
from storage.linking.linker import Call, places_of, told_at
from storage.linking.peer_table import peers_of
from storage.linking.row_index import Ints
from storage.linking.rows import Addresses, Names, link_columns, link_spans_by_trace, trace_buckets, trace_timestamps
from storage.linking.table import BUCKET_CALLS, LINK_TABLE, bucket_calls, table_of
from storage.requests import NodeKind

GRAPH_TABLE = pa.schema([*LINK_TABLE, pa.field("duration_ns", pa.int64())])
"""LINK_TABLE with the durations of the spans, as in SPAN_SCHEMA."""

Describe = Callable[[Ints], pa.ListArray]
"""Gives, of these rows of a table, what `peer_table.peers_of` takes. The rows rise and are of a kind in PEER_KINDS."""

GRAPH_CALLS = pa.schema(
    [
        pa.field("parent", pa.string()),
        pa.field("parent_kind", pa.uint8()),
        pa.field("child", pa.string()),
        pa.field("child_kind", pa.uint8()),
        pa.field("latency", pa.int16()),
        pa.field("calls", pa.int64()),
        pa.field("errors", pa.int64()),
    ]
)
"""Calls between nodes, by the bucket of their durations or UNKNOWN; several rows may be of one pair and bucket.

parent_kind, child_kind: a NodeKind or NAMED_SERVICE. errors: how many of the calls failed."""
MINUTE_CALLS = pa.schema([pa.field("minute", pa.int64()), *GRAPH_CALLS])
"""GRAPH_CALLS by the minute since the epoch of trace timestamps."""


class Sums(NamedTuple):
    """links: BUCKET_CALLS. graph: MINUTE_CALLS."""

    links: pa.Table
    graph: pa.Table


def sums_of_table(table: pa.Table, bucket_ns: int, describe: Describe) -> Sums:
    """The calls of all traces that have a trace timestamp; the table is GRAPH_TABLE.

    links: as `table.calls_by_bucket`; a minute has a whole number of its buckets.
    """
    if not table.num_rows:
        return Sums(BUCKET_CALLS.empty_table(), MINUTE_CALLS.empty_table())
    buckets, group = trace_buckets(table, bucket_ns)
    found = _linked(table, group, describe)
    minutes, minute_of_group = np.unique(buckets // (MINUTE_NS // bucket_ns), return_inverse=True)
    by_minute = found.graph_calls(minute_of_group)
    return Sums(
        bucket_calls(counted(found.told), ((odd.group, odd.calls) for odd in found.odd), found.names, buckets),
        by_minute.set_column(0, MINUTE_CALLS.field("minute"), pa.array(minutes).take(by_minute["place"])),
    )


def graph_calls_of_table(table: pa.Table, start_ns: int, end_ns: int, describe: Describe) -> pa.Table:
    """GRAPH_CALLS of the traces whose trace timestamp lies in [start_ns, end_ns]; the table is GRAPH_TABLE."""
    if not table.num_rows:
        return GRAPH_CALLS.empty_table()
    timestamp_ns, known = trace_timestamps(table)
    within = known & (timestamp_ns >= start_ns) & (timestamp_ns <= end_ns)
    found = _linked(table, np.where(within, 0, -1), describe)
    return found.graph_calls(np.zeros(1, np.int64)).select(GRAPH_CALLS.names)


class _OddTrace(NamedTuple):
    """The calls of a trace that is not plain."""

    group: int
    calls: list[Call]
    graph_calls: list[GraphCall]


class _Found(NamedTuple):
    told: ToldCalls
    plain: Sequence[GraphRows]
    odd: Sequence[_OddTrace]
    names: Sequence[str | None]

    def graph_calls(self, place_of_group: Ints) -> pa.Table:
        """GRAPH_CALLS after a column `place`: that of each call's group."""
        rows, times = counted_rows([calls._replace(group=place_of_group[calls.group]) for calls in self.plain])
        name = pa.array(self.names, pa.string())
        parent, child = (name.take(pa.array(column)) for column in (rows.parent, rows.child))
        errors = np.where(rows.error, times, 0)
        plain = (rows.group, parent, rows.parent_kind, child, rows.child_kind, rows.latency, times, errors)
        odd = [(int(place_of_group[trace.group]), *_row(call)) for trace in self.odd for call in trace.graph_calls]
        odd_columns = [list(column) for column in zip(*odd, strict=True)] or [[] for _ in _PLACED_CALLS]
        return pa.concat_tables(table_of(_PLACED_CALLS, columns) for columns in (plain, odd_columns))


_PLACED_CALLS = pa.schema([pa.field("place", pa.int64()), *GRAPH_CALLS])


def _linked(table: pa.Table, group: Ints, describe: Describe) -> _Found:
    """The calls of the traces whose group, by their number, is not negative."""
    names, addresses = Names(), Addresses(table)
    spans = link_columns(table, names, addresses)
    found = link_plain_traces(spans, group, with_lonely=True)
    assert found.lonely is not None
    describing = rows_that_describe(spans, found.told, found.lonely, found.odd)
    peers = peers_of(describe(describing))
    peer = np.zeros(len(spans.trace), np.int64)
    peer[describing] = peers.number
    latency = _latencies(table)
    plain = [
        told_rows(found.told, spans.kind, peer, peers, latency),
        lonely_rows(found.lonely, spans, peer, peers, names, latency),
    ]
    odd = link_spans_by_trace(
        spans.take(found.odd),
        names,
        addresses,
        table["duration_ns"].take(pa.array(found.odd)).to_pylist(),
        [peers.found[number] for number in peer[found.odd].tolist()],
    )
    return _Found(found.told, plain, [_odd_trace(int(group[number]), trace) for number, trace in odd], names.of_number)


def _latencies(table: pa.Table) -> Ints:
    duration_ns = table["duration_ns"]
    buckets = bucket_numbers(duration_ns.fill_null(0).to_numpy()).astype(np.int64)
    return np.where(duration_ns.is_valid().to_numpy(), buckets, UNKNOWN)


def _odd_trace(group: int, trace: Sequence[LinkSpan]) -> _OddTrace:
    places = list(places_of(trace))
    calls = [told.call for place in places for told in told_at(place)]
    return _OddTrace(group, calls, list(graph_calls_at(places)))


def _row(call: GraphCall) -> tuple[str, int, str, int, int, int, int]:
    bucket = UNKNOWN if call.bucket is None else call.bucket
    return (call.parent.name, _number(call.parent), call.child.name, _number(call.child), bucket, 1, int(call.error))


def _number(end: End) -> int:
    return int(end.kind) if end.reported or end.kind is not NodeKind.SERVICE else NAMED_SERVICE
