"""Durations counted in buckets whose counts can be added up: a DDSketch, kept as rows that SQL sums.

A bucket holds the durations up to a power of GAMMA and beyond the one before; its value is within RELATIVE_ACCURACY of
every duration in it. So histograms of any spans, times and services are merged by adding the counts of equal buckets,
and a quantile of the sum is as accurate as that of one. Source: Masson, Rim, Lee, "DDSketch", VLDB 2019, section 2.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, log
from typing import Self

import numpy as np
import numpy.typing as npt

RELATIVE_ACCURACY = 0.03
"""Less than the 32nd that SpanReader.call_series promises, which leaves room for the rounding of logarithms."""
GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
"""Of the upper bounds of neighbouring buckets: 11.5 buckets for each doubling of the duration."""
_PER_E_FOLD = 1 / log(GAMMA)
BUCKETS = ceil(63 * log(2) * _PER_E_FOLD) + 2
"""Numbers run from 0, which holds durations of 0 and less, to BUCKETS - 1, for those up to 2**63 ns."""

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many durations are in each bucket: `counts`, above 0, of `buckets`, rising. Neither array is to be changed.

    Arrays, not pairs: the service graph of a month has a hundred thousand of these, which took 100 ms to make and read.
    """

    buckets: Ints
    counts: Ints

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Of (bucket, count), by rising bucket."""
        table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])

    def __len__(self) -> int:
        return len(self.buckets)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.buckets.tolist(), self.counts.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def bucket_sql(duration_ns: str) -> str:
    """The bucket's number as an SQL expression; `duration_ns` is one that gives an integer, not NULL.

    DuckDB, PostgreSQL and ClickHouse read it alike. Counts of one database must be of its own numbers: at the bounds
    of buckets logarithms may be rounded otherwise elsewhere.
    """
    return f"CASE WHEN {duration_ns} > 0 THEN CAST(ceil(ln({duration_ns}) * {_PER_E_FOLD!r}) AS INTEGER) + 1 ELSE 0 END"


def bucket_numbers(durations_ns: Ints) -> npt.NDArray[np.int16]:
    """The number of each duration's bucket."""
    exponents = np.ceil(np.log(np.maximum(durations_ns, 1)) * _PER_E_FOLD)
    return np.where(durations_ns > 0, exponents + 1, 0).astype(np.int16)


def upper_bounds_ns(buckets: Ints) -> Floats:
    """The longest duration that each of these buckets holds."""
    return np.where(buckets > 0, GAMMA ** (buckets.astype(np.float64) - 1), 0.0)


def values_ns(buckets: Ints) -> Floats:
    """The duration that stands for each of these buckets."""
    return upper_bounds_ns(buckets) * (2 / (1 + GAMMA))


def quantiles_ns(groups: Ints, buckets: Ints, counts: Ints, fraction: float) -> Floats:
    """The durations at `fraction` (0 to 1) of each histogram, interpolated linearly between the closest ranks.

    groups: the histogram of each entry, numbered from 0 without a gap; entries are sorted by group, then bucket, and
    a bucket may occur several times. counts: above 0. The answer has a value a group.
    """
    up_to = np.cumsum(counts, dtype=np.int64)
    sizes = np.bincount(groups, weights=counts).astype(np.int64)
    before = np.cumsum(sizes) - sizes
    position = fraction * (sizes - 1)
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, sizes - 1)
    values = values_ns(buckets)
    below = values[np.searchsorted(up_to, before + lower, side="right")]
    above = values[np.searchsorted(up_to, before + upper, side="right")]
    found: Floats = below + (above - below) * (position - lower)
    return found
