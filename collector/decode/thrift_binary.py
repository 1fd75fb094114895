"""Reading thrift's binary protocol value by value, when not everything that was sent is worth an object.

thriftpy2 makes an object of every struct it reads: 32 MB of empty annotations, a byte each, would be gigabytes of them.
Here the caller steps through fields and elements and keeps what it wants; the protocol's numbers are thriftpy2's.
"""

from collections.abc import Iterator

from thriftpy2.protocol import binary
from thriftpy2.thrift import TType

from collector.decode.thrift_bounds import ThriftDamaged, end_of_binary_value

Field = tuple[int, int]
"""The type on the wire (TType) and the number."""


class ThriftReader:
    """Reads one payload from its start; it is its own transport for thriftpy2. Every method raises ThriftDamaged."""

    __slots__ = ("_at", "_payload")

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def read(self, count: int) -> bytes:
        """The next `count` bytes, no fewer."""
        at = self._at
        if not 0 <= count <= len(self._payload) - at:
            raise ThriftDamaged(f"Truncated: length {count} > bytes available {len(self._payload) - at}")
        self._at = at + count
        return self._payload[at : self._at]

    def fields(self) -> Iterator[Field]:
        """Step through a struct: the caller reads or skips exactly one value a step."""
        while True:
            kind, number = binary.read_field_begin(self)
            if kind == TType.STOP:
                return
            yield kind, number

    def elements(self) -> Iterator[int]:
        """Step through a list, whatever its type: the caller reads exactly one value a step. Gives the index."""
        _, size = binary.read_list_begin(self)
        available = len(self._payload) - self._at
        if not 0 <= size <= available:  # each takes a byte or more
            raise ThriftDamaged(f"Truncated: length {size} > bytes available {available}")
        yield from range(size)

    def byte(self) -> int:
        number: int = binary.unpack_i8(self.read(1))
        return number

    def i16(self) -> int:
        number: int = binary.unpack_i16(self.read(2))
        return number

    def i32(self) -> int:
        number: int = binary.unpack_i32(self.read(4))
        return number

    def i64(self) -> int:
        number: int = binary.unpack_i64(self.read(8))
        return number

    def binary(self) -> bytes:
        return self.read(self.i32())

    def text(self) -> str:
        """Bytes that are not UTF-8 become U+FFFD."""
        return self.binary().decode("utf-8", "replace")

    def skip(self, kind: int) -> None:
        """Read a value of this type and forget it."""
        self._at = end_of_binary_value(self._payload, self._at, kind)
