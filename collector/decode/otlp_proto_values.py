"""KeyValue bytes -> key and value, through the lean view of wire."""

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from collector.decode.otlp_attributes import (
    MAX_VALUE_DEPTH,
    SanitizedPairs,
    text_or_bytes,
)
from collector.decode.otlp_fields import SpanRefused
from storage.attributes import AttributeValue
from wire import otlp_lean_pb2 as lean

_CONTAINER_MAX_BYTES = 2**20


class OddAttribute(Exception):  # not an error: it only needs the careful path
    """This KeyValue does not parse, nests too deep, or has a key that is not UTF-8."""


def key_value(raw: bytes) -> tuple[bytes, AttributeValue]:
    """The key and the value of one KeyValue. OddAttribute when it does not parse or nests too deep."""
    try:
        return _key_value(raw, MAX_VALUE_DEPTH)
    except DecodeError as error:
        raise OddAttribute(f"expected a KeyValue message, {error}") from None


def sanitized(raws: Iterable[bytes], found: SanitizedPairs, where: str = "") -> SanitizedPairs:
    """`found`, with all these KeyValues added. SpanRefused when one of them does not parse."""
    for index, raw in enumerate(raws):
        try:
            found.add(*key_value(raw))
        except OddAttribute as error:
            raise SpanRefused("malformed_attribute", f"{where}.attributes[{index}]: {error}") from None
    return found


def _key_value(raw: bytes, depth: int) -> tuple[bytes, AttributeValue]:
    message = lean.KeyValue.FromString(raw)
    return message.key, _any_value(message.value, depth)


def _any_value(message: lean.AnyValue, depth: int) -> AttributeValue:
    match message.WhichOneof("value"):
        case "string_value":
            return text_or_bytes(message.string_value)
        case "int_value":
            return message.int_value
        case "bool_value":
            return message.bool_value
        case "double_value":
            return message.double_value
        case "bytes_value":
            return message.bytes_value
        case "array_value":
            _require_modest(message.array_value, depth)
            return _array(message.array_value, depth - 1)
        case "kvlist_value":
            _require_modest(message.kvlist_value, depth)
            return _map(message.kvlist_value, depth - 1)
        case _:
            return None


def _require_modest(raw: bytes, depth: int) -> None:
    if depth <= 0:
        raise OddAttribute(f"expected arrays and maps nested at most {MAX_VALUE_DEPTH} deep, got more")
    if len(raw) > _CONTAINER_MAX_BYTES:
        raise OddAttribute(f"expected arrays and maps of at most {_CONTAINER_MAX_BYTES} bytes, got {len(raw)}")


def _array(raw: bytes, depth: int) -> AttributeValue:
    items = lean.ArrayValue.FromString(raw).values
    return [_any_value(lean.AnyValue.FromString(item), depth) for item in items]


def _map(raw: bytes, depth: int) -> AttributeValue:
    found = SanitizedPairs()
    for item in lean.KeyValueList.FromString(raw).values:
        found.add(*_key_value(item, depth))
    return dict(found.finish())
