"""The dependency graph of a time window, from the spans where they lie.

DuckDB finds which traces have a span in the window and where all their spans are, and reads those in slices that fit
in memory; `storage.linking.table` links a slice. Every read is a range of `seq` or `start_ns`, which zone maps prune,
so an hour's question reads about an hour of spans.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import duckdb
import pyarrow as pa

from storage.attributes import KEY_SEPARATOR, KEYS_ELSEWHERE
from storage.linking.link_span import ERROR
from storage.linking.linker import Call, summed
from storage.linking.table import LINK_TABLE, Linked, calls_of_table
from storage.requests import DependencyLink
from storage.span import Protocol, StatusCode

SLICE_SPANS = 1 << 16
"""About how many spans are read at once, a power of two. Each costs some 300 bytes while it is read and linked."""

_FIND_HALVES = """
-- The low halves of the ids of all traces with a span that starts in the window. A table of its own, so that the join
-- below knows its size and builds on it instead of on the far larger tables of traces.
CREATE TEMP TABLE halves AS
SELECT low, ('0x' || hex(low))::UBIGINT AS number FROM (
    SELECT DISTINCT trace_id[9:16] AS low FROM (
        SELECT DISTINCT trace_id FROM spans WHERE start_ns BETWEEN $start_ns AND $end_ns))
"""

_FIND_TRACES = """
-- Those traces and which commits their spans are in, sorted so that the traces which end near each other stand
-- together: rowid is their number.
CREATE TEMP TABLE asked AS
WITH located AS (
    SELECT trace_low, min_seq, max_seq FROM traces
    UNION ALL
    SELECT trace_low, min_seq, max_seq FROM recent_traces
    UNION ALL
    SELECT ('0x' || hex(trace_id[9:16]))::UBIGINT, min(seq), max(seq) FROM spans
    WHERE seq > (SELECT watermark FROM upkeep) GROUP BY trace_id
)
SELECT low, min(min_seq) AS first_seq, max(max_seq) AS last_seq, false AS wide
FROM located JOIN halves ON trace_low = number GROUP BY low ORDER BY last_seq
"""

_CUTS = """
-- Where to cut what those traces span into blocks of $slice spans. Spans that were dropped make smaller blocks.
SELECT seq FROM spans
WHERE seq BETWEEN (SELECT min(first_seq) FROM asked) AND (SELECT max(last_seq) FROM asked)
    AND rowid & ($slice - 1) = 0
UNION SELECT max(last_seq) FROM asked HAVING count(*) > 0
ORDER BY seq
"""

_MARK_WIDE = """
-- The traces that end in a block but begin before the block before it: reading all between would not pay for one.
UPDATE asked SET wide = true WHERE last_seq > $before_seq AND last_seq <= $end_seq AND first_seq <= $floor_seq
"""

_BLOCK = """
SELECT min(rowid), max(rowid), min(first_seq), max(last_seq) FROM asked
WHERE last_seq > $before_seq AND last_seq <= $end_seq AND NOT wide HAVING count(*) > 0
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
-- LINK_TABLE.
SELECT asked.rowid - $first_trace AS trace, spans.rowid AS written, span_id, parent_span_id, start_ns, kind, shared,
    service, local_ipv4, rare->>'$.local_ipv6' AS local_ipv6, local_port, remote_service,
    contains(split_part(attribute_keys, $elsewhere, 1), $error_key)
        OR (protocol <> $zipkin AND status_code = $error_status) AS error
FROM spans JOIN asked ON trace_id[9:16] = low
WHERE seq BETWEEN $first_seq AND $last_seq AND asked.rowid BETWEEN $first_trace AND $last_trace AND wide = $wide
"""

_READ_VALUES = {
    "elsewhere": KEYS_ELSEWHERE,
    "error_key": f"{KEY_SEPARATOR}{ERROR}{KEY_SEPARATOR}",
    "error_status": int(StatusCode.ERROR),
    "zipkin": int(Protocol.ZIPKIN),
}


class _Slice(NamedTuple):
    """The wide or the other traces of a range of `asked`, and the range of commits their spans are in."""

    first_trace: int
    last_trace: int
    first_seq: int
    last_seq: int
    wide: bool


def links(
    cursor: duckdb.DuckDBPyConnection, start_ns: int, end_ns: int, *, slice_spans: int = SLICE_SPANS
) -> list[DependencyLink]:
    """SpanReader.dependencies of the store behind `cursor`, as of the moment of the call.

    The cursor must be idle, and is in no transaction before and after. slice_spans: about how many spans to hold at
    once, a power of two; the answer does not depend on it. Raises what DuckDB raises.
    """
    cursor.begin()
    try:
        cursor.execute(_FIND_HALVES, {"start_ns": start_ns, "end_ns": end_ns})
        cursor.execute(_FIND_TRACES)
        cursor.execute("DROP TABLE halves")
        tables = (_read(cursor, part) for part in _slices(cursor, slice_spans))
        return summed(_calls_of(tables, start_ns, end_ns).items())
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()


def _calls_of(tables: Iterable[pa.Table], start_ns: int, end_ns: int) -> Counter[Call]:
    """The calls of all slices; while one is linked the next is read, which halves the time on two cores."""
    calls: Counter[Call] = Counter()
    with ThreadPoolExecutor(1, "link") as thread:
        before: Future[Linked] | None = None
        for table in tables:
            if before:
                calls.update(before.result().calls)
            before = thread.submit(calls_of_table, table, start_ns, end_ns)
        if before:
            calls.update(before.result().calls)
    return calls


def _slices(cursor: duckdb.DuckDBPyConnection, slice_spans: int) -> Iterator[_Slice]:
    """Every trace of `asked` in one slice: first those of each block, then those spread over many."""
    ends = [-1, -1, *(seq for (seq,) in cursor.execute(_CUTS, {"slice": slice_spans}).fetchall())]
    for floor_seq, before_seq, end_seq in zip(ends, ends[1:], ends[2:], strict=False):
        block = {"before_seq": before_seq, "end_seq": end_seq}
        cursor.execute(_MARK_WIDE, block | {"floor_seq": floor_seq})
        for first, last, first_seq, last_seq in cursor.execute(_BLOCK, block).fetchall():
            yield _Slice(first, last, first_seq, last_seq, wide=False)
    for first, last, first_seq, last_seq in cursor.execute(_WIDE_SLICES, {"slice": slice_spans}).fetchall():
        yield _Slice(first, last, first_seq, last_seq, wide=True)


def _read(cursor: duckdb.DuckDBPyConnection, part: _Slice) -> pa.Table:
    """The spans of the slice's traces, as LINK_TABLE."""
    return cursor.execute(_READ_SLICE, _READ_VALUES | part._asdict()).to_arrow_table().cast(LINK_TABLE)
