"""Walking protobuf by hand, one message level at a time, without making protobuf's objects of what is inside.

Objects outgrow their bytes: 4 MB of empty two-byte spans took 357 MB as messages.
"""

from collections.abc import Container, Iterator

from google.protobuf.message import DecodeError

from collector.decode.proportions import LARGE_BYTES, LEAST_MEAN_BYTES, PARTS_MAX, SPANS_UNJUDGED
from collector.errors import MalformedPayload

UNKNOWN = 0
"""The number of every field that is not length-delimited: its value is passed over."""
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5

Field = tuple[int, int, int, int]
"""Number, where the field begins, where its content begins and ends."""


def fields(payload: bytes, position: int, end: int) -> Iterator[Field]:
    """The fields of the message between the two positions, in their order. DecodeError when it is none."""
    while position < end:
        begin = position
        tag, position = _varint(payload, position, end)
        wire_type, number = tag & 7, tag >> 3
        if wire_type == _LENGTH_DELIMITED:
            size = payload[position] if position < end else 0x80
            if size < 0x80:
                position += 1
            else:
                size, position = _varint(payload, position, end)
            start, position = position, position + size
        else:
            start, position, number = position, _skip(payload, wire_type, position, end), UNKNOWN
        if position > end:
            raise DecodeError(f"a field at byte {begin} reaches beyond its message")
        yield number, begin, start, position


class MessageCount:
    """How many messages a payload turned out to have so far."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        self._messages = 0

    def add(self, at: int) -> None:
        """Another one begins at this byte. MalformedPayload when they are many and too small to be what they should."""
        self._messages += 1
        if self._messages > SPANS_UNJUDGED and self._messages * LEAST_MEAN_BYTES > at:
            raise MalformedPayload(
                f"expected spans with ids, got {self._messages} messages in the first {at} bytes of the payload"
            )


def require_modest(payload: bytes, start: int, end: int, where: str, inner: Container[int] = ()) -> None:
    """MalformedPayload when the message between the two positions is large and has more than PARTS_MAX fields.

    inner: numbers of fields that are messages which may be as large; they are judged too.
    """
    if end - start <= LARGE_BYTES:
        return
    for count, (number, _, at, to) in enumerate(fields(payload, start, end)):
        if count >= PARTS_MAX:
            raise MalformedPayload(f"{where}: expected at most {PARTS_MAX} fields in a large message, got more")
        if number in inner:
            require_modest(payload, at, to, where)


def _skip(payload: bytes, wire_type: int, position: int, end: int) -> int:
    if wire_type == _VARINT:
        return _varint(payload, position, end)[1]
    if wire_type == _FIXED64:
        return position + 8
    if wire_type == _FIXED32:
        return position + 4
    raise DecodeError(f"wire type {wire_type} at byte {position}")


def _varint(payload: bytes, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while position < end and shift < 64:
        byte = payload[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise DecodeError(f"a number at byte {position} does not end")
