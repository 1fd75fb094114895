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

_VALUES_NS = values_ns(np.arange(BUCKETS))
_CELLS_AT_ONCE = 2**21
"""Counts that are held at once, 8 bytes each, unless one series has more."""
_USUAL_BUCKETS = 150
"""How many buckets series have among them, about: durations from 1 ms to 10 s."""


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
    slow: list[_Latencies] = [()] * len(named)
    if latencies is not None and query.quantile is not None:
        slow = _latencies_ns(latencies, of_calls, query.quantile, query)
    return [
        CallSeries(*named[series], tuple(of_calls[series].tolist()), tuple(of_errors[series].tolist()), slow[series])
        for series in np.flatnonzero(of_calls.any(axis=1)).tolist()
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


def _latencies_ns(latencies: pa.Table, of_calls: Ints, quantile: float, query: CallQuery) -> list[_Latencies]:
    """Of each series at each moment; None where nothing was called. of_calls: how many calls each had at each."""
    at_once = max(1, _CELLS_AT_ONCE // (_USUAL_BUCKETS * (query.steps + 1)))
    rows_of = _rows_by_series(latencies, len(of_calls))
    found: list[_Latencies] = []
    for first in range(0, len(of_calls), at_once):
        stop = min(first + at_once, len(of_calls))
        found += _quantiles_ns(*rows_of(first, stop), of_calls[first:stop], quantile, query)
    return found


def _rows_by_series(
    latencies: pa.Table, size: int
) -> Callable[[int, int], tuple[_Numbers, _Numbers, _Numbers, _Numbers]]:
    """What gives the columns of the series [first, stop): series numbered from `first`, step, bucket and calls."""
    series, *columns = (latencies[name].combine_chunks().to_numpy() for name in STEP_LATENCIES.names)
    # Sorting numbers of 8 and 16 bits stably, numpy counts instead of comparing.
    small = np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.int32
    order = np.argsort(series.astype(small), kind="stable")
    firsts = np.concatenate(([0], np.cumsum(np.bincount(series, minlength=size))))

    def rows_of(first: int, stop: int) -> tuple[_Numbers, _Numbers, _Numbers, _Numbers]:
        rows = order[firsts[first] : firsts[stop]]
        step, bucket, calls = (each[rows] for each in columns)
        return np.repeat(np.arange(stop - first), np.diff(firsts[first : stop + 1])), step, bucket, calls

    return rows_of


def _quantiles_ns(
    series: _Numbers,
    step: _Numbers,
    bucket: _Numbers,
    calls: _Numbers,
    of_calls: Ints,
    quantile: float,
    query: CallQuery,
) -> list[_Latencies]:
    """As _latencies_ns, of a few series at once: their steps stand one after another in a row for each bucket."""
    held = np.flatnonzero(np.bincount(bucket, minlength=BUCKETS))
    row_of = np.zeros(BUCKETS, dtype=np.int64)
    row_of[held] = np.arange(len(held))
    steps = query.steps + 1
    columns = len(of_calls) * steps
    up_to = _summed(row_of[bucket] * columns + series * steps + step + 1, calls, len(held) * columns)
    up_to = up_to.reshape(-1, columns)
    np.cumsum(up_to, axis=1, out=up_to)
    # As np.cumsum(axis=0), which is ten times slower.
    for row, below in zip(up_to[1:], up_to, strict=False):
        row += below
    called = np.flatnonzero(of_calls)
    position = quantile * (of_calls.ravel()[called] - 1)
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, of_calls.ravel()[called] - 1)
    begins = np.tile(called // query.points * steps + called % query.points, 2)
    rows = _rows_of_ranks(up_to, begins, begins + _width(query), np.concatenate([lower, upper]))
    low, high = _VALUES_NS[held][rows].reshape(2, -1)
    found = np.full(of_calls.size, None)
    found[called] = low + (high - low) * (position - lower)
    return [tuple(each) for each in found.reshape(of_calls.shape).tolist()]


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
