"""Whether a Thrift struct lies within its payload, checked before thriftpy2 reads it.

thriftpy2 trusts what it reads: at the end of a memory buffer its compiled reader goes on with whatever bytes follow in
memory, and a few bytes that announce a list of two billion elements of no known type keep it busy for seconds. After
this check neither can happen: every length fits the payload, every element has a size, and nesting has a bottom.

And its objects outgrow their bytes: 2 MB of empty structs, a byte each, took 450 MB. So a large struct holds no more
than any real one does.
"""

from collector.decode.proportions import LARGE_BYTES, PARTS_MAX

MAX_DEPTH = 32
"""Jaeger's and Zipkin's messages nest 6 deep."""
_MAX_VARINT_BYTES = 10

_STRING, _STRUCT, _MAP, _LISTS = 11, 12, 13, (14, 15)
_FIXED_BYTES = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}

_COMPACT_BOOLS, _COMPACT_BYTE, _COMPACT_VARINTS, _COMPACT_DOUBLE = (1, 2), 3, (4, 5, 6), 7
_COMPACT_STRING, _COMPACT_LISTS, _COMPACT_MAP, _COMPACT_STRUCT = 8, (9, 10), 11, 12


class ThriftDamaged(ValueError):
    """The payload is no such struct: what was expected, what came, at which byte."""


def end_of_binary_struct(data: bytes, at: int) -> int:
    """The offset behind the struct that begins at `at`, in TBinaryProtocol. Raises ThriftDamaged.

    Also when it is larger than LARGE_BYTES and holds more than PARTS_MAX others: as objects they would outgrow it.
    """
    return _within(data, _BinaryWalk(data, at, PARTS_MAX).struct(at, MAX_DEPTH))


def end_of_binary_value(data: bytes, at: int, kind: int) -> int:
    """The offset behind the value of this type (TType) that begins at `at`. Raises ThriftDamaged."""
    return _within(data, _BinaryWalk(data, at, structs_max=len(data)).element(at, kind, MAX_DEPTH))


def end_of_compact_struct(data: bytes, at: int) -> int:
    """The offset behind the struct that begins at `at`, in TCompactProtocol. Raises ThriftDamaged."""
    return _within(data, _compact_struct(data, at, MAX_DEPTH))


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number that begins there, and the offset behind it."""
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = _byte(data, at + index)
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, at + index + 1
    raise ThriftDamaged(f"expected a number of at most {_MAX_VARINT_BYTES} bytes, got more, at byte {at}")


def length_within(data: bytes, length: int, at: int) -> int:
    """The length, if so many bytes follow from `at`."""
    if not 0 <= length <= len(data) - at:
        raise ThriftDamaged(f"expected at most {max(0, len(data) - at)} more bytes, got a length of {length}, at {at}")
    return length


class _BinaryWalk:
    """Steps over one value in TBinaryProtocol, which begins at `begin` and, when it is large, holds few structs."""

    __slots__ = ("_begin", "_data", "_structs", "_structs_max")

    def __init__(self, data: bytes, begin: int, structs_max: int) -> None:
        self._data = data
        self._begin = begin
        self._structs_max = structs_max
        self._structs = 0

    def struct(self, at: int, depth: int) -> int:
        """The offset behind the struct that begins at `at`."""
        _check_depth(depth, at)
        data, fixed = self._data, _FIXED_BYTES
        size = len(data)
        while at < size:
            kind = data[at]
            if kind == 0:
                return at + 1
            at += 3
            if kind in fixed:
                at += fixed[kind]
            elif kind == _STRING:
                length = int.from_bytes(data[at : at + 4], signed=True)
                at += 4
                if length < 0 or at + length > size:
                    length_within(data, length, at)
                at += length
            else:
                at = self._container(at, kind, depth)
        raise ThriftDamaged(f"expected the rest of a struct, got the end, at byte {size}")

    def element(self, at: int, kind: int, depth: int) -> int:
        """The offset behind the value of this type that begins at `at`."""
        data = self._data
        if kind in _FIXED_BYTES:
            return _within(data, at + _FIXED_BYTES[kind])
        if kind == _STRING:
            length = int.from_bytes(data[at : at + 4], signed=True)
            return at + 4 + length_within(data, length, at + 4)
        return self._container(at, kind, depth - 1)

    def _container(self, at: int, kind: int, depth: int) -> int:
        if kind == _STRUCT:
            return self.struct(at, depth - 1)
        _check_depth(depth, at)
        data = self._data
        if kind in _LISTS:
            kinds, at = [_byte(data, at)], at + 1
        elif kind == _MAP:
            kinds, at = [_byte(data, at), _byte(data, at + 1)], at + 2
        else:
            raise ThriftDamaged(f"expected a Thrift type, got {kind}, before byte {at}")
        count = int.from_bytes(data[at : at + 4], signed=True)
        at += 4
        length_within(data, count, at)  # no element is smaller than a byte
        if len(kinds) == 1 and kinds[0] in _FIXED_BYTES:
            return at + count * _FIXED_BYTES[kinds[0]]
        self._structs += count * kinds.count(_STRUCT)
        if self._structs > self._structs_max and at + count - self._begin > LARGE_BYTES:
            raise ThriftDamaged(f"expected at most {self._structs_max} structs in a large one, got more, at byte {at}")
        for _ in range(count):
            for one in kinds:
                at = self.element(at, one, depth)
        return at


def _compact_struct(data: bytes, at: int, depth: int) -> int:
    _check_depth(depth, at)
    while True:
        head = _byte(data, at)
        kind = head & 0x0F
        at += 1
        if kind == 0:
            return at
        if head < 0x10:
            _, at = varint(data, at)
        if kind not in _COMPACT_BOOLS:  # the value of a field of that type is its type
            at = _compact_value(data, at, kind, depth)


def _compact_value(data: bytes, at: int, kind: int, depth: int) -> int:
    if kind in _COMPACT_VARINTS:
        return varint(data, at)[1]
    if kind == _COMPACT_STRING:
        length, at = varint(data, at)
        return at + length_within(data, length, at)
    if kind == _COMPACT_DOUBLE:
        return _within(data, at + 8)
    if kind == _COMPACT_BYTE or kind in _COMPACT_BOOLS:
        return _within(data, at + 1)
    if kind == _COMPACT_STRUCT:
        return _compact_struct(data, at, depth - 1)
    return _compact_container(data, at, kind, depth - 1)


def _compact_container(data: bytes, at: int, kind: int, depth: int) -> int:
    _check_depth(depth, at)
    if kind in _COMPACT_LISTS:
        head = _byte(data, at)
        kinds, count, at = [head & 0x0F], head >> 4, at + 1
        if count == 15:
            count, at = varint(data, at)
    elif kind == _COMPACT_MAP:
        count, at = varint(data, at)
        head, at = (_byte(data, at), at + 1) if count else (0, at)
        kinds = [head >> 4, head & 0x0F]
    else:
        raise ThriftDamaged(f"expected a Thrift type, got {kind}, before byte {at}")
    length_within(data, count, at)
    for _ in range(count):
        for element in kinds:
            at = _compact_value(data, at, element, depth)
    return at


def _byte(data: bytes, at: int) -> int:
    _within(data, at + 1)
    return data[at]


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise ThriftDamaged(f"expected {end - len(data)} bytes more, got the end, at byte {len(data)}")
    return end


def _check_depth(depth: int, at: int) -> None:
    if depth <= 0:
        raise ThriftDamaged(f"expected at most {MAX_DEPTH} structs and lists inside one another, got more, at {at}")
