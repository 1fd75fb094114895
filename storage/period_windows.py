"""From sums of calls by period, as stores keep them, to the windows of a CallQuery.

What storage.call_windows does for calls that a query counts by itself. A latency is found among the buckets of
storage.latency_buckets, so it is as accurate as they are.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.call_counts import Ints, column
from storage.latency_buckets import BUCKETS, values_ns
from storage.requests import CallQuery, CallSeries

STEP_CALLS = pa.schema([("series", pa.int32()), ("step", pa.int32()), ("calls", pa.int64()), ("errors", pa.int64())])
"""series: the place of one in a list. step: numbered from the oldest, from 0 to query.steps - 1. Rows come in any order
and repeated; counts below zero are taken off."""
STEP_LATENCIES = pa.schema(
    [("series", pa.int32()), ("step", pa.int32()), ("bucket", pa.int16()), ("calls", pa.int32())]
)
"""As STEP_CALLS, by bucket of storage.latency_buckets."""

_Latencies = tuple[float | None, ...]
_Numbers = npt.NDArray[np.integer]


class Named(NamedTuple):
    """What a series is of; operation as in CallSeries."""

    service: str
    operation: str | None


def series_of_steps(
    named: Sequence[Named], calls: pa.Table, latencies: pa.Table | None, query: CallQuery
) -> list[CallSeries]:
    """Those of the named series that have calls, in their order. latencies: STEP_LATENCIES, None if not asked for."""
    cells = column(calls, "series") * query.steps + column(calls, "step")
    of_calls, of_errors = (
        _in_windows(_summed(cells, column(calls, name), len(named) * query.steps).reshape(-1, query.steps), query)
        for name in ("calls", "errors")
    )
    called = np.flatnonzero(of_calls.any(axis=1)).tolist()
    slow: dict[int, _Latencies] = {}
    if latencies is not None and query.quantile is not None:
        rows_of = _by_series(latencies)
        slow = {series: _latencies_ns(*rows_of(series), of_calls[series], query) for series in called}
    return [
        CallSeries(
            *named[series], tuple(of_calls[series].tolist()), tuple(of_errors[series].tolist()), slow.get(series, ())
        )
        for series in called
    ]


def _in_windows(steps: Ints, query: CallQuery) -> Ints:
    """The sums of the steps, columns, of each window."""
    up_to = np.zeros((len(steps), query.steps + 1), dtype=np.int64)
    np.cumsum(steps, axis=1, out=up_to[:, 1:])
    windows: Ints = up_to[:, _width(query) :] - up_to[:, : query.points]
    return windows


def _width(query: CallQuery) -> int:
    """Of a window, in steps."""
    return query.steps - query.points + 1


def _by_series(latencies: pa.Table) -> Callable[[int], tuple[_Numbers, _Numbers, _Numbers]]:
    """What gives the columns step, bucket and calls of one series."""
    series, *columns = (latencies[name].combine_chunks().to_numpy() for name in STEP_LATENCIES.names)
    largest = series.max(initial=0)
    order = np.argsort(series.astype(np.uint16) if largest < 2**16 else series, kind="stable")
    firsts = np.searchsorted(series[order], np.arange(largest + 2))

    def rows_of(number: int) -> tuple[_Numbers, _Numbers, _Numbers]:
        rows = order[firsts[number] : firsts[number + 1]]
        step, bucket, calls = (each[rows] for each in columns)
        return step, bucket, calls

    return rows_of


def _latencies_ns(step: _Numbers, bucket: _Numbers, calls: _Numbers, of_calls: Ints, query: CallQuery) -> _Latencies:
    """At each moment; None where nothing was called. of_calls: how many calls there were at each."""
    assert query.quantile is not None
    held = np.flatnonzero(np.bincount(bucket, minlength=BUCKETS))
    row_of = np.zeros(BUCKETS, dtype=np.int64)
    row_of[held] = np.arange(len(held))
    columns = query.steps + 1
    up_to = _summed(row_of[bucket] * columns + step + 1, calls, len(held) * columns).reshape(-1, columns)
    np.cumsum(up_to, axis=1, out=up_to)
    # As np.cumsum(axis=0), which is ten times slower.
    for row, below in zip(up_to[1:], up_to, strict=False):
        row += below
    moments = np.flatnonzero(of_calls)
    position = query.quantile * (of_calls[moments] - 1)
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, of_calls[moments] - 1)
    begins = np.tile(moments, 2)
    rows = _rows_of_ranks(up_to, begins, begins + _width(query), np.concatenate([lower, upper]))
    low, high = values_ns(held)[rows].reshape(2, -1)
    found: list[float | None] = [None] * query.points
    for moment, value in zip(moments.tolist(), (low + (high - low) * (position - lower)).tolist(), strict=True):
        found[moment] = value
    return tuple(found)


def _rows_of_ranks(up_to: Ints, begins: Ints, ends: Ints, ranks: Ints) -> Ints:
    """The first row by which more than `rank` calls were counted between two columns: a binary search of each."""
    low, high = np.zeros_like(ranks), np.full_like(ranks, len(up_to) - 1)
    for _ in range(len(up_to).bit_length()):
        middle = (low + high) >> 1
        beyond = up_to[middle, ends] - up_to[middle, begins] <= ranks
        low, high = np.where(beyond, middle + 1, low), np.where(beyond, high, middle)
    return low


def _summed(cells: Ints, counts: _Numbers, size: int) -> Ints:
    sums = np.zeros(size, dtype=np.int64)
    # Both of one type: otherwise numpy adds twenty times slower.
    np.add.at(sums, cells, counts.astype(np.int64, copy=False))
    return sums
