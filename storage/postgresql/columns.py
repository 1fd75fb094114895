"""A batch as the columns of the table `spans`, and a row of it as `storage.rows` reads it.

Unsigned numbers are stored as the signed ones of the same bits. What most spans lack is null, which takes no room.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from storage.batch import COLUMN_NAMES, SpanBatch
from storage.postgresql import nul, sql
from storage.postgresql.texts import Key, Role

Ints = npt.NDArray[np.int64]

_ROLES = {
    "service": Role.SERVICE,
    "name": Role.NAME,
    "attribute_keys": Role.KEYS,
    "resource": Role.RESOURCE,
    "scope_name": Role.SCOPE_NAME,
    "scope_version": Role.SCOPE_VERSION,
    "remote_service": Role.SERVICE,
}
"""The columns that are kept as numbers of texts."""
NUMBERED = {name: "keys_id" if name == "attribute_keys" else f"{name}_id" for name in _ROLES}
"""And the columns of `spans` that hold them."""
_RAW_TEXTS = ("status_message", "trace_state", "local_ipv4", "remote_ipv4")
_UNSIGNED = 2**64


class BatchColumns:
    """The columns of one batch, the texts of which have no numbers yet."""

    def __init__(self, batch: SpanBatch) -> None:
        self._records = batch.records
        self._encoded = {name: batch.records.column(name).dictionary_encode() for name in _ROLES}
        self._texts = {name: column.dictionary.to_pylist() for name, column in self._encoded.items()}

    def texts(self) -> Iterable[Key]:
        """Every text that needs a number."""
        return ((role, text) for name, role in _ROLES.items() for text in self._texts[name])

    def table(self, places: Ints, numbers: Mapping[Key, int]) -> pa.Table:
        """As the table `spans` takes them; places: of each row."""
        records = self._records
        high, low = _halves(records.column("trace_id"))
        columns = {
            "written": pa.array(places),
            "trace_high": high,
            "trace_low": low,
            "span_id": records.column("span_id").view(pa.int64()),
            "parent_span_id": records.column("parent_span_id").view(pa.int64()),
            **{name: records.column(name) for name in ("start_ns", "duration_ns", "received_ns")},
            **{NUMBERED[name]: self._numbered(name, numbers) for name in _ROLES},
            "flags": _unless_zero(records.column("flags").cast(pa.int64())),
            **{name: records.column(name).cast(pa.int32()) for name in ("local_port", "remote_port")},
            **{name: records.column(name).cast(pa.int16()) for name in ("kind", "status_code", "protocol")},
            **{name: pc.replace_with_mask(records.column(name), pc.invert(records.column(name)), _NO_FLAG)
               for name in ("debug", "shared")},
            "tokens": _signed_tokens(records.column("tokens")),
            **{name: records.column(name) for name in ("attributes", "events", "links", "rare")},
            **{name: nul.stored_column(records.column(name)) for name in _RAW_TEXTS},
        }  # fmt: skip
        return pa.table({name: columns[name] for name in sql.COLUMNS})

    def _numbered(self, name: str, numbers: Mapping[Key, int]) -> pa.Array:
        role = _ROLES[name]
        of_text = pa.array([numbers[role, text] for text in self._texts[name]], pa.int64())
        return of_text.take(self._encoded[name].indices)


_NO_FLAG = pa.scalar(None, pa.bool_())


def _halves(trace_ids: pa.Array) -> tuple[pa.Array, pa.Array]:
    start = trace_ids.offset * 16
    raw = np.frombuffer(trace_ids.buffers()[1], dtype=">i8", count=2 * len(trace_ids), offset=start)
    return pa.array(raw[::2].astype("<i8")), pa.array(raw[1::2].astype("<i8"))


def _unless_zero(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, 0), pa.scalar(None, column.type), column)


def _signed_tokens(tokens: pa.Array) -> pa.Array:
    first, stop = tokens.offsets[0].as_py(), tokens.offsets[-1].as_py()
    values = tokens.values.slice(first, stop - first).view(pa.int32())
    return pa.ListArray.from_arrays(pc.subtract(tokens.offsets, first), values)


def unsigned(number: int) -> int:
    """The number of 64 bits that the column holds as a signed one."""
    return number % _UNSIGNED


def signed_token(token: int) -> int:
    """A 32-bit search token as the array of them holds it."""
    return token - 2**32 if token >= 2**31 else token


READ_COLUMNS: tuple[str, ...] = tuple(name for name in sql.COLUMNS if name not in ("written", "tokens"))
"""What is read to make a span."""

_SOURCE = {name: NUMBERED.get(name, name) for name in COLUMN_NAMES if name not in ("trace_id", "tokens")}
_POSITION = {name: place for place, name in enumerate(READ_COLUMNS)}
_TAKEN = [(_POSITION[_SOURCE[name]] if name in _SOURCE else -1) for name in COLUMN_NAMES]
_TEXT_PLACES = [_POSITION[column] for name, column in NUMBERED.items() if name != "attribute_keys"]
_KEYS_PLACE = _POSITION["keys_id"]
_RAW_PLACES = [_POSITION[name] for name in _RAW_TEXTS]
_HIGH, _LOW, _SPAN_ID, _PARENT = (_POSITION[name] for name in ("trace_high", "trace_low", "span_id", "parent_span_id"))
_ABSENT_AS_ZERO = [_POSITION[name] for name in ("flags",)]
_ABSENT_AS_FALSE = [_POSITION[name] for name in ("debug", "shared")]


def numbers_in(rows: Iterable[Sequence[Any]]) -> set[int]:
    """The numbers of texts in rows of READ_COLUMNS."""
    found = {row[place] for row in rows for place in _TEXT_PLACES}
    found.discard(None)
    return found


def trace_id_of(high: int, low: int) -> bytes:
    """The 16 raw bytes of a trace id."""
    return high.to_bytes(8, "big", signed=True) + low.to_bytes(8, "big", signed=True)


def plain_row(row: Sequence[Any], texts: Mapping[int, str]) -> list[Any]:
    """A row of READ_COLUMNS as `storage.rows.span_of` takes it; keys and tokens are left out, which it never reads."""
    values = [*row, None]
    for place in _TEXT_PLACES:
        if values[place] is not None:
            values[place] = texts[values[place]]
    for place in _RAW_PLACES:
        if values[place] is not None:
            values[place] = nul.plain(values[place])
    for place in _ABSENT_AS_ZERO:
        values[place] = values[place] or 0
    for place in _ABSENT_AS_FALSE:
        values[place] = bool(values[place])
    values[_KEYS_PLACE] = None
    values[_SPAN_ID] = unsigned(values[_SPAN_ID])
    if values[_PARENT] is not None:
        values[_PARENT] = unsigned(values[_PARENT])
    plain = [values[place] for place in _TAKEN]
    plain[0] = trace_id_of(values[_HIGH], values[_LOW])
    return plain
