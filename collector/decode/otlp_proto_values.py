"""KeyValue bytes -> attributes, through the lean view of wire, and the cache that makes it cheap."""

from collections.abc import Iterable
from json.encoder import encode_basestring
from struct import Struct
from zlib import crc32

from google.protobuf.message import DecodeError

from collector.decode.otlp_attributes import (
    MAX_VALUE_DEPTH,
    Attribute,
    SanitizedPairs,
    attribute,
    double_texts,
    text_or_bytes,
)
from collector.decode.otlp_fields import SpanRefused
from storage.attributes import AttributeValue
from wire import otlp_lean_pb2 as lean

_VALUES_PER_KEY = 1024
_HEADS_MAX = 32_768
_ENTRIES_MAX = 32_768
_RAW_MAX_BYTES = 192
_RELEARN_AFTER_SPANS = 1_000_000
_CONTAINER_MAX_BYTES = 2**20

_ONE_BYTE_VARINT_MAX = 0x7F
_STRING_HEAD_BYTES = 6
"""Beside the key: tag and length of the key, tag and length of the AnyValue, tag and length of its string."""
_NUMBER_HEAD_BYTES = 5
_STRING, _INT, _DOUBLE = 0x0A, 0x18, 0x21
_LEARNT_KINDS = (str, int, float)
_DOUBLE_VALUE = Struct("<d")


class OddAttribute(Exception):  # not an error: it only needs the careful path
    """This KeyValue does not parse, nests too deep, or has a key that is not UTF-8."""


class _Key:
    """What all KeyValues of one key share. room: how many more of its values may be cached."""

    __slots__ = ("crc", "member", "room", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.member = f"{encode_basestring(text)}:"
        self.crc = crc32(f"{text}=".encode())
        self.room = _VALUES_PER_KEY


_Head = tuple[int, int, str, int, str, _Key]
"""What stands before a payload: size of the whole KeyValue, where the payload starts, and what its key gives."""


class AttributeCache(dict[bytes, Attribute]):
    """Raw KeyValue bytes -> attribute: `cache[raw]` always answers, or raises OddAttribute.

    A pure function made fast. A value never seen is read by hand when its bytes before the text were seen (`_heads`:
    they hold the key, every tag and every length, so that equal heads and equal sizes mean equal structure); all else
    goes through protobuf. Each key may hold a bounded number of values, so that ids and URLs, different in every span,
    fill their own share and then pass by instead of turning the others out; long values never enter. Everything is
    forgotten now and then, so that the shares follow the traffic. Safe for several threads: entries never change, and a
    lost one is only parsed again.
    """

    __slots__ = ("_heads", "_keys", "_spans_until_relearn")

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, _Key] = {}
        self._heads: dict[bytes, _Head] = {}
        self._spans_until_relearn = _RELEARN_AFTER_SPANS

    def count_spans(self, spans: int) -> None:
        """Say that this many spans were looked up: what forgetting is timed by."""
        self._spans_until_relearn -= spans
        if self._spans_until_relearn < 0 or len(self) > _ENTRIES_MAX or len(self._heads) > _HEADS_MAX:
            self._spans_until_relearn = _RELEARN_AFTER_SPANS
            self.clear()
            self._heads.clear()
            self._keys.clear()

    def __missing__(self, raw: bytes) -> Attribute:
        try:
            head = self._heads.get(raw[: raw[1] + _STRING_HEAD_BYTES])
            if head is None:
                return self._number(raw)
            size, start, member, crc, key_text, key = head
            if len(raw) != size:
                return self._parsed(raw)
            text = raw[start:]
            found = (member + encode_basestring(text.decode()), crc32(text, crc), key_text)
        except (IndexError, UnicodeDecodeError):
            return self._parsed(raw)
        if key.room > 0:
            key.room -= 1
            self[raw] = found
        return found

    def _number(self, raw: bytes) -> Attribute:
        head = self._heads.get(raw[: raw[1] + _NUMBER_HEAD_BYTES])
        if head is None or len(raw) != head[0]:
            return self._parsed(raw)
        _, start, _, _, _, key = head
        if raw[start - 1] == _DOUBLE:
            found = _double(key, _DOUBLE_VALUE.unpack_from(raw, start)[0])
        else:
            number = _varint(raw[start:])
            if number is None:
                return self._parsed(raw)
            text = str(number)
            found = key.member + text, crc32(text.encode(), key.crc), key.text
        if key.room > 0:
            key.room -= 1
            self[raw] = found
        return found

    def _parsed(self, raw: bytes) -> Attribute:
        raw_key, value = key_value(raw)
        try:
            text = raw_key.decode()
        except UnicodeDecodeError:
            raise OddAttribute from None
        found = attribute(text, value)
        if len(raw) <= _RAW_MAX_BYTES:
            key = self._keys.get(text)
            if key is None:
                key = self._keys[text] = _Key(text)
            self._learn_head(raw, raw_key, key, value)
            if key.room > 0:
                key.room -= 1
                self[raw] = found
        return found

    def _learn_head(self, raw: bytes, raw_key: bytes, key: _Key, value: AttributeValue) -> None:
        """Remember what stands before the payload of this KeyValue, if it is in the one usual form."""
        kind, key_size = value.__class__, len(raw_key)
        start = key_size + _NUMBER_HEAD_BYTES
        rest = len(raw) - key_size - 4
        if kind not in _LEARNT_KINDS or max(key_size, rest) > _ONE_BYTE_VARINT_MAX:
            return
        if not raw.startswith(b"\x0a%c%b\x12%c" % (key_size, raw_key, rest)):
            return
        tag = raw[start - 1]
        if kind is str and tag == _STRING and raw[start] == rest - 2:
            self._heads[raw[: start + 1]] = (len(raw), start + 1, key.member, key.crc, key.text, key)
        elif (kind is float and tag == _DOUBLE and rest == 9) or (kind is int and tag == _INT and rest <= 10):
            self._heads[raw[:start]] = (len(raw), start, key.member, key.crc, key.text, key)


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


def _double(key: _Key, value: float) -> Attribute:
    member, text = double_texts(value)
    return key.member + member, crc32(text.encode(), key.crc), key.text


def _varint(raw: bytes) -> int | None:
    """The number these bytes are, all of them; None when they are not one non-negative number."""
    value = shift = 0
    for byte in raw[:-1]:
        if byte < 0x80:
            return None
        value |= (byte & 0x7F) << shift
        shift += 7
    return value | raw[-1] << shift if raw[-1] < 0x80 else None
