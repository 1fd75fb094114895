"""Sums kept by several lengths of time: of which lengths the buckets of a window are put together."""

from collections.abc import Sequence
from itertools import pairwise

Part = tuple[int, range]
"""The size of some buckets, in those of the shortest, and their numbers."""


def parts_of(buckets: range, sizes: Sequence[int]) -> list[Part]:
    """These buckets of size 1 as as few as there can be. sizes: from 1 up, each a multiple of the one before."""
    parts = []
    for size, longer in pairwise(sizes):
        before, buckets, after = _cut(buckets, longer // size)
        parts += [(size, before), (size, after)]
    parts.append((sizes[-1], buckets))
    return [(size, part) for size, part in parts if part]


def _cut(buckets: range, size: int) -> tuple[range, range, range]:
    """These buckets as those before, the larger buckets of `size` each that they have whole, and those after."""
    whole = range(-(-buckets.start // size), buckets.stop // size)
    if not whole:
        return buckets, range(0), range(0)
    return range(buckets.start, whole.start * size), whole, range(whole.stop * size, buckets.stop)
