"""Sums kept by several lengths of time: which table answers which part of a window."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Level(NamedTuple):
    """A table of sums by time. bucket: its column of bucket numbers. size: of a bucket, in those of the first level."""

    table: str
    bucket: str
    size: int


class Part(NamedTuple):
    """Some buckets of a table."""

    table: str
    bucket: str
    buckets: range


def parts_of(buckets: range, recent: str, levels: Sequence[Level]) -> list[Part]:
    """The tables that these buckets of the first level are read from; none of them when there are no buckets.

    levels: from short buckets to long ones, each of which holds a whole number of the ones before. recent: the table of
    what is not in them yet, by the buckets of the first level.
    """
    parts = [Part(recent, levels[0].bucket, buckets)]
    for level, longer in pairwise(levels):
        before, buckets, after = _cut(buckets, longer.size // level.size)
        parts += (Part(level.table, level.bucket, each) for each in (before, after))
    parts.append(Part(levels[-1].table, levels[-1].bucket, buckets))
    return [part for part in parts if part.buckets]


def union_of(parts: Sequence[Part], columns: str) -> tuple[str, list[int]]:
    """These columns of all rows of the parts, as SQL, and its parameters from $1 on."""
    texts = [
        f"SELECT {columns} FROM {part.table} WHERE {part.bucket} >= ${number} AND {part.bucket} < ${number + 1}"
        for number, part in zip(range(1, 2 * len(parts), 2), parts, strict=True)
    ]
    return " UNION ALL ".join(texts), [bound for part in parts for bound in (part.buckets.start, part.buckets.stop)]


def _cut(buckets: range, size: int) -> tuple[range, range, range]:
    """These buckets as those before, the larger buckets of `size` each that they have whole, and those after."""
    whole = range(-(-buckets.start // size), buckets.stop // size)
    if not whole:
        return buckets, range(0), range(0)
    return range(buckets.start, whole.start * size), whole, range(whole.stop * size, buckets.stop)
