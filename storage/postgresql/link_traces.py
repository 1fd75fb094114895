"""Reading whole traces for the linker, in slices that fit in memory, from the narrow columns of their spans.

Which traces is asked first, then their spans by the index on trace ids, some thousand traces at once. All reads of one
question see one moment, so what upkeep has not counted yet is what the table `commits` says of that moment.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.change import CHANGE_TABLE
from storage.linking.graph_table import GRAPH_TABLE
from storage.linking.link_span import ERROR
from storage.linking.row_index import Bools, Ints
from storage.linking.table import LINK_TABLE
from storage.postgresql import sql
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
    "local_ipv4",
    "rare",
    "local_port",
    "remote_service_id",
    "keys_id",
    "protocol",
    "status_code",
    "received_ns",
)

_NEWS = "SELECT written FROM commits WHERE NOT is_known"
_SET_ASIDE = "SELECT trace_low FROM set_aside"
# The key stands among the span's own, before those of events, links and scopes.
_WITH_ERROR = (
    f"SELECT id FROM texts WHERE role = 3 AND strpos(split_part(text, U&'\\001E', 1), U&'\\001F{ERROR}\\001F') > 0"
)


_STARTED = "SELECT DISTINCT trace_low FROM spans WHERE start_ns BETWEEN {first_ns:d} AND {last_ns:d} AND {visible}"
_OF_COMMITS = f"""
SELECT DISTINCT trace_low FROM spans
WHERE written >= {{first_place:d}} AND written < {{stop_place:d}}
    AND written >> {sql.COMMIT_BITS} = ANY({{commits}}) AND {{visible}}
"""


class Moment(NamedTuple):
    """What a transaction sees. news: the numbers of the commits that the sums do not know; set_aside: low halves."""

    horizon_ns: int
    first_written: int
    news: Ints
    set_aside: Ints

    @classmethod
    def of(cls, connection: Arrows) -> "Moment":
        """That of the connection's transaction."""
        marks = connection.fetch(sql.MARKS)
        return cls(
            int(marks["horizon_ns"][0].as_py()),
            int(marks["first_written"][0].as_py()),
            np.unique(connection.fetch(_NEWS)["written"].to_numpy() >> sql.COMMIT_BITS),
            connection.fetch(_SET_ASIDE)["trace_low"].to_numpy(),
        )

    @property
    def visible(self) -> str:
        """The SQL condition on a span that reads look at."""
        return f"received_ns >= {self.horizon_ns:d} AND written >= {self.first_written:d}"

    def are_news(self, written: Ints) -> Bools:
        """Whether the sums do not know the spans in these places."""
        return np.isin(written >> sql.COMMIT_BITS, self.news)


class Spans(NamedTuple):
    """Spans of whole traces. links: GRAPH_TABLE; the rest a value a span; trace_lows: the low half of each trace."""

    links: pa.Table
    written: Ints
    received_ns: Ints
    trace_lows: Ints


def lows_of_commits(connection: Arrows, moment: Moment, commits: Ints) -> Ints:
    """The low halves of the traces with visible spans in these commits; sorted, distinct."""
    if not commits.size:
        return commits
    found = connection.fetch(
        _OF_COMMITS.format(
            first_place=int(commits.min()) << sql.COMMIT_BITS,
            stop_place=(int(commits.max()) + 1) << sql.COMMIT_BITS,
            commits=sql.bigints(commits.tolist()),
            visible=moment.visible,
        )
    )
    lows: Ints = np.sort(found["trace_low"].to_numpy())
    return lows


def traces_started(connection: Arrows, moment: Moment, first_ns: int, last_ns: int) -> Ints:
    """The low halves of the traces with a visible span that starts in [first_ns, last_ns]; sorted, distinct."""
    statement = _STARTED.format(first_ns=first_ns, last_ns=last_ns, visible=moment.visible)
    lows: Ints = np.sort(connection.fetch(statement)["trace_low"].to_numpy())
    return lows


def whole_traces(
    connection: Arrows, moment: Moment, lows: Ints, *, slice_traces: int = SLICE_TRACES
) -> Iterator[Spans]:
    """The visible spans of the traces with these low halves, which are sorted and distinct; each trace in one slice."""
    texts = ArrowTexts(connection)
    with_error = connection.fetch(_WITH_ERROR)["id"].to_numpy() if lows.size else np.zeros(0, np.int64)
    for first in range(0, lows.size, slice_traces):
        part = lows[first : first + slice_traces]
        statement = (
            f"SELECT {', '.join(_COLUMNS)} FROM spans"
            f" WHERE trace_low = ANY({sql.bigints(part.tolist())}) AND {moment.visible}"
        )
        rows = connection.fetch(statement)
        yield Spans(
            _link_table(rows, part, texts, with_error),
            rows["written"].to_numpy(),
            rows["received_ns"].to_numpy(),
            part,
        )


def change_table(spans: Spans, before: Bools, after: Bools) -> pa.Table:
    """CHANGE_TABLE of these spans, without those that count at neither time."""
    table = spans.links.select(LINK_TABLE.names)
    table = table.append_column("before", pa.array(before)).append_column("after", pa.array(after))
    return table.filter(pa.array(before | after)).cast(CHANGE_TABLE)


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
