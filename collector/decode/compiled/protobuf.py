"""Protobuf's wire format, a field at a time. Source: protobuf.dev/programming-guides/encoding."""

from collector.decode.compiled.compiling import inlined, int64, uint64
from collector.decode.compiled.text import Bytes

BROKEN = -1
"""A position that says: this is not protobuf, or a form that nobody sends (groups, numbers beyond 64 bits)."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_TAG_MIN, _TAG_MAX, _TAG_MAX_BYTES = 1 << 3, 2**32 - 1, 5


@inlined
def varint(p: Bytes, at: int, end: int) -> tuple[int, int]:
    """The number at `at` as int64 (its 64 bits), and the position after it or BROKEN."""
    value = uint64(0)
    shift = uint64(0)
    while at < end and shift < 64:
        byte = uint64(p[at])
        at += 1
        value |= (byte & uint64(0x7F)) << shift
        if byte < 0x80:
            return int64(value), at
        shift += uint64(7)
    return int64(0), BROKEN


@inlined
def field(p: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """One field at `at`: its tag (number and wire type), its value or where its bytes begin, their end, what follows.

    What follows is BROKEN when it is no field. The value of a fixed64 is its bits as int64.
    """
    begin = at
    tag, at = varint(p, begin, end)
    if at == BROKEN or at - begin > _TAG_MAX_BYTES or tag > _TAG_MAX or tag < _TAG_MIN:
        return 0, 0, 0, BROKEN
    wire = tag & 7
    if wire == BYTES:
        size, at = varint(p, at, end)
        if at == BROKEN or size < 0 or size > end - at:
            return 0, 0, 0, BROKEN
        return tag, at, at + size, at + size
    if wire == VARINT:
        value, after = varint(p, at, end)
        return tag, value, at, after
    size = 8 if wire == FIXED64 else 4
    if (wire != FIXED64 and wire != FIXED32) or at + size > end:
        return 0, 0, 0, BROKEN
    bits = uint64(0)
    for i in range(size):
        bits |= uint64(p[at + i]) << uint64(8 * i)
    return tag, int64(bits), at, at + size
