"""Fresh ids and times in copies of a template, many at once: encoding anew would cost the sender more than the server.

A template is a finished payload whose ids and times stand at known offsets with fixed widths. `stamped` copies it into
the rows of a byte matrix and writes all rows' values with numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(256, 2)
_POWERS = 10 ** np.arange(15, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Template:
    """A payload and what changes in it.

    ids: for each distinct 8-byte value, the offsets at which it stands; every copy gets a new value for each.
    times: (offset, nanoseconds before the moment of stamping). form: "raw" is 8 bytes an id and fixed64 nanoseconds;
    "text" is 16 hex digits an id and 16 decimal digits of microseconds.
    """

    payload: bytes
    spans: int
    ids: Sequence[Sequence[int]]
    times: Sequence[tuple[int, int]]
    form: Literal["raw", "text"]


def stamped(template: Template, count: int, now_ns: int, source: np.random.Generator) -> list[bytes]:
    """`count` copies with ids and times of their own, as if each had been made at `now_ns`."""
    rows = np.tile(np.frombuffer(template.payload, np.uint8), (count, 1))
    values = source.integers(0, 256, (count, len(template.ids), 8), dtype=np.uint8)
    owners = np.repeat(np.arange(len(template.ids)), [len(offsets) for offsets in template.ids])
    id_offsets = np.array([offset for offsets in template.ids for offset in offsets], dtype=np.int64)
    time_offsets = np.array([offset for offset, _ in template.times], dtype=np.int64)
    moments = now_ns - np.array([before for _, before in template.times], dtype=np.int64)
    if template.form == "raw":
        _write(rows, id_offsets, values[:, owners])
        _write(rows, time_offsets, moments.astype("<i8").view(np.uint8).reshape(1, -1, 8))
    else:
        _write(rows, id_offsets, _HEX[values[:, owners]].reshape(count, len(owners), 16))
        digits = (moments[:, None] // 1000 // _POWERS % 10 + ord("0")).astype(np.uint8)
        _write(rows, time_offsets, digits[None])
    return [row.tobytes() for row in rows]


def _write(rows: _Bytes, offsets: npt.NDArray[np.int64], values: _Bytes) -> None:
    width = values.shape[2]
    if len(rows) < len(offsets):
        rows[:, offsets[:, None] + np.arange(width)] = values
    else:  # a slice a place is many times faster when there are more copies than places
        for place, offset in enumerate(offsets):
            rows[:, offset : offset + width] = values[:, place]
