"""Call rates, error rates and latencies from the spans: SQL counts those of each step, and for latencies of each bucket
of durations in it, some thousand rows where there are a million spans; storage.call_windows does the rest."""

import duckdb

from storage.call_windows import COUNTED_CALLS, series_of_counts
from storage.requests import CallQuery, CallSeries
from storage.span import StatusCode

_COUNT_CALLS = """
-- COUNTED_CALLS. A bucket is a 64th of a power of two wide: the highest 7 bits of the duration, and how many follow.
-- log2 is of a double, which rounds a duration of many bits up to the next power.
WITH calls AS (
    SELECT service, CASE WHEN $by_operation THEN coalesce(name, '') END AS operation,
        ($end_ns - start_ns) // $step_ns AS step, greatest(coalesce(duration_ns, 0), 0) AS duration,
        status_code = $error AS error
    FROM spans
    WHERE start_ns > $after_ns AND start_ns <= $end_ns
        AND list_contains($services::VARCHAR[], service) AND list_contains($kinds::INTEGER[], kind)
        AND CASE WHEN start_ns > $after_ns AND start_ns <= $end_ns
                 THEN ($end_ns - start_ns) % $step_ns < $window_ns ELSE false END
), measured AS (
    SELECT *, CASE WHEN $with_latencies AND duration >= 128
                   THEN least(62, floor(log2(duration)))::BIGINT END AS log
    FROM calls
), placed AS (
    SELECT *, CASE WHEN log IS NOT NULL THEN log - ((1::BIGINT << log) > duration)::BIGINT - 6 ELSE 0 END AS shift
    FROM measured
)
SELECT service, operation, CASE WHEN $with_latencies THEN (shift << 7) + (duration >> shift) ELSE 0 END AS bucket, step,
    count(*) AS calls, count(*) FILTER (error) AS errors, min(duration) AS shortest, max(duration) AS longest
FROM placed
GROUP BY service, operation, bucket, step
ORDER BY service, operation, bucket, step
"""

LEAST_NS = -(2**63)


def begin_ns(query: CallQuery) -> int:
    """What spans start after that any window may count."""
    return max(query.moments_ns[0] - query.window_ns, LEAST_NS)


def call_series(cursor: duckdb.DuckDBPyConnection, query: CallQuery) -> list[CallSeries]:
    """As SpanReader.call_series."""
    values = {
        "services": list(query.services),
        "kinds": list(query.kinds),
        "end_ns": query.end_ns,
        "after_ns": begin_ns(query),
        "step_ns": query.step_ns,
        "window_ns": query.window_ns,
        "by_operation": query.by_operation,
        "with_latencies": query.quantile is not None,
        "error": int(StatusCode.ERROR),
    }
    return series_of_counts(cursor.execute(_COUNT_CALLS, values).to_arrow_table().cast(COUNTED_CALLS), query)
