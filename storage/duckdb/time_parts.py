"""Sums kept by several lengths of time: which table answers which part of a window."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import duckdb

_ANY_BEYOND = """
SELECT EXISTS (SELECT 1 FROM {table} WHERE {bucket} < $1 LIMIT 1),
    EXISTS (SELECT 1 FROM {table} WHERE {bucket} >= $2 LIMIT 1)
"""


class Level(NamedTuple):
    """A table of sums by time. bucket: its column of bucket numbers. size: of a bucket, in those of the first level."""

    table: str
    bucket: str
    size: int


class Part(NamedTuple):
    """Some buckets of a table. sign: 1, or -1 when their sums are to be taken off those of other parts."""

    table: str
    bucket: str
    buckets: range
    sign: int = 1


def parts_read(cursor: duckdb.DuckDBPyConnection, buckets: range, recent: str, levels: Sequence[Level]) -> list[Part]:
    """The tables that these buckets of the first level are read from; none of them when there are no buckets.

    levels: from short buckets to long ones, each of which holds a whole number of the ones before. recent: the table of
    what is not in them yet, by the buckets of the first level. Where the levels hold nothing before or after the
    buckets, as after those that end now, longer ones are read to their ends.
    """
    if not buckets:
        return []
    first, last = levels[0], levels[-1]
    ((any_before, any_after),) = cursor.execute(
        _ANY_BEYOND.format(**first._asdict()), [buckets.start, buckets.stop]
    ).fetchall()
    wide = range(
        buckets.start if any_before else buckets.start // last.size * last.size,
        buckets.stop if any_after else -(-buckets.stop // last.size) * last.size,
    )
    return [Part(recent, first.bucket, buckets), *parts_of(wide, levels)]


def parts_of(buckets: range, levels: Sequence[Level]) -> list[Part]:
    """The fewest buckets of the levels, more or less, that add up to these of the first level.

    A long bucket of which more than half is asked for is read whole, and the rest of it taken off again.
    """
    parts: list[Part] = []
    for level, longer in pairwise(levels):
        pieces, buckets = _cut(buckets, longer.size // level.size)
        parts += (Part(level.table, level.bucket, piece, sign) for piece, sign in pieces)
    parts.append(Part(levels[-1].table, levels[-1].bucket, buckets))
    return [part for part in parts if part.buckets]


def union_of(parts: Sequence[Part], keys: str) -> tuple[str, list[int]]:
    """The columns `keys`, calls and errors of all rows of the parts, as SQL, and its parameters from $1 on."""
    texts = [
        f"SELECT {keys}, {_signed('calls', part)}, {_signed('errors', part)} FROM {part.table}"
        f" WHERE {part.bucket} >= ${number} AND {part.bucket} < ${number + 1}"
        for number, part in zip(range(1, 2 * len(parts), 2), parts, strict=True)
    ]
    return " UNION ALL ".join(texts), [bound for part in parts for bound in (part.buckets.start, part.buckets.stop)]


def _signed(column: str, part: Part) -> str:
    return column if part.sign > 0 else f"-{column} AS {column}"


def _cut(buckets: range, size: int) -> tuple[list[tuple[range, int]], range]:
    """Pieces with their signs, and a range of larger buckets of `size` each, that add up to these buckets."""
    longer = range((buckets.start + size // 2) // size, (buckets.stop + size // 2) // size)
    start, stop = longer.start * size, longer.stop * size
    if not longer or abs(buckets.start - start) + abs(buckets.stop - stop) >= len(buckets):
        return [(buckets, 1)], range(0)
    before = (range(buckets.start, start), 1) if buckets.start <= start else (range(start, buckets.start), -1)
    after = (range(stop, buckets.stop), 1) if stop <= buckets.stop else (range(buckets.stop, stop), -1)
    return [before, after], longer
