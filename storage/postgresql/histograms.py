"""Sums of calls by what is called and when, with the buckets of their durations: a row a key and period.

The buckets (storage.latency_buckets) stand in arrays, for a row takes PostgreSQL 60 bytes beside what it says: the week
of one operation in hours are 168 rows, not one for each of its hundred durations. Rows are read, added to in numpy and
written anew, all that change at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.latency_buckets import BUCKETS
from storage.linking.row_index import Ints
from storage.postgresql.session import Arrows

_DENSE_CELLS = 2**23
"""Added up in an array that has them all: 64 MiB at most."""

_TOUCH = "CREATE TEMP TABLE touched (number bigint, minutes integer, period bigint, {key} bigint) ON COMMIT DROP"
_HELD = "SELECT number, calls, errors, buckets, counts FROM {table} JOIN touched USING (minutes, period, {key})"
_FORGET = """
DELETE FROM {table} USING touched
WHERE {table}.minutes = touched.minutes AND {table}.period = touched.period AND {table}.{key} = touched.{key}
"""


class Kept(NamedTuple):
    """A table of such sums. key: the column of what is called. minutes: how long its periods are, from 1 up.

    longer: the number of the period of so many minutes that a minute is in.
    """

    table: str
    key: str
    minutes: tuple[int, ...]
    longer: Callable[[Ints, int], Ints]


class Calls(NamedTuple):
    """Calls, a row each or some, below zero where there are less; any order, repeated. bucket: -1 if not known."""

    key: Ints
    minute: Ints
    bucket: Ints
    calls: Ints
    errors: Ints


class Cells(NamedTuple):
    """The buckets of some rows: the place of each one's row, its number, and its calls."""

    row: Ints
    bucket: Ints
    calls: Ints


def cells_of(rows: pa.Table) -> Cells:
    """The buckets in rows with the columns `buckets` and `counts`."""
    buckets, counts = (rows[name].combine_chunks() for name in ("buckets", "counts"))
    return Cells(
        np.repeat(np.arange(rows.num_rows), np.diff(buckets.offsets.to_numpy())), _flat(buckets), _flat(counts)
    )


def summed(keys: Ints, *values: Ints) -> tuple[Ints, ...]:
    """The keys, each once, sorted, and what the values of each add up to; without those that add up to none."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    sums = [np.add.reduceat(each[order], firsts) if firsts.size else each[:0] for each in values]
    some = np.any(sums, axis=0)
    return (keys[firsts][some], *(each[some] for each in sums))


def summed_cells(rows: int, cells: Cells) -> tuple[Ints, Ints]:
    """Each cell (row * BUCKETS + bucket) once, rising, and its calls; of cells in the first `rows` rows."""
    cell = cells.row * BUCKETS + cells.bucket
    if rows * BUCKETS > _DENSE_CELLS:
        found, calls = summed(cell, cells.calls)
        return found, calls
    # A tenth of what sorting takes.
    sums = np.zeros(rows * BUCKETS, np.int64)
    np.add.at(sums, cell, cells.calls)
    some = np.flatnonzero(sums)
    return some, sums[some]


def add(connection: Arrows, kept: Kept, calls: Calls) -> None:
    """Add these calls to the sums, in the caller's transaction. A row without calls is deleted."""
    if not calls.key.size:
        return
    places = _Places.of(kept, calls)
    change = _change(places, calls)
    touched = np.unique(np.concatenate([change.place, change.cell // BUCKETS]))
    connection.execute(_TOUCH.format(key=kept.key))
    columns = {"number": pa.array(np.arange(len(touched))), **places.columns(touched)}
    connection.ingest("touched", pa.table(columns), temporary=True)
    # Otherwise it is taken for some thousand rows, whatever is in it.
    connection.execute("ANALYZE touched")
    held = _held(connection.fetch(_HELD.format(table=kept.table, key=kept.key)), touched)
    connection.execute(_FORGET.format(table=kept.table, key=kept.key))
    connection.execute("DROP TABLE touched")
    rows = _rows(places, _together([held, change]))
    if rows.num_rows:
        connection.ingest(kept.table, rows)


class _Places(NamedTuple):
    """One number for a key, a length of period and a period, in their order."""

    kept: Kept
    keys: Ints
    first: int
    periods: int

    @classmethod
    def of(cls, kept: Kept, calls: Calls) -> "_Places":
        """For all that these calls change."""
        ends = np.array([calls.minute.min(), calls.minute.max()])
        periods = np.concatenate([kept.longer(ends, minutes) for minutes in kept.minutes])
        first, last = int(periods.min()), int(periods.max())
        return cls(kept, np.unique(calls.key), first, last - first + 1)

    def number(self, key: Ints, length: int, minute: Ints) -> Ints:
        """length: the place of one among those that are kept."""
        period = self.kept.longer(minute, self.kept.minutes[length])
        above = np.searchsorted(self.keys, key) * len(self.kept.minutes) + length
        numbers: Ints = above * self.periods + period - self.first
        return numbers

    def columns(self, places: Ints) -> dict[str, pa.Array]:
        """Those of the table that say what the rows at these places are of."""
        above, period = np.divmod(places, self.periods)
        key, length = np.divmod(above, len(self.kept.minutes))
        return {
            "minutes": pa.array(np.array(self.kept.minutes, np.int32)[length]),
            "period": pa.array(period + self.first),
            self.kept.key: pa.array(self.keys[key]),
        }


class _Counts(NamedTuple):
    """Calls and errors by place; and calls by cell, which is place * BUCKETS + bucket. Both sorted, none twice."""

    place: Ints
    calls: Ints
    errors: Ints
    cell: Ints
    cell_calls: Ints


def _change(places: _Places, calls: Calls) -> _Counts:
    return _together(
        [
            _counts(places.number(calls.key, length, calls.minute), calls.bucket, calls.calls, calls.errors)
            for length in range(len(places.kept.minutes))
        ]
    )


def _counts(place: Ints, bucket: Ints, calls: Ints, errors: Ints) -> _Counts:
    known = np.flatnonzero(bucket >= 0)
    return _Counts(
        *summed(place, calls, errors),
        *summed(place[known] * BUCKETS + bucket[known], calls[known]),
    )


def _together(parts: list[_Counts]) -> _Counts:
    place, calls, errors, cell, cell_calls = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Counts(*summed(place, calls, errors), *summed(cell, cell_calls))


def _held(rows: pa.Table, touched: Ints) -> _Counts:
    place = touched[rows["number"].to_numpy()]
    cells = cells_of(rows)
    cell = place[cells.row] * BUCKETS + cells.bucket
    return _Counts(place, rows["calls"].to_numpy(), rows["errors"].to_numpy(), cell, cells.calls)


def _rows(places: _Places, counts: _Counts) -> pa.Table:
    """As the table takes them."""
    held = np.isin(counts.cell // BUCKETS, counts.place)
    of_place, buckets = np.divmod(counts.cell[held], BUCKETS)
    offsets = pa.array(np.append(np.searchsorted(of_place, counts.place), len(of_place)).astype(np.int32))
    return pa.table(
        {
            **places.columns(counts.place),
            "calls": pa.array(counts.calls),
            "errors": pa.array(counts.errors),
            "buckets": pa.ListArray.from_arrays(offsets, pa.array(buckets.astype(np.int16))),
            "counts": pa.ListArray.from_arrays(offsets, pa.array(counts.cell_calls[held])),
        }
    )


def _flat(lists: pa.ListArray) -> Ints:
    values: Ints = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    return values
