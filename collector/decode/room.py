"""Room that compiled loops write columns to, and Arrow arrays copied out of it, for it is used again."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from collector.decode.compiled.text import Texts


def texts(rows: int, most_bytes: int) -> Texts:
    """Room for so many texts, with so many bytes all together."""
    return Texts(np.empty(most_bytes, dtype=np.uint8), np.zeros(rows + 1, dtype=np.int32))


def numbers(rows: int, kind: Any, each: int = 1) -> npt.NDArray[Any]:
    """Room for so many numbers of this kind, `each` of them a row."""
    return np.empty(rows * each, dtype=kind)


def copied(used: npt.NDArray[Any]) -> pa.Buffer:
    """The used part of some room."""
    return pa.py_buffer(used.tobytes())


def strings(column: Texts, n: int, *, nullable: bool = False) -> pa.Array:
    """The first n texts; when `nullable` the empty ones are null."""
    ends = column.ends[: n + 1]
    valid = copied(np.packbits(ends[1:] > ends[:-1], bitorder="little")) if nullable else None
    return pa.Array.from_buffers(pa.string(), n, [valid, copied(ends), copied(column.data[: ends[-1]])])


def token_lists(tokens: npt.NDArray[np.uint32], ends: npt.NDArray[np.int32], n: int) -> pa.Array:
    """The lists of the first n rows' tokens."""
    return pa.ListArray.from_arrays(pa.array(ends[: n + 1].copy()), pa.array(tokens[: ends[n]].copy()))


def present(numbers: npt.NDArray[Any], n: int) -> pa.Array:
    """The first n numbers, those that are 0 as null."""
    used = numbers[:n].copy()
    return pa.array(used, mask=used == 0)
