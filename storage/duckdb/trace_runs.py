"""Which parts of the table `traces` may note a trace: a Bloom filter in memory for each sorted run of it.

A run has the traces of half a million notes sorted by id, so every run has notes near every id, and DuckDB reads row
groups of each: 30 ms for 20 traces among 5 million. But a trace's notes stand in one run or two. The filters say which,
and zone maps of `max_seq` let DuckDB pass over the others.

About two bytes a note, 10 MB for 50 million spans. Less than one in a hundred says yes without reason, at the price of
a look.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

_LEAST_NOTES = 250_000
"""Shorter runs are held as one: nothing in the file says where a run ends, but for ids that begin anew."""
_READ_NOTES = 250_000
_HASHED_NOTES = 50_000
"""At once, so that a new run takes no more memory than its filter spread out."""
_BITS_PER_NOTE = 12
"""At least: a filter's size is a power of two."""
_HASHES = 4
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)

_NOTES = "SELECT trace_low, max_seq FROM traces"
_RECENT_NOTES = "SELECT trace_low, max_seq FROM recent_traces"

Lows = npt.NDArray[np.uint64]


class TraceRun(NamedTuple):
    """first_seq, last_seq: the least and the greatest max_seq of its notes. bits: a power of two, in bytes."""

    first_seq: int
    last_seq: int
    bits: npt.NDArray[np.uint8]

    def may_note(self, lows: Lows) -> npt.NDArray[np.bool_]:
        """Of each id whether it may be noted here; one that is, surely."""
        places = _places(lows, 8 * len(self.bits))
        masks = np.uint8(1) << (places & np.uint64(7)).astype(np.uint8)
        found: npt.NDArray[np.bool_] = (self.bits[places >> np.uint64(3)] & masks).all(axis=0)
        return found


class Look(NamedTuple):
    """The notes of these traces with a max_seq from first_seq to last_seq are worth reading."""

    first_seq: int
    last_seq: int
    lows: list[int]


def looks(runs: Sequence[TraceRun], lows: Sequence[int]) -> Iterator[Look]:
    """Where in `traces` these ids may be noted, of what the runs know: notes up to their greatest last_seq."""
    wanted = np.array(lows, dtype=np.uint64)
    for run in runs:
        chosen = wanted[run.may_note(wanted)]
        if chosen.size:
            yield Look(run.first_seq, run.last_seq, chosen.tolist())


def read_runs(cursor: duckdb.DuckDBPyConnection) -> list[TraceRun]:
    """The runs that `traces` has."""
    reader = cursor.execute(_NOTES).to_arrow_reader(_READ_NOTES)
    runs: list[TraceRun] = []
    lows, seqs = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    for batch in reader:
        lows = np.concatenate([lows, batch["trace_low"].to_numpy()])
        seqs = np.concatenate([seqs, batch["max_seq"].to_numpy()])
        *ends, _ = _ends(lows)
        for first, end in zip([0, *ends], ends, strict=False):
            runs.append(_run(lows[first:end], seqs[first:end]))
        if ends:
            lows, seqs = lows[ends[-1] :], seqs[ends[-1] :]
    return [*runs, _run(lows, seqs)] if lows.size else runs


def read_recent(cursor: duckdb.DuckDBPyConnection) -> TraceRun:
    """The run that `recent_traces`, which has notes, is about to become."""
    notes = cursor.execute(_RECENT_NOTES).fetchnumpy()
    return _run(notes["trace_low"], notes["max_seq"])


def _ends(lows: Lows) -> list[int]:
    """After how many notes each run ends, the last one too, which may go on."""
    ends: list[int] = []
    for end in [*(np.flatnonzero(lows[1:] < lows[:-1]) + 1).tolist(), len(lows)]:
        if end - (ends[-1] if ends else 0) >= _LEAST_NOTES or end == len(lows):
            ends.append(end)
    return ends


def _run(lows: Lows, seqs: npt.NDArray[np.int64]) -> TraceRun:
    size = 1 << max(3, int(_BITS_PER_NOTE * len(lows) - 1).bit_length())
    is_set = np.zeros(size, dtype=np.bool_)
    for first in range(0, len(lows), _HASHED_NOTES):
        is_set[_places(lows[first : first + _HASHED_NOTES], size)] = True
    return TraceRun(int(seqs.min()), int(seqs.max()), np.packbits(is_set, bitorder="little"))


def _places(lows: Lows, size: int) -> npt.NDArray[np.uint64]:
    """The places of each id in a filter of so many bits, a power of two: a row a hash, a column an id."""
    mixed = (lows ^ lows >> _HALF) * _MIX
    mixed = (mixed ^ mixed >> _HALF) * _MIX
    step = mixed >> _HALF | np.uint64(1)
    hashes = np.arange(_HASHES, dtype=np.uint64)[:, None]
    return mixed + hashes * step & np.uint64(size - 1)
