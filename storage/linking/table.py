"""Links of an Arrow table of spans: what a SQL store reads, made into columns of numbers for `columns` and `linker`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.batch import span_id_of_number
from storage.linking.columns import Calls, Codes, LinkColumns, link_plain_traces
from storage.linking.link_span import LINKED_KINDS, LinkSpan, LocalEndpoint, service_name
from storage.linking.linker import Call, calls_of
from storage.linking.row_index import Bools, Ints
from storage.span import SpanKind

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

_KIND_OF_NUMBER = np.array([kind if kind in LINKED_KINDS else 0 for kind in SpanKind], np.uint8)
_LATEST_NS = np.iinfo(np.int64).max


RULES = 1
"""The number of the rules that calls are found by. A change by which the same spans show other calls raises it, so
that a store which keeps sums of calls knows to count them anew."""

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
    timestamp_ns, known = _timestamps(table)
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
    timestamp_ns, known = _timestamps(table)
    buckets, group_of_known = np.unique(timestamp_ns[known] // bucket_ns, return_inverse=True)
    group = np.full(len(known), -1)
    group[known] = group_of_known
    found = _found(table, group)
    names = pa.array(found.names, pa.string())
    plain = found.plain
    columns = [
        buckets[plain.group],
        names.take(pa.array(plain.parent)),
        names.take(pa.array(plain.child)),
        plain.times,
        np.where(plain.error, plain.times, 0),
    ]
    odd = [
        (int(buckets[group]), call.parent, call.child, 1, int(call.error))
        for group, calls in found.odd
        for call in calls
    ]
    odd_columns = [list(column) for column in zip(*odd, strict=True)] or [[] for _ in BUCKET_CALLS]
    return pa.concat_tables(
        pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(each, BUCKET_CALLS, strict=True)],
            schema=BUCKET_CALLS,
        )
        for each in (columns, odd_columns)
    )


def _found(table: pa.Table, group: Ints) -> _Found:
    """The calls of the traces whose group, by their number, is not negative."""
    names = _Names()
    addresses = _Addresses(table)
    plain, odd = link_plain_traces(_columns(table, names, addresses), group)
    calls = [(int(group[number]), list(calls_of(trace))) for number, trace in _traces(odd, names, addresses)]
    return _Found(plain, calls, len(odd.trace), names.of_number)


class _Names:
    """Numbers for lower-case service names; 0 is no name."""

    def __init__(self) -> None:
        self.of_number: list[str | None] = [None]
        self._numbers: dict[str | None, int] = {None: 0}

    def numbers(self, column: pa.ChunkedArray) -> Codes:
        """The number of each row's name."""
        codes, raw = _codes(column)
        return np.array([self._number(service_name(name)) for name in raw], np.int32)[codes]

    def _number(self, name: str | None) -> int:
        number = self._numbers.setdefault(name, len(self.of_number))
        if number == len(self.of_number):
            self.of_number.append(name)
        return number


class _Addresses:
    """Numbers for local addresses, made of the numbers of their parts; 0 is no address."""

    def __init__(self, table: pa.Table) -> None:
        ipv4, self._ipv4 = _codes(table["local_ipv4"])
        ipv6, self._ipv6 = _codes(table["local_ipv6"])
        port = table["local_port"].fill_null(0).to_numpy()
        self.numbers: Ints = ((ipv4.astype(np.int64) * len(self._ipv6) + ipv6) << 16) + port

    def endpoint(self, service: str | None, number: int) -> LocalEndpoint:
        """The endpoint of a service at the address with this number."""
        address, port = divmod(number, 1 << 16)
        ipv4, ipv6 = divmod(address, len(self._ipv6))
        return LocalEndpoint(service, self._ipv4[ipv4], self._ipv6[ipv6], port or None)


def _codes(column: pa.ChunkedArray) -> tuple[Codes, list[str | None]]:
    """Each row's index into the list of distinct values, whose first is None."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.int32), [None]
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy() + np.int32(1)
    return codes, [None, *encoded.dictionary.to_pylist()]


def _timestamps(table: pa.Table) -> tuple[Ints, Bools]:
    """Each trace's timestamp, and whether it has one, by its number."""
    trace = table["trace"].to_numpy()
    timed = table["start_ns"].is_valid().to_numpy()
    starts_ns = table["start_ns"].fill_null(_LATEST_NS).to_numpy()
    timestamp_ns = np.full(int(trace.max()) + 1, _LATEST_NS)
    np.minimum.at(timestamp_ns, trace, starts_ns)
    known = np.zeros(len(timestamp_ns), np.bool_)
    known[trace[timed]] = True
    roots = np.flatnonzero(timed & table["parent_span_id"].is_null().to_numpy())
    written = table["written"].to_numpy()[roots]
    earliest = np.full(len(timestamp_ns), np.iinfo(np.int64).max)
    np.minimum.at(earliest, trace[roots], written)
    first = roots[written == earliest[trace[roots]]]
    timestamp_ns[trace[first]] = starts_ns[first]
    return timestamp_ns, known


def _columns(table: pa.Table, names: _Names, addresses: _Addresses) -> LinkColumns:
    span_id = table["span_id"].to_numpy()
    parent = table["parent_span_id"].fill_null(0).to_numpy()
    kind = _KIND_OF_NUMBER[table["kind"].to_numpy()]
    return LinkColumns(
        trace=table["trace"].to_numpy(),
        span_id=span_id,
        parent_span_id=np.where(parent == span_id, np.uint64(0), parent),
        kind=kind,
        shared=table["shared"].to_numpy() & (kind != SpanKind.CLIENT),
        service=names.numbers(table["service"]),
        address=addresses.numbers,
        remote=names.numbers(table["remote_service"]),
        error=table["error"].to_numpy(),
    )


def _named(found: _Found) -> dict[Call, int]:
    """The calls of the plain traces when they are all of one group."""
    _, *columns = (column.tolist() for column in found.plain)
    name = found.names
    return {
        Call(str(name[parent]), str(name[child]), error): times
        for parent, child, error, times in zip(*columns, strict=True)
    }


def _traces(spans: LinkColumns, names: _Names, addresses: _Addresses) -> Iterator[tuple[int, Sequence[LinkSpan]]]:
    """The rows, which stand together by trace, as the traces they are, after their numbers."""
    rows = zip(*(getattr(spans, name).tolist() for name in LinkColumns.__slots__), strict=True)
    for number, members in groupby(rows, key=lambda row: row[0]):
        yield (
            int(number),
            [
                LinkSpan(
                    span_id=span_id_of_number(span_id),
                    parent_span_id=span_id_of_number(parent) if parent else None,
                    kind=SpanKind(kind),
                    shared=shared,
                    local=addresses.endpoint(names.of_number[service], address),
                    remote_service=names.of_number[remote],
                    error=error,
                )
                for _, span_id, parent, kind, shared, service, address, remote, error in members
            ],
        )
