"""Thrift structs out of payloads that anybody may have sent, read by thriftpy2 within checked bounds."""

from dataclasses import dataclass
from typing import Any, TypeVar

from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.protocol.cybin import TCyBinaryProtocol
from thriftpy2.thrift import TType
from thriftpy2.transport.memory import TCyMemoryBuffer

from collector.decode.thrift_bounds import (
    ThriftDamaged,
    end_of_binary_struct,
    end_of_compact_struct,
    length_within,
    varint,
)

Struct = TypeVar("Struct")

_BINARY_VERSION = 0x8001
_COMPACT_ID, _COMPACT_VERSION = 0x82, 1


@dataclass(frozen=True, slots=True)
class Message:
    """The head of a message: the method it calls, and where its arguments begin."""

    method: str
    arguments_at: int


def binary_struct(data: bytes, struct: type[Struct], at: int = 0) -> Struct:
    """The struct that begins at `at`, in TBinaryProtocol; what follows it is not looked at. Raises ThriftDamaged."""
    end_of_binary_struct(data, at)
    found: Struct = TCyBinaryProtocol(TCyMemoryBuffer(data[at:] if at else data)).read_struct(struct())
    return found


def compact_struct(data: bytes, struct: type[Struct], at: int = 0) -> Struct:
    """The struct that begins at `at`, in TCompactProtocol; what follows it is not looked at. Raises ThriftDamaged."""
    end_of_compact_struct(data, at)
    found = struct()
    _StrictCompact(_Cursor(data, at)).read_struct(found)
    return found


def binary_message(data: bytes) -> Message:
    """The head of a message in TBinaryProtocol, with or without its version. Raises ThriftDamaged."""
    first = int.from_bytes(data[:4])
    if len(data) < 4 or (first >> 31 and first >> 16 != _BINARY_VERSION):
        raise ThriftDamaged(f"expected a message of Thrift's binary protocol, got {data[:4]!r}")
    if first >> 31:
        return _method(data, int.from_bytes(data[4:8]), name_at=8, arguments_behind=4)
    return _method(data, first, name_at=4, arguments_behind=5)


def compact_message(data: bytes) -> Message:
    """The head of a message in TCompactProtocol. Raises ThriftDamaged."""
    if len(data) < 3 or data[0] != _COMPACT_ID or data[1] & 0x1F != _COMPACT_VERSION:
        raise ThriftDamaged(f"expected a message of Thrift's compact protocol, got {data[:3]!r}")
    _, at = varint(data, 2)
    length, at = varint(data, at)
    return _method(data, length, name_at=at, arguments_behind=0)


def _method(data: bytes, length: int, *, name_at: int, arguments_behind: int) -> Message:
    end = name_at + length_within(data, length, name_at)
    return Message(data[name_at:end].decode("utf-8", "replace"), end + arguments_behind)


class _Cursor:
    """The part of a transport that reading needs; thriftpy2's own seeks before every byte."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def read(self, size: int) -> bytes:
        begin = self._at
        self._at = begin + size
        return self._data[begin : begin + size]


class _StrictCompact(TCompactProtocol):  # type: ignore[misc]  # thriftpy2 has no types
    """Refuses a list whose elements are not of the declared type, which thriftpy2 would read as if they were."""

    _declared: int | None = None

    def _read_val(self, ttype: int, spec: Any = None) -> Any:
        if ttype in (TType.LIST, TType.SET):
            self._declared = spec[0] if isinstance(spec, tuple) else spec
        return super()._read_val(ttype, spec)

    def _read_collection_begin(self) -> tuple[int, int]:
        kind, count = super()._read_collection_begin()
        declared, self._declared = self._declared, None
        if declared is not None and count and kind != declared:
            raise ThriftDamaged(f"expected a list of elements of type {declared}, got {kind}")
        return kind, count
