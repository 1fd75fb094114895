"""Reading thrift's binary protocol value by value, when not everything that was sent is worth an object.

thriftpy2 makes an object of every struct it reads: 32 MB of empty annotations, a byte each, would be gigabytes of them.
Here the caller steps through fields and elements and keeps what it wants, or has thriftpy2 read a struct of bounded
size; the protocol's numbers are thriftpy2's.
"""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

from thriftpy2.protocol import binary
from thriftpy2.protocol.cybin import TCyBinaryProtocol
from thriftpy2.thrift import TType
from thriftpy2.transport.memory import TCyMemoryBuffer

from collector.decode.proportions import LEAST_MEAN_BYTES, SPANS_UNJUDGED
from collector.decode.thrift_bounds import ThriftDamaged, end_of_binary_struct, end_of_binary_value

Struct = TypeVar("Struct")
Field = tuple[int, int]
"""The type on the wire (TType) and the number."""


class ThriftReader:
    """Reads one payload from an offset on; it is its own transport for thriftpy2. Every method raises ThriftDamaged."""

    __slots__ = ("_at", "_payload")

    def __init__(self, payload: bytes, at: int = 0) -> None:
        self._payload = payload
        self._at = at

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

    def struct(self, kind: type[Struct]) -> Struct:
        """The struct here, as thriftpy2 reads it; it is refused when its objects would outgrow its bytes."""
        begin, self._at = self._at, end_of_binary_struct(self._payload, self._at)
        return self._struct_at(kind, begin, self._at)

    def structs(self, kind: type[Struct]) -> Iterator[Struct]:
        """The list of structs here, passed over now, each read when it is asked for.

        Refused when they are many and too small on average to say anything.
        """
        element, size = binary.read_list_begin(self)
        if size and element != TType.STRUCT:
            raise ThriftDamaged(f"expected a list of elements of type {TType.STRUCT}, got {element}")
        available = len(self._payload) - self._at
        least_bytes = size if size <= SPANS_UNJUDGED else size * LEAST_MEAN_BYTES
        if not 0 <= least_bytes <= available:
            raise ThriftDamaged(f"expected {least_bytes} bytes or more for {size} structs, got {available}")
        bounds = array("Q", [self._at])
        for _ in range(size):
            bounds.append(end_of_binary_struct(self._payload, bounds[-1]))
        self._at = bounds[-1]
        return (self._struct_at(kind, begin, end) for begin, end in pairwise(bounds))

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

    def _struct_at(self, kind: type[Struct], begin: int, end: int) -> Struct:
        found: Struct = TCyBinaryProtocol(TCyMemoryBuffer(self._payload[begin:end])).read_struct(kind())
        return found
