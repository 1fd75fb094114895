"""An Arrow table of spans as columns of numbers, and back: what `columns` and `linker` take."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, repeat

import numpy as np
import pyarrow as pa

from storage.batch import span_id_of_number
from storage.linking.columns import Codes, LinkColumns
from storage.linking.link_span import LINKED_KINDS, LinkSpan, LocalEndpoint, service_name
from storage.linking.peer import Peer
from storage.linking.row_index import Bools, Ints
from storage.span import SpanKind

_KIND_OF_NUMBER = np.array([kind if kind in LINKED_KINDS else 0 for kind in SpanKind], np.uint8)
_LATEST_NS = np.iinfo(np.int64).max


class Names:
    """Numbers for lower-case service names; 0 is no name."""

    def __init__(self) -> None:
        self.of_number: list[str | None] = [None]
        self._numbers: dict[str | None, int] = {None: 0}

    def numbers(self, column: pa.ChunkedArray) -> Codes:
        """The number of each row's name."""
        codes, raw = _codes(column)
        return np.array([self.number(service_name(name)) for name in raw], np.int32)[codes]

    def number(self, name: str | None) -> int:
        """The number of a name as it stands."""
        number = self._numbers.setdefault(name, len(self.of_number))
        if number == len(self.of_number):
            self.of_number.append(name)
        return number


class Addresses:
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


def trace_buckets(table: pa.Table, bucket_ns: int) -> tuple[Ints, Ints]:
    """Rising buckets of trace timestamp, and for each trace, by its number, which of them; -1 without a timestamp.

    The buckets are numbered as `timestamp // bucket_ns`; they come by their places in the list.
    """
    timestamp_ns, known = trace_timestamps(table)
    buckets, bucket_of_known = np.unique(timestamp_ns[known] // bucket_ns, return_inverse=True)
    places = np.full(len(known), -1)
    places[known] = bucket_of_known
    return buckets, places


def trace_timestamps(table: pa.Table) -> tuple[Ints, Bools]:
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


def link_columns(table: pa.Table, names: Names, addresses: Addresses) -> LinkColumns:
    """LINK_TABLE as numbers."""
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


def link_spans_by_trace(
    spans: LinkColumns,
    names: Names,
    addresses: Addresses,
    durations_ns: Iterable[int | None] | None = None,
    peers: Iterable[Peer | None] | None = None,
) -> Iterator[tuple[int, Sequence[LinkSpan]]]:
    """The rows, which stand together by trace, as the traces they are, after their numbers.

    durations_ns, peers: of each row, when they matter.
    """
    size = len(spans.trace)
    columns = (getattr(spans, name).tolist() for name in LinkColumns.__slots__)
    rows = zip(*columns, durations_ns or repeat(None, size), peers or repeat(None, size), strict=True)
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
                    duration_ns=duration_ns,
                    peer=peer,
                )
                for _, span_id, parent, kind, shared, service, address, remote, error, duration_ns, peer in members
            ],
        )
