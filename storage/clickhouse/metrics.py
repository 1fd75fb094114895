"""Call rates, error rates and latencies from the spans: SQL counts those of each step, and for latencies of each bucket
of durations in it, some thousand rows where there are a million spans; storage.call_windows does the rest."""

from storage.call_windows import COUNTED_CALLS, series_of_counts
from storage.clickhouse import sql
from storage.clickhouse.candidates import bucket_of
from storage.clickhouse.connection import Connection
from storage.requests import CallQuery, CallSeries
from storage.span import StatusCode

_COUNT_CALLS = f"""
-- COUNTED_CALLS. A bucket is a 64th of a power of two wide: the highest 7 bits of the duration, and how many follow.
-- log2 is of a double, which rounds a duration of many bits up to the next power.
WITH
    greatest(ifNull(duration_ns, 0), 0) AS duration,
    if({{with_latencies:Bool}} AND duration >= 128, least(62, toInt64(floor(log2(duration)))), NULL) AS log,
    ifNull(log - toInt64(bitShiftLeft(toInt64(1), assumeNotNull(log)) > duration) - 6, 0) AS shift
SELECT toString(service) AS service, if({{by_operation:Bool}}, ifNull(toString(name), ''), NULL) AS operation,
    if({{with_latencies:Bool}}, bitShiftLeft(toInt64(shift), 7) + bitShiftRight(duration, shift), 0) AS bucket_of_calls,
    intDiv({{end_ns:Int64}} - assumeNotNull(start_ns), {{step_ns:Int64}}) AS step,
    toInt64(count()) AS calls, toInt64(countIf(status_code = {{error:UInt8}})) AS errors,
    min(duration) AS shortest, max(duration) AS longest
FROM spans
WHERE bucket BETWEEN {{first_bucket:Int32}} AND {{last_bucket:Int32}}
    AND start_ns > {{after_ns:Int64}} AND start_ns <= {{end_ns:Int64}}
    AND service IN {{services:Array(String)}} AND kind IN {{kinds:Array(UInt8)}}
    AND ({{end_ns:Int64}} - assumeNotNull(start_ns)) % {{step_ns:Int64}} < {{window_ns:Int64}} AND {sql.HELD}
GROUP BY service, operation, bucket_of_calls, step
ORDER BY service, operation, bucket_of_calls, step
"""

_LEAST_NS = -(2**63)


def call_series(connection: Connection, query: CallQuery) -> list[CallSeries]:
    """As SpanReader.call_series."""
    after_ns = max(query.moments_ns[0] - query.window_ns, _LEAST_NS)
    values = {
        "services": list(query.services),
        "kinds": list(query.kinds),
        "end_ns": query.end_ns,
        "after_ns": after_ns,
        "first_bucket": bucket_of(after_ns),
        "last_bucket": bucket_of(query.end_ns),
        "step_ns": query.step_ns,
        "window_ns": query.window_ns,
        "by_operation": query.by_operation,
        "with_latencies": query.quantile is not None,
        "error": int(StatusCode.ERROR),
    }
    counted = connection.table(_COUNT_CALLS, values).rename_columns(COUNTED_CALLS.names)
    return series_of_counts(counted.cast(COUNTED_CALLS), query)
