"""Call rates, error rates and latencies from the spans: counted by SQL, put together by arrays.

SQL counts the spans of each step, and for latencies of each bucket of durations in it: some hundred rows where there
are a million spans. A window is a run of steps, so all windows come from the same rows.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.requests import CallQuery, CallSeries
from storage.span import StatusCode

_Ints = npt.NDArray[np.int64]

_COUNT_CALLS = """
-- Steps count backwards from the last moment. A bucket is a 64th of a power of two wide: the highest 7 bits of the
-- duration, and how many bits follow. log2 is of a double, which rounds a duration of many bits up to the next power.
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
SELECT service, operation, step, count(*) AS calls, count(*) FILTER (error) AS errors,
    min(duration) AS shortest, max(duration) AS longest
FROM placed
GROUP BY service, operation, step, CASE WHEN $with_latencies THEN (shift << 7) + (duration >> shift) END
ORDER BY service, operation, step
"""

_NAMES = ("service", "operation")
_LEAST_NS = -(2**63)


def call_series(cursor: duckdb.DuckDBPyConnection, query: CallQuery) -> list[CallSeries]:
    """As SpanReader.call_series."""
    values = {
        "services": list(query.services),
        "kinds": list(query.kinds),
        "end_ns": query.end_ns,
        "after_ns": max(query.moments_ns[0] - query.window_ns, _LEAST_NS),
        "step_ns": query.step_ns,
        "window_ns": query.window_ns,
        "by_operation": query.by_operation,
        "with_latencies": query.quantile is not None,
        "error": int(StatusCode.ERROR),
    }
    counted = cursor.execute(_COUNT_CALLS, values).to_arrow_table()
    return [_series(rows, query) for rows in _by_name(counted)]


def _by_name(counted: pa.Table) -> Iterator[pa.Table]:
    """The rows of each service and operation: they stand together."""
    if not counted.num_rows:
        return
    keys = [counted[name].combine_chunks().dictionary_encode("encode").indices.to_numpy() for name in _NAMES]
    changes = np.flatnonzero(np.any([key[1:] != key[:-1] for key in keys], axis=0)) + 1
    bounds = [0, *changes.tolist(), counted.num_rows]
    for first, end in pairwise(bounds):
        yield counted.slice(first, end - first)


def _series(rows: pa.Table, query: CallQuery) -> CallSeries:
    width = max(1, query.window_ns // query.step_ns)
    step, calls, errors = (_column(rows, name) for name in ("step", "calls", "errors"))
    latencies: tuple[float | None, ...] = ()
    if query.quantile is not None:
        latencies = _latencies(rows, step, query.points, width, query.quantile)
    return CallSeries(
        rows["service"][0].as_py(),
        rows["operation"][0].as_py(),
        _in_windows(step, calls, query.points, width),
        _in_windows(step, errors, query.points, width),
        latencies,
    )


def _in_windows(step: _Ints, counts: _Ints, points: int, width: int) -> tuple[int, ...]:
    """The sum of each run of `width` steps, the oldest first."""
    steps = np.zeros(points + width, dtype=np.int64)
    np.add.at(steps, step + 1, counts)
    sums = np.cumsum(steps)
    return tuple((sums[width:] - sums[:-width])[::-1].tolist())


def _latencies(rows: pa.Table, step: _Ints, points: int, width: int, quantile: float) -> tuple[float | None, ...]:
    calls, shortest, longest = (_column(rows, name) for name in ("calls", "shortest", "longest"))
    firsts = np.searchsorted(step, np.arange(points)).tolist()
    ends = np.searchsorted(step, np.arange(points) + width).tolist()
    found: list[float | None] = []
    for first, end in zip(firsts, ends, strict=True):
        if first == end:
            found.append(None)
            continue
        order = first + np.argsort(shortest[first:end], kind="stable")
        found.append(_quantile(calls[order], shortest[order], longest[order], quantile))
    return tuple(reversed(found))


def _quantile(calls: _Ints, shortest: _Ints, longest: _Ints, quantile: float) -> float:
    """storage.calls.quantile of buckets whose durations are taken to lie evenly between their ends."""
    position = quantile * (int(calls.sum()) - 1)
    lower = int(position)
    ends = np.cumsum(calls)

    def at(rank: int) -> float:
        bucket = min(int(np.searchsorted(ends, rank, side="right")), len(ends) - 1)
        held, low, high = int(calls[bucket]), int(shortest[bucket]), int(longest[bucket])
        inside = rank - (int(ends[bucket]) - held)
        return low if held == 1 else low + (high - low) * min(inside, held - 1) / (held - 1)

    return at(lower) + (at(lower + 1) - at(lower)) * (position - lower)


def _column(rows: pa.Table, name: str) -> _Ints:
    values: Any = rows[name].combine_chunks().to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.int64)
