"""Reading whole traces for the linker, by windows of time that hold few enough spans for memory.

A trace is linked in the window that its timestamp lies in, which is the start of one of its spans: so all traces of a
window have a span that starts there.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np
import pyarrow as pa

from storage.clickhouse import sql
from storage.clickhouse.candidates import bucket_of
from storage.clickhouse.connection import Connection
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

_WHOLE_TRACES = f"""
-- LINK_TABLE, with the low half of the trace's id for `trace`.
SELECT {sql.TRACE_LOW} AS trace, written, span_id, parent_span_id, start_ns, kind, shared, service, local_ipv4,
    JSONExtract(ifNull(rare, ''), 'local_ipv6', 'Nullable(String)') AS local_ipv6, local_port, remote_service,
    position(splitByString({{elsewhere:String}}, attribute_keys)[1], {{error_key:String}}) > 0
        OR (protocol <> {{zipkin:UInt8}} AND status_code = {{error_status:UInt8}}) AS error
FROM spans
WHERE bucket IN (SELECT bucket FROM trace_buckets WHERE trace_low IN ({_STARTED}))
    AND {sql.TRACE_LOW} IN ({_STARTED}) AND {sql.HELD}
"""


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
    found = connection.table(_WHOLE_TRACES, {**sql.ERROR_VALUES, **_values(window)}).rename_columns(LINK_TABLE.names)
    _, trace = np.unique(found["trace"].to_numpy(), return_inverse=True)
    numbered = found.set_column(0, "trace", pa.array(trace.astype(np.int64)))
    return numbered.cast(LINK_TABLE)


def lows_started(connection: Connection, window: Window) -> list[int]:
    """The low halves of the ids of these traces, as `sql.TRACE_LOW` has them."""
    statement = f"SELECT DISTINCT low FROM ({_STARTED})"
    return [low for (low,) in connection.rows(statement, _values(window))]


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
