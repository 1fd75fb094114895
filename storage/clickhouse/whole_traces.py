"""Reading whole traces for the linker, by windows of time that hold few enough spans for memory.

A trace is linked in the window that its timestamp lies in, which is the start of one of its spans: so all traces of a
window have a span that starts there.
"""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.clickhouse import sql
from storage.clickhouse.candidates import bucket_of
from storage.clickhouse.connection import Connection
from storage.linking.graph_table import GRAPH_TABLE, Describe
from storage.linking.peer import PEER_KEYS, PEER_KINDS
from storage.linking.table import LINK_TABLE

Window = tuple[int, int]
"""From the first to the last start, both inclusive, in epoch nanoseconds, within int64."""

WINDOW_SPANS = 300_000
"""About how many spans a window holds. Each costs some 300 bytes while it is read and linked."""

_LEAST_NS, _LARGEST_NS = -(2**63), 2**63 - 1

_SPANS_BY_BUCKET = f"""
SELECT bucket, count() FROM spans
WHERE bucket BETWEEN {{first_bucket:Int32}} AND {{last_bucket:Int32}} AND {sql.HELD}
GROUP BY bucket ORDER BY bucket
"""

_STARTED = f"""
SELECT {sql.TRACE_LOW} AS low FROM spans
WHERE bucket BETWEEN {{first_bucket:Int32}} AND {{last_bucket:Int32}}
    AND start_ns BETWEEN {{first_ns:Int64}} AND {{last_ns:Int64}} AND {sql.HELD}
"""

_COLUMNS = f"""
{sql.TRACE_LOW} AS trace, written, span_id, parent_span_id, start_ns, kind, shared, service, local_ipv4,
    JSONExtract(ifNull(rare, ''), 'local_ipv6', 'Nullable(String)') AS local_ipv6, local_port, remote_service,
    position(splitByString({{elsewhere:String}}, attribute_keys)[1], {{error_key:String}}) > 0
        OR (protocol <> {{zipkin:UInt8}} AND status_code = {{error_status:UInt8}}) AS error
"""
"""LINK_TABLE, with the low half of the trace's id for `trace`."""

_PEER_TEXTS = """
if(kind IN {peer_kinds:Array(UInt8)}, arrayPushBack(
    arrayMap(
        key -> multiIf(startsWith(values[key], '"'), JSONExtractString(values[key]), values[key] = 'true', 'true', ''),
        {peer_keys:Array(String)}
    ),
    coalesce(remote_ipv4, JSONExtract(ifNull(rare, ''), 'remote_ipv6', 'Nullable(String)'), '')
), []) AS peer_texts
"""
"""What `peer_table.peers_of` takes, of spans of the kinds that may describe a far end."""

_VALUES_OF_KEYS = """
CAST(arrayFilter(pair -> has({peer_keys:Array(String)}, pair.1), JSONExtractKeysAndValuesRaw(attributes)),
    'Map(String, String)') AS values
"""

_OF_WINDOW = f"""
bucket IN (SELECT bucket FROM trace_buckets WHERE trace_low IN ({_STARTED}))
    AND {sql.TRACE_LOW} IN ({_STARTED}) AND {sql.HELD}
"""

_LINK_ROWS = f"SELECT {_COLUMNS} FROM spans WHERE {_OF_WINDOW}"
_GRAPH_ROWS = f"WITH {_VALUES_OF_KEYS} SELECT {_COLUMNS}, duration_ns, {_PEER_TEXTS} FROM spans WHERE {_OF_WINDOW}"
_PEER_VALUES = {"peer_kinds": sorted(map(int, PEER_KINDS)), "peer_keys": list(PEER_KEYS[:-1])}
"""The last key is no attribute."""


class DescribedTraces(NamedTuple):
    """spans: GRAPH_TABLE of whole traces. describe: of this table."""

    spans: pa.Table
    describe: Describe


def windows_of(connection: Connection, asked: Window, window_spans: int = WINDOW_SPANS) -> Iterator[Window]:
    """The parts of the asked window that have spans, about `window_spans` each, oldest first; none overlap."""
    first_ns, last_ns = max(asked[0], _LEAST_NS), min(asked[1], _LARGEST_NS)
    if first_ns > last_ns:
        return
    begin_ns, held = first_ns, 0
    counts = connection.rows(_SPANS_BY_BUCKET, {"first_bucket": bucket_of(first_ns), "last_bucket": bucket_of(last_ns)})
    for bucket, spans in counts:
        if held and held + spans > window_spans:
            end_ns = min(max(_first_of(bucket) - 1, begin_ns), last_ns)
            yield begin_ns, end_ns
            begin_ns, held = end_ns + 1, 0
        if spans > window_spans and begin_ns <= last_ns:
            end_ns = min(_first_of(bucket + 1) - 1, last_ns)
            yield from _cut(begin_ns, end_ns, ceil(spans / window_spans))
            begin_ns, held = end_ns + 1, 0
        else:
            held += spans
    if held and begin_ns <= last_ns:
        yield begin_ns, last_ns


def link_table(connection: Connection, window: Window) -> pa.Table:
    """LINK_TABLE of the whole traces with a span that starts in the window."""
    return _numbered(connection.table(_LINK_ROWS, {**sql.ERROR_VALUES, **_values(window)})).cast(LINK_TABLE)


def graph_table(connection: Connection, window: Window) -> DescribedTraces:
    """The same with what tells of far ends, for all spans that may: they are read together."""
    values = {**sql.ERROR_VALUES, **_PEER_VALUES, **_values(window)}
    found = _numbered(connection.table(_GRAPH_ROWS, values))
    texts = found["peer_texts"].combine_chunks()
    return DescribedTraces(found.select(GRAPH_TABLE.names).cast(GRAPH_TABLE), lambda rows: texts.take(pa.array(rows)))


def _numbered(found: pa.Table) -> pa.Table:
    """With numbers from 0 on for the traces."""
    _, trace = np.unique(found["trace"].to_numpy(), return_inverse=True)
    return found.set_column(0, "trace", pa.array(trace.astype(np.int64)))


def _values(window: Window) -> dict[str, object]:
    return {
        "first_ns": window[0],
        "last_ns": window[1],
        "first_bucket": bucket_of(window[0]),
        "last_bucket": bucket_of(window[1]),
    }


def _first_of(bucket: int) -> int:
    """The first start of a bucket; bucket 0 has those before 1970 that round to it, too."""
    return max(_LEAST_NS, bucket * sql.BUCKET_NS if bucket > 0 else (bucket - 1) * sql.BUCKET_NS + 1)


def _cut(first_ns: int, last_ns: int, parts: int) -> Iterator[Window]:
    """The window in equal parts."""
    length_ns = max(1, ceil((last_ns - first_ns + 1) / parts))
    for begin_ns in range(first_ns, last_ns + 1, length_ns):
        yield begin_ns, min(begin_ns + length_ns - 1, last_ns)
