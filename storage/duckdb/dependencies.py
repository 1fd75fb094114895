"""The dependency graph of a time window, from the spans where they lie.

DuckDB finds which traces have a span in the window and where all their spans are, and reads those in slices that fit
in memory; `storage.linking.table` links a slice. Every read is a range of `seq` or `start_ns`, which zone maps prune,
so an hour's question reads about an hour of spans.
"""

from collections import Counter
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from storage.attributes import KEY_SEPARATOR
from storage.linking.link_span import ERROR, PEER_SERVICE
from storage.linking.linker import Call, summed
from storage.linking.table import LINK_TABLE, calls_of_table
from storage.requests import DependencyLink
from storage.span import Protocol, SpanKind, StatusCode

SLICE_SPANS = 500_000
"""About how many spans are linked at once. Each costs some 300 bytes while it is; twice as many are not faster."""

_FIND_TRACES = """
-- Every trace, by the low half of its id, with a span that starts in the window; and which commits its spans are in.
CREATE TEMP TABLE found AS
WITH halves AS (
    SELECT DISTINCT trace_id[9:16] AS low FROM (
        SELECT DISTINCT trace_id FROM spans WHERE start_ns BETWEEN $start_ns AND $end_ns)
), located AS (
    SELECT trace_low, min_seq, max_seq FROM traces
    UNION ALL
    SELECT trace_low, min_seq, max_seq FROM recent_traces
    UNION ALL
    SELECT ('0x' || hex(trace_id[9:16]))::UBIGINT, min(seq), max(seq) FROM spans
    WHERE seq > (SELECT watermark FROM upkeep) GROUP BY trace_id
)
SELECT low, min(min_seq) AS first_seq, max(max_seq) AS last_seq
FROM located JOIN halves ON trace_low = ('0x' || hex(low))::UBIGINT
GROUP BY low
"""

_CUT = """
-- The commits those traces are in, cut into blocks of about $slice spans: where each block ends.
CREATE TEMP TABLE blocks AS
WITH extent AS (
    SELECT rowid, seq FROM spans
    WHERE seq BETWEEN (SELECT min(first_seq) FROM found) AND (SELECT max(last_seq) FROM found)
)
SELECT (rowid - (SELECT min(rowid) FROM extent)) // $slice AS block, max(seq) AS end_seq FROM extent GROUP BY block
"""

_NUMBER_TRACES = """
-- Traces of one block after one another, then those that spread over more than two neighbouring blocks.
CREATE TEMP TABLE asked AS
SELECT low, first_seq, last_seq, ends.block, ends.block - starts.block > 1 AS wide,
    row_number() OVER (ORDER BY wide, ends.block) AS trace
FROM found
ASOF JOIN blocks AS starts ON first_seq <= starts.end_seq
ASOF JOIN blocks AS ends ON last_seq <= ends.end_seq
"""

_SLICES = """
-- What is linked at once: the traces that end in one block ...
SELECT min(trace), max(trace), min(first_seq), max(last_seq) FROM asked WHERE NOT wide GROUP BY block
UNION ALL
-- ... and about $slice spans of the widely spread ones, for which all that lies between is read.
SELECT min(trace), max(trace), min(first_seq), max(last_seq) FROM (
    SELECT trace, first_seq, last_seq, sum(size) OVER (ORDER BY trace) // $slice AS slice FROM (
        SELECT trace, first_seq, last_seq, count(*) AS size FROM spans JOIN asked ON trace_id[9:16] = low
        WHERE wide AND seq BETWEEN (SELECT min(first_seq) FROM asked WHERE wide)
                           AND (SELECT max(last_seq) FROM asked WHERE wide)
        GROUP BY ALL)
) GROUP BY slice
"""

_READ_SLICE = """
-- LINK_TABLE, but for remote_service: a peer.service has yet to take its place.
SELECT trace - $first_trace AS trace, spans.rowid AS written, span_id, parent_span_id, start_ns, kind, shared,
    service, local_ipv4, local_ipv6, local_port, remote_service,
    contains(attribute_keys, $error_key) OR (protocol <> $zipkin AND status_code = $error_status) AS error
FROM spans JOIN asked ON trace_id[9:16] = low
WHERE seq BETWEEN $first_seq AND $last_seq AND trace BETWEEN $first_trace AND $last_trace
"""

_READ_PEERS = """
-- Read apart, so that attributes are unpacked only where the key is: all of them would take longer than the rest.
SELECT rowid AS written, attributes ->> '$."peer.service"' AS remote_service FROM spans
WHERE seq BETWEEN $first_seq AND $last_seq AND contains(attribute_keys, $peer_key)
    AND kind IN ($client, $producer) AND protocol <> $zipkin AND coalesce(remote_service, '') = ''
    AND json_type(attributes, '$."peer.service"') = 'VARCHAR'
"""

_READ_VALUES = {
    "error_key": f"{KEY_SEPARATOR}{ERROR}{KEY_SEPARATOR}",
    "error_status": int(StatusCode.ERROR),
    "zipkin": int(Protocol.ZIPKIN),
}
_PEER_VALUES = {
    "peer_key": f"{KEY_SEPARATOR}{PEER_SERVICE}{KEY_SEPARATOR}",
    "client": int(SpanKind.CLIENT),
    "producer": int(SpanKind.PRODUCER),
    "zipkin": int(Protocol.ZIPKIN),
}


class _Slice(NamedTuple):
    first_trace: int
    last_trace: int
    first_seq: int
    last_seq: int


def links(
    cursor: duckdb.DuckDBPyConnection, start_ns: int, end_ns: int, *, slice_spans: int = SLICE_SPANS
) -> list[DependencyLink]:
    """SpanReader.dependencies of the store behind `cursor`, as of the moment of the call.

    The cursor must be idle, and is in no transaction before and after. slice_spans: about how many spans to hold at
    once; the answer does not depend on it. Raises what DuckDB raises.
    """
    calls: Counter[Call] = Counter()
    cursor.begin()
    try:
        cursor.execute(_FIND_TRACES, {"start_ns": start_ns, "end_ns": end_ns})
        cursor.execute(_CUT, {"slice": slice_spans})
        cursor.execute(_NUMBER_TRACES)
        for row in cursor.execute(_SLICES, {"slice": slice_spans}).fetchall():
            calls.update(calls_of_table(_read(cursor, _Slice(*row)), start_ns, end_ns).calls)
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()
    return summed(calls.items())


def _read(cursor: duckdb.DuckDBPyConnection, part: _Slice) -> pa.Table:
    """The spans of the slice's traces, as LINK_TABLE."""
    spans = cursor.execute(_READ_SLICE, _READ_VALUES | part._asdict()).to_arrow_table()
    places = {"first_seq": part.first_seq, "last_seq": part.last_seq}
    peers = cursor.execute(_READ_PEERS, _PEER_VALUES | places).to_arrow_table()
    if peers.num_rows:
        peer = peers["remote_service"].take(pc.index_in(spans["written"], value_set=peers["written"].combine_chunks()))
        at = LINK_TABLE.get_field_index("remote_service")
        spans = spans.set_column(at, "remote_service", pc.coalesce(peer, spans["remote_service"]))
    return spans.cast(LINK_TABLE)
