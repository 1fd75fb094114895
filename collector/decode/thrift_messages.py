"""The heads of Thrift's messages, which name the method that is called: what a UDP packet begins with."""

from dataclasses import dataclass

from collector.decode.thrift_bounds import ThriftDamaged, length_within, varint

_BINARY_VERSION = 0x8001
_COMPACT_ID, _COMPACT_VERSION = 0x82, 1


@dataclass(frozen=True, slots=True)
class Message:
    """The method it calls, and where its arguments begin."""

    method: str
    arguments_at: int


def binary_message(data: bytes) -> Message:
    """The head of a message in TBinaryProtocol, with or without its version. Raises ThriftDamaged."""
    first = int.from_bytes(data[:4])
    if len(data) < 4 or (first >> 31 and first >> 16 != _BINARY_VERSION):
        raise ThriftDamaged(f"expected a message of Thrift's binary protocol, got {data[:4]!r}")
    if first >> 31:
        return _message(data, int.from_bytes(data[4:8]), name_at=8, arguments_behind=4)
    return _message(data, first, name_at=4, arguments_behind=5)


def compact_message(data: bytes) -> Message:
    """The head of a message in TCompactProtocol. Raises ThriftDamaged."""
    if len(data) < 3 or data[0] != _COMPACT_ID or data[1] & 0x1F != _COMPACT_VERSION:
        raise ThriftDamaged(f"expected a message of Thrift's compact protocol, got {data[:3]!r}")
    _, at = varint(data, 2)
    length, at = varint(data, at)
    return _message(data, length, name_at=at, arguments_behind=0)


def _message(data: bytes, length: int, *, name_at: int, arguments_behind: int) -> Message:
    end = name_at + length_within(data, length, name_at)
    return Message(data[name_at:end].decode("utf-8", "replace"), end + arguments_behind)
