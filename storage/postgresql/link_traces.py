"""Reading whole traces for the linker, in slices that fit in memory, from the narrow columns of their spans.

Which traces is asked first, then their spans by the index on trace ids, some thousand traces at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.graph_change import GRAPH_CHANGE_TABLE
from storage.linking.graph_table import GRAPH_TABLE, Describe
from storage.linking.link_span import ERROR
from storage.linking.peer import PEER_KINDS
from storage.linking.row_index import Bools, Ints
from storage.postgresql import sql
from storage.postgresql.moment import Moment
from storage.postgresql.peers import read_peers
from storage.postgresql.session import Arrows
from storage.postgresql.texts import ArrowTexts
from storage.span import Protocol, StatusCode

SLICE_TRACES = 10_000
"""Traces read at once. A span costs some 300 bytes while it is read and linked."""

_COLUMNS = (
    "trace_low",
    "written",
    "span_id",
    "parent_span_id",
    "start_ns",
    "duration_ns",
    "kind",
    "shared",
    "service_id",
    "name_id",
    "local_ipv4",
    "rare",
    "local_port",
    "remote_service_id",
    "keys_id",
    "protocol",
    "status_code",
    "received_ns",
    f"CASE WHEN kind IN ({', '.join(str(int(kind)) for kind in sorted(PEER_KINDS))}) THEN ctid::text END AS address",
)

# The key stands among the span's own, before those of events, links and scopes.
_WITH_ERROR = (
    f"SELECT id FROM texts WHERE role = 3 AND strpos(split_part(text, U&'\\001E', 1), U&'\\001F{ERROR}\\001F') > 0"
)


_TRACES = "SELECT DISTINCT trace_low FROM spans WHERE {condition}"
_SPANS = f"SELECT {', '.join(_COLUMNS)} FROM spans WHERE {{condition}}"


class Spans(NamedTuple):
    """Spans of whole traces. rows: as stored, without what is of no account to sums; links: GRAPH_TABLE of them.

    trace_lows: the low half of each trace.
    """

    rows: pa.Table
    links: pa.Table
    trace_lows: Ints

    @property
    def written(self) -> Ints:
        """The place of each span."""
        return _numbers(self.rows, "written")

    @property
    def received_ns(self) -> Ints:
        """When each was received."""
        return _numbers(self.rows, "received_ns")


def _numbers(rows: pa.Table, column: str) -> Ints:
    numbers: Ints = rows[column].to_numpy()
    return numbers


class Change(NamedTuple):
    """table: GRAPH_CHANGE_TABLE. describe: reads of it what is not in it, by the connection that read the spans."""

    table: pa.Table
    describe: Describe


def lows_where(connection: Arrows, condition: str) -> Ints:
    """The low halves of the traces with a span that meets the SQL condition; sorted, distinct."""
    lows: Ints = np.sort(connection.fetch(_TRACES.format(condition=condition))["trace_low"].to_numpy())
    return lows


def lows_of_commits(connection: Arrows, moment: Moment, commits: Ints) -> Ints:
    """As `lows_where`, of the visible spans in these commits."""
    return lows_where(connection, moment.in_commits(commits)) if commits.size else commits


def lows_started(connection: Arrows, moment: Moment, first_ns: int, last_ns: int) -> Ints:
    """As `lows_where`, of the visible spans that start in [first_ns, last_ns]."""
    return lows_where(connection, f"start_ns BETWEEN {first_ns:d} AND {last_ns:d} AND {moment.visible}")


def spans_where(connection: Arrows, condition: str) -> pa.Table:
    """The spans that meet the SQL condition, as the rows of Spans."""
    return connection.fetch(_SPANS.format(condition=condition))


def whole_traces(
    connection: Arrows, moment: Moment, lows: Ints, *, slice_traces: int = SLICE_TRACES
) -> Iterator[Spans]:
    """The visible spans of the traces with these low halves, which are sorted and distinct; each trace in one slice."""
    texts = ArrowTexts(connection)
    with_error = connection.fetch(_WITH_ERROR)["id"].to_numpy() if lows.size else np.zeros(0, np.int64)
    for first in range(0, lows.size, slice_traces):
        part = lows[first : first + slice_traces]
        rows = spans_where(connection, f"trace_low = ANY({sql.bigints(part.tolist())}) AND {moment.visible}")
        yield Spans(rows, _link_table(rows, part, texts, with_error), part)


def change_of(connection: Arrows, spans: Spans, before: Bools, after: Bools) -> Change:
    """These spans, without those that count at neither time. The connection is still in the transaction they are of."""
    kept = np.flatnonzero(before | after)
    written, addresses = spans.written, spans.rows["address"].combine_chunks()
    table = spans.links.append_column("before", pa.array(before)).append_column("after", pa.array(after))

    def describe(rows: Ints) -> pa.ListArray:
        return read_peers(connection, written[kept[rows]], addresses.take(pa.array(kept[rows])))

    return Change(table.take(pa.array(kept)).cast(GRAPH_CHANGE_TABLE), describe)


def _link_table(rows: pa.Table, lows: Ints, texts: ArrowTexts, with_error: Ints) -> pa.Table:
    has_error = pc.is_in(rows["keys_id"], value_set=pa.array(with_error, pa.int64()))
    is_error = pc.and_(
        pc.not_equal(rows["protocol"], int(Protocol.ZIPKIN)), pc.equal(rows["status_code"], int(StatusCode.ERROR))
    )
    ipv4 = rows["local_ipv4"]
    columns = {
        "trace": pa.array(np.searchsorted(lows, rows["trace_low"].to_numpy())),
        "written": rows["written"],
        "span_id": _unsigned(rows["span_id"]),
        "parent_span_id": _unsigned(rows["parent_span_id"]),
        "start_ns": rows["start_ns"],
        "kind": rows["kind"].cast(pa.uint8()),
        "shared": pc.fill_null(rows["shared"], False),
        "service": texts.of(rows["service_id"]),
        "local_ipv4": ipv4,
        "local_ipv6": _local_ipv6(rows["rare"]),
        "local_port": rows["local_port"].cast(pa.uint16()),
        "remote_service": texts.of(rows["remote_service_id"]),
        "error": pc.or_(has_error, is_error),
        "duration_ns": rows["duration_ns"],
    }
    return pa.table([columns[field.name] for field in GRAPH_TABLE], schema=GRAPH_TABLE)


def _unsigned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.view(pa.uint64()) for chunk in column.chunks], pa.uint64())


def _local_ipv6(rare: pa.ChunkedArray) -> pa.Array:
    if rare.null_count == len(rare):
        return pa.nulls(len(rare), pa.string())
    encoded = rare.combine_chunks().dictionary_encode()
    found = [msgspec.json.decode(text).get("local_ipv6") for text in encoded.dictionary.to_pylist()]
    return pa.array(found, pa.string()).take(encoded.indices)
