"""Counting calls by operation, period and bucket of durations, by sorting numbers: for the sums that stores keep.

A period is a stretch of time as long as every other (a minute, an hour), known by its number. It is numbered by its
end and holds what started after the period before, up to and including that end: the windows of a CallQuery are
closed at their end.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.latency_buckets import BUCKETS

Ints = npt.NDArray[np.int64]

COUNTED = pa.schema(
    [
        ("operation", pa.int32()),
        ("period", pa.int32()),
        ("bucket", pa.int16()),
        ("calls", pa.int64()),
        ("errors", pa.int64()),
    ]
)
"""Sorted by operation, period and bucket, each combination once; none with neither calls nor errors."""


def counted(operation: Ints, period: Ints, bucket: Ints, error: npt.NDArray[np.bool_]) -> pa.Table:
    """The calls given by these columns, one a row, as COUNTED.

    Operations have small numbers: up to 20 million, even if periods are minutes and lie 584 years apart.
    """
    if not len(operation):
        return COUNTED.empty_table()
    keys = _Keys(period)
    sorted_keys = np.sort(keys.of(operation, period, bucket) << 1 | error)
    firsts = _firsts(sorted_keys >> 1)
    errors = np.add.reduceat(sorted_keys & 1, firsts)
    return keys.table(sorted_keys[firsts] >> 1, np.diff(np.append(firsts, len(sorted_keys))), errors)


def summed(parts: pa.Table) -> pa.Table:
    """The sums of rows of the columns of COUNTED, in any order and repeated, also negative ones, as COUNTED."""
    if not parts.num_rows:
        return COUNTED.empty_table()
    operation, period, bucket, calls, errors = (column(parts, name) for name in COUNTED.names)
    keys = _Keys(period)
    packed = keys.of(operation, period, bucket)
    order = np.argsort(packed, kind="stable")
    firsts = _firsts(packed[order])
    calls, errors = np.add.reduceat(calls[order], firsts), np.add.reduceat(errors[order], firsts)
    kept = (calls != 0) | (errors != 0)
    return keys.table(packed[order][firsts][kept], calls[kept], errors[kept])


def in_longer_periods(table: pa.Table, periods: int) -> pa.Table:
    """COUNTED by periods, each of which is so many of the table's."""
    period = -(-column(table, "period") // periods)
    return summed(table.set_column(COUNTED.get_field_index("period"), "period", pa.array(period, pa.int32())))


def without_buckets(table: pa.Table) -> pa.Table:
    """COUNTED with all durations in bucket 0, of a table that is COUNTED but for rows below zero."""
    if not table.num_rows:
        return table
    operation, period, _, calls, errors = (column(table, name) for name in COUNTED.names)
    firsts = np.flatnonzero(np.concatenate(([True], (np.diff(operation) != 0) | (np.diff(period) != 0))))
    sums = np.add.reduceat(calls, firsts), np.add.reduceat(errors, firsts)
    return _table(operation[firsts], period[firsts], np.zeros(len(firsts), dtype=np.int16), *sums)


def with_operations(table: pa.Table, operation: Ints) -> pa.Table:
    """The same rows, each of another operation."""
    return table.set_column(COUNTED.get_field_index("operation"), "operation", pa.array(operation, pa.int32()))


def negated(table: pa.Table) -> pa.Table:
    """The same table with its counts below zero."""
    operation, period, bucket, calls, errors = (column(table, name) for name in COUNTED.names)
    return _table(operation, period, bucket, -calls, -errors)


def column(table: pa.Table, name: str) -> Ints:
    """A column of integers without nulls."""
    values: Ints = table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return values


def _table(*columns: npt.NDArray[np.integer]) -> pa.Table:
    arrays = (each.astype(field.type.to_pandas_dtype()) for each, field in zip(columns, COUNTED, strict=True))
    return pa.table(list(arrays), schema=COUNTED)


class _Keys:
    """One number for operation, period and bucket, in their order."""

    def __init__(self, period: Ints) -> None:
        self._first = int(period.min())
        self._periods = int(period.max()) - self._first + 1

    def of(self, operation: Ints, period: Ints, bucket: Ints) -> Ints:
        return (operation * self._periods + (period - self._first)) * BUCKETS + bucket

    def table(self, keys: Ints, calls: Ints, errors: Ints) -> pa.Table:
        above, bucket = np.divmod(keys, BUCKETS)
        operation, period = np.divmod(above, self._periods)
        return _table(operation, period + self._first, bucket, calls, errors)


def _firsts(sorted_keys: Ints) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.concatenate(([True], sorted_keys[1:] != sorted_keys[:-1])))
