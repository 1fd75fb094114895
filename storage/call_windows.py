"""From calls counted by step and by bucket of durations, as a database can count them, to the windows of a CallQuery.

Steps are numbered backwards from the query's last moment; a window is a run of them. Latencies are found among the
buckets of a window as storage.calls finds them among its calls, those of a bucket taken to lie evenly between the
shortest and the longest of them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.requests import CallQuery, CallSeries

COUNTED_CALLS = pa.schema(
    [
        pa.field("service", pa.string()),
        pa.field("operation", pa.string()),
        pa.field("bucket", pa.int64()),
        pa.field("step", pa.int64()),
        pa.field("calls", pa.int64()),
        pa.field("errors", pa.int64()),
        pa.field("shortest", pa.int64()),
        pa.field("longest", pa.int64()),
    ]
)
"""Sorted by service, operation, bucket, step, each combination once. operation: null unless the query is by_operation.
bucket: a number that grows with the duration; 0 when no latencies are asked. shortest, longest: durations in ns."""

_Ints = npt.NDArray[np.int64]


def series_of_counts(counted: pa.Table, query: CallQuery) -> list[CallSeries]:
    """The series of COUNTED_CALLS, which holds only calls that the query asks for."""
    width = max(1, query.window_ns // query.step_ns)
    return [_series(rows, query, width) for rows in _most_called(counted, query.limit)]


def _most_called(counted: pa.Table, limit: int) -> Iterator[pa.Table]:
    """The rows of each service and operation, which stand together: of the `limit` with the most calls."""
    if not counted.num_rows:
        return
    names = (counted[name].combine_chunks().dictionary_encode("encode") for name in ("service", "operation"))
    changed = np.any([np.diff(name.indices.to_numpy()) != 0 for name in names], axis=0)
    firsts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    sizes = np.diff(np.append(firsts, counted.num_rows))
    calls = np.add.reduceat(_column(counted, "calls"), firsts)
    for place in sorted(np.argsort(-calls, kind="stable")[:limit].tolist()):
        yield counted.slice(firsts[place], sizes[place])


def _series(rows: pa.Table, query: CallQuery, width: int) -> CallSeries:
    step = _column(rows, "step")
    latencies: tuple[float | None, ...] = ()
    if query.quantile is not None:
        latencies = tuple(_Buckets(rows, query.points, width).latencies(query.quantile))
    return CallSeries(
        rows["service"][0].as_py(),
        rows["operation"][0].as_py(),
        _in_windows(step, _column(rows, "calls"), query.points, width),
        _in_windows(step, _column(rows, "errors"), query.points, width),
        latencies,
    )


def _in_windows(step: _Ints, counts: _Ints, points: int, width: int) -> tuple[int, ...]:
    """The sum of each run of `width` steps, the oldest first."""
    steps = np.zeros(points + width, dtype=np.int64)
    np.add.at(steps, step + 1, counts)
    sums = np.cumsum(steps)
    return tuple((sums[width:] - sums[:-width])[::-1].tolist())


class _Buckets:
    """The buckets of one series. Rows are sorted by bucket and step, so a window of a bucket is a run of rows."""

    def __init__(self, rows: pa.Table, points: int, width: int) -> None:
        found, bucket = np.unique(_column(rows, "bucket"), return_inverse=True)
        step = _column(rows, "step")
        self._width = width
        self._steps = points + width
        self._places = bucket.astype(np.int64) * self._steps + step
        self._calls = self._in_windows(len(found), bucket, step, _column(rows, "calls"))
        # One more, because a run of rows may end where the rows do.
        self._shortest = np.append(_column(rows, "shortest"), 0)
        self._longest = np.append(_column(rows, "longest"), 0)

    def latencies(self, quantile: float) -> list[float | None]:
        """For each moment, the oldest first; None where nothing was called."""
        up_to = np.cumsum(self._calls, axis=0, dtype=np.int64)
        found: list[float | None] = [None] * up_to.shape[1]
        window = np.flatnonzero(up_to[-1])
        if len(window):
            position = quantile * (up_to[-1, window] - 1)
            lower = np.floor(position).astype(np.int64)
            upper = np.minimum(lower + 1, up_to[-1, window] - 1)
            below, above = self._at(lower, window, up_to), self._at(upper, window, up_to)
            values = below + (above - below) * (position - lower)
            for place, value in zip(window.tolist(), values.tolist(), strict=True):
                found[place] = value
        return found[::-1]

    def _in_windows(self, buckets: int, bucket: _Ints, step: _Ints, calls: _Ints) -> npt.NDArray[np.int32]:
        """The calls of each bucket, a row, in each window, a column; the newest window first."""
        sums = np.zeros((buckets, self._steps + 1), dtype=np.int32)
        sums[bucket, step + 1] = calls
        np.cumsum(sums, axis=1, out=sums)
        return sums[:, self._width : -1] - sums[:, : -self._width - 1]

    def _at(self, rank: _Ints, window: _Ints, up_to: _Ints) -> npt.NDArray[np.float64]:
        """The duration of that rank in each of these windows, which are not empty."""
        bucket = np.count_nonzero(up_to[:, window] <= rank, axis=0)
        place = bucket * self._steps + window
        runs = np.column_stack(
            (np.searchsorted(self._places, place), np.searchsorted(self._places, place + self._width))
        )
        shortest = np.minimum.reduceat(self._shortest, runs.ravel())[::2]
        longest = np.maximum.reduceat(self._longest, runs.ravel())[::2]
        held = self._calls[bucket, window]
        inside = rank - (up_to[bucket, window] - held)
        found: npt.NDArray[np.float64] = shortest + (longest - shortest) * (inside / np.maximum(held - 1, 1))
        return found


def _column(rows: pa.Table, name: str) -> _Ints:
    values: Any = rows[name].combine_chunks().to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.int64)
