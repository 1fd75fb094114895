"""Structs in Thrift's compact protocol, read by thriftpy2 within bounds that are checked before.

For UDP packets, whose size bounds what their objects take.
"""

from typing import Any, TypeVar

from thriftpy2.protocol.compact import TCompactProtocol
from thriftpy2.thrift import TType

from collector.decode.thrift_bounds import ThriftDamaged, end_of_compact_struct

Struct = TypeVar("Struct")


def compact_struct(data: bytes, struct: type[Struct], at: int = 0) -> Struct:
    """The struct that begins at `at`; what follows it is not looked at. Raises ThriftDamaged."""
    end_of_compact_struct(data, at)
    found = struct()
    _StrictCompact(_Cursor(data, at)).read_struct(found)
    return found


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
