"""Finding spans by their ids, many at once: a hash table made of array operations.

Sorting the keys and bisecting them took six times as long, and was half of the linking.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_FACTORS = [0xD6E8FEB86659FD93 + 0x9E3779B97F4A7C14 * number & 2**64 - 1 for number in range(24)]
"""An odd number a table, so that what shares a slot in one does not in the next."""
_SLOTS_PER_ROW = 4
_NOBODY = np.int32(-1)


class RowIndex:
    """The rows of spans by (trace, span_id, shared); at most 2**31 rows.

    repeated: rows whose key another row has too, which `find` gives instead; of each such key all rows but one.
    """

    def __init__(self, trace: Ints, span_id: Ids, shared: Bools) -> None:
        self._owner = _owner(trace, shared)
        self._span_id = span_id
        self._tables: list[npt.NDArray[np.int32]] = []
        rows = np.arange(len(trace), dtype=np.int32)
        repeated = [rows[:0]]
        while rows.size and len(self._tables) < len(_FACTORS):
            table = np.full(1 << (_SLOTS_PER_ROW * rows.size).bit_length(), _NOBODY)
            self._tables.append(table)
            slots = self._slots(len(self._tables) - 1, self._owner[rows], span_id[rows])
            table[slots] = rows
            # One row has got each slot; the others have its key, or look for a slot in the next table.
            holders = table[slots]
            late = holders != rows
            rows, holders = rows[late], holders[late]
            same = self._has_key(holders, self._owner[rows], span_id[rows])
            repeated.append(rows[same])
            rows = rows[~same]
        # Only ids made for it get past the last table. They count as repeated, which is slow but not wrong.
        self.repeated = np.concatenate([*repeated, rows])

    def find(self, trace: Ints, span_id: Ids, *, shared: bool) -> Ints:
        """The row of each key; the number of rows when there is none."""
        owner = _owner(trace, np.bool_(shared))
        found = np.full(len(trace), len(self._owner))
        asking = np.arange(len(trace))
        for number, table in enumerate(self._tables):
            rows = table[self._slots(number, owner[asking], span_id[asking])]
            known = rows != _NOBODY
            asking, rows = asking[known], rows[known]
            hit = self._has_key(rows, owner[asking], span_id[asking])
            found[asking[hit]] = rows[hit]
            asking = asking[~hit]
        return found

    def _slots(self, number: int, owner: Ids, span_id: Ids) -> Ints:
        """Where in a table each key belongs; an empty slot there says that nobody has the key."""
        mixed = (span_id ^ span_id >> np.uint64(32)) * np.uint64(0x9E3779B97F4A7C15) + owner
        mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(
            0xD6E8FEB86659FD93 + 0x9E3779B97F4A7C14 * number & 2**64 - 1
        )
        bits = len(self._tables[number]).bit_length() - 1
        return (mixed >> np.uint64(64 - bits)).astype(np.int64)

    def _has_key(self, rows: npt.NDArray[np.int32], owner: Ids, span_id: Ids) -> Bools:
        same: Bools = (self._span_id[rows] == span_id) & (self._owner[rows] == owner)
        return same


def _owner(trace: Ints, shared: Bools | np.bool_) -> Ids:
    return (trace << 1 | shared).astype(np.uint64)
