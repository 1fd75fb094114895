"""Reading whole traces for the linker, in slices that fit in memory.

DuckDB finds which commits the spans of the asked traces are in, and reads those commits in slices. Every read is a
range of `seq`, which zone maps prune, so a question reads about as many spans as its traces have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import pyarrow as pa

from storage.attributes import KEY_SEPARATOR, KEYS_ELSEWHERE
from storage.duckdb.peers import read_peers
from storage.linking.graph_change import GRAPH_CHANGE_TABLE
from storage.linking.graph_table import Describe
from storage.linking.link_span import ERROR
from storage.linking.row_index import Ints
from storage.span import Protocol, StatusCode

SLICE_SPANS = 1 << 16
"""About how many spans are read at once, a power of two. Each costs some 300 bytes while it is read and linked."""

_FIND_HALVES = """
-- The low halves of the ids of the traces with one of these spans; late: only if they have an earlier span, too. A
-- table of its own, so that the join below knows its size and builds on it instead of on the far larger tables of
-- traces.
CREATE TEMP TABLE halves AS
SELECT low, ('0x' || hex(low))::UBIGINT AS number, bool_and(late) AS late FROM (
    SELECT trace_id[9:16] AS low, late FROM ({spans}) GROUP BY ALL
) GROUP BY low
"""

_FIND_TRACES = """
-- Those traces and which commits their spans are in, sorted so that the traces which end near each other stand
-- together: rowid is their number.
CREATE TEMP TABLE located_traces AS
WITH located AS (
    SELECT trace_low, min_seq, max_seq FROM traces
    UNION ALL
    SELECT trace_low, min_seq, max_seq FROM recent_traces
    UNION ALL
    SELECT ('0x' || hex(trace_id[9:16]))::UBIGINT, min(seq), max(seq) FROM spans
    WHERE seq > (SELECT watermark FROM upkeep) GROUP BY trace_id
)
SELECT low, trace_low, trace_low NOT IN (SELECT trace_low FROM set_aside) AS summed,
    min(min_seq) AS first_seq, max(max_seq) AS last_seq
FROM located JOIN halves ON trace_low = number GROUP BY low, trace_low
HAVING (NOT bool_and(late) OR first_seq <= $counted_seq) AND ($with_set_aside OR summed)
"""

_FIND_CUTS = """
-- Where to cut what those traces span into blocks of $slice spans. Spans that were dropped make smaller blocks.
-- floor_seq: traces that end in the block but begin up to here are wide. Reading all between would not pay for them.
CREATE TEMP TABLE cuts AS
SELECT seq, lag(seq, 2, -1) OVER (ORDER BY seq) AS floor_seq FROM (
    SELECT seq FROM spans
    WHERE seq BETWEEN (SELECT min(first_seq) FROM located_traces) AND (SELECT max(last_seq) FROM located_traces)
        AND rowid & ($slice - 1) = 0
    UNION SELECT max(last_seq) FROM located_traces HAVING count(*) > 0
)
"""

_NUMBER_TRACES = """
CREATE TEMP TABLE asked AS
SELECT low, trace_low, summed, first_seq, last_seq, cuts.seq AS block, first_seq <= floor_seq AS wide
FROM located_traces ASOF JOIN cuts ON last_seq <= cuts.seq ORDER BY last_seq
"""

_BLOCKS = """
SELECT min(rowid), max(rowid), min(first_seq), max(last_seq) FROM asked WHERE NOT wide GROUP BY block ORDER BY block
"""

_WIDE_SLICES = """
-- The wide traces, about $slice spans of them at once: each slice reads past all that lies between.
SELECT min(number), max(number), min(first_seq), max(last_seq) FROM (
    SELECT number, first_seq, last_seq, sum(size) OVER (ORDER BY number) // $slice AS slice FROM (
        SELECT asked.rowid AS number, first_seq, last_seq, count(*) AS size
        FROM spans JOIN asked ON trace_id[9:16] = low
        WHERE wide AND seq BETWEEN (SELECT min(first_seq) FROM asked WHERE wide)
                           AND (SELECT max(last_seq) FROM asked WHERE wide)
        GROUP BY ALL)
) GROUP BY slice
"""

_READ_SLICE = """
-- GRAPH_CHANGE_TABLE.
SELECT asked.rowid - $slice_first_trace AS trace, spans.rowid AS written, span_id, parent_span_id, start_ns, kind,
    shared, service, local_ipv4, rare->>'$.local_ipv6' AS local_ipv6, local_port, remote_service,
    contains(split_part(attribute_keys, $elsewhere, 1), $error_key)
        OR (protocol <> $zipkin AND status_code = $error_status) AS error,
    duration_ns, summed AND coalesce({before}, false) AS before, coalesce({after}, false) AS after
FROM spans JOIN asked ON trace_id[9:16] = low
WHERE seq BETWEEN $slice_first_seq AND $slice_last_seq
    AND asked.rowid BETWEEN $slice_first_trace AND $slice_last_trace AND wide = $slice_wide
    AND (before OR after)
"""

_READ_VALUES: Mapping[str, object] = {
    "elsewhere": KEYS_ELSEWHERE,
    "error_key": f"{KEY_SEPARATOR}{ERROR}{KEY_SEPARATOR}",
    "error_status": int(StatusCode.ERROR),
    "zipkin": int(Protocol.ZIPKIN),
}

_TABLES = ("asked", "cuts", "located_traces", "halves")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which traces, and when each of their spans counts. All texts are SQL; `values` are the parameters they name.

    spans: a SELECT of (trace_id, late) of spans, one of each asked trace at least; rows that are `late` ask for a
    trace only if it has a span in a commit up to counted_seq. before, after: conditions on a span. with_set_aside:
    whether traces that the sums leave out (`link_sums`) are asked for, too; none of their spans counts before.
    """

    spans: str
    before: str
    after: str
    counted_seq: int
    spans_values: Mapping[str, object] = field(default_factory=dict)
    read_values: Mapping[str, object] = field(default_factory=dict)
    with_set_aside: bool = True


class TraceSlice(NamedTuple):
    """spans: whole traces as GRAPH_CHANGE_TABLE; trace 0 is the row `first_trace` of the temporary table `asked`.

    describe: reads of them what is not in the table, through the cursor of `whole_traces` while it is in its
    transaction.
    """

    spans: pa.Table
    first_trace: int
    describe: Describe


class _Slice(NamedTuple):
    """The wide or the other traces of a range of `asked`, and the range of commits their spans are in."""

    first_trace: int
    last_trace: int
    first_seq: int
    last_seq: int
    wide: bool


def whole_traces(
    cursor: duckdb.DuckDBPyConnection, asked: Asked, *, slice_spans: int = SLICE_SPANS
) -> Iterator[TraceSlice]:
    """Every asked trace whole in one slice, without its spans that count neither before nor after.

    The cursor is in a transaction, which has the temporary table `asked` until the last slice is read: trace_low is
    the low half of each trace's id. slice_spans: about how many spans to hold at once, a power of two; what is read
    does not depend on it. Raises what DuckDB raises.
    """
    cursor.execute(_FIND_HALVES.format(spans=asked.spans), dict(asked.spans_values))
    if cursor.execute("SELECT count(*) FROM halves").fetchall() != [(0,)]:
        cursor.execute(_FIND_TRACES, {"counted_seq": asked.counted_seq, "with_set_aside": asked.with_set_aside})
        cursor.execute(_FIND_CUTS, {"slice": slice_spans})
        cursor.execute(_NUMBER_TRACES)
        for part in _slices(cursor, slice_spans):
            spans = _read(cursor, asked, part)
            yield TraceSlice(spans, part.first_trace, _describing(cursor, spans, part))
    for table in _TABLES:
        cursor.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _describing(cursor: duckdb.DuckDBPyConnection, spans: pa.Table, part: _Slice) -> Describe:
    def describe(rows: Ints) -> pa.ListArray:
        return read_peers(cursor, spans["written"].to_numpy()[rows], part.first_seq, part.last_seq)

    return describe


def _slices(cursor: duckdb.DuckDBPyConnection, slice_spans: int) -> Iterator[_Slice]:
    """Every trace of `asked` in one slice: first those of each block, then those spread over many."""
    for first, last, first_seq, last_seq in cursor.execute(_BLOCKS).fetchall():
        yield _Slice(first, last, first_seq, last_seq, wide=False)
    for first, last, first_seq, last_seq in cursor.execute(_WIDE_SLICES, {"slice": slice_spans}).fetchall():
        yield _Slice(first, last, first_seq, last_seq, wide=True)


def _read(cursor: duckdb.DuckDBPyConnection, asked: Asked, part: _Slice) -> pa.Table:
    statement = _READ_SLICE.format(before=asked.before, after=asked.after)
    # The conditions of `asked` have parameters of their own, whose names must not be those of the slice.
    bounds = {f"slice_{name}": value for name, value in part._asdict().items()}
    values = {**_READ_VALUES, **asked.read_values, **bounds}
    return cursor.execute(statement, values).to_arrow_table().cast(GRAPH_CHANGE_TABLE)
