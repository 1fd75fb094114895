"""One OTLP attribute as the three things the columns hold of it, and Jaeger's rules for text that is no UTF-8.

Source of the rules: the UTF-8 sanitizer of Jaeger v2. A string value that is not UTF-8 becomes a bytes value; a key
that is not is dropped and its `key:value` kept as bytes under `invalid-tag-key-N`; a name, message or trace state that
is not is replaced, its bytes kept as an attribute.
"""

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from zlib import crc32

import msgspec

from storage import attributes as attrs
from storage.attributes import AttributeValue

Attribute = tuple[str, int, str]
"""The JSON member `"http.method":"GET"`, its search token, its key."""

Pair = tuple[str, AttributeValue]

MAX_VALUE_DEPTH = 64
"""How deep arrays and maps may nest in one attribute."""

INVALID_SPAN_NAME = "invalid-span-name"
INVALID_TRACE_STATE = "invalid-trace-state"
INVALID_STATUS_MESSAGE = "invalid-status-message"
INVALID_EVENT_NAME = "invalid-event-name"
INVALID_SCOPE_NAME = "invalid-scope-name"
INVALID_SCOPE_VERSION = "invalid-scope-version"
INVALID_SCHEMA_URL = "invalid-schema-url"
_INVALID_TAG_KEY = "invalid-tag-key"

_encode_json = msgspec.json.Encoder().encode


def attribute(key: str, value: AttributeValue) -> Attribute:
    """The attribute of this key and value: what `attributes.encode` and `attributes.token` make of them."""
    kind = value.__class__
    if kind is str:
        text: str = value  # type: ignore[assignment]  # mypy does not narrow by __class__
        member = encode_basestring(text)
    elif kind is bool:
        text = member = "true" if value else "false"
    elif kind is int:
        text = member = str(value)
    elif kind is float:
        member, text = double_texts(value)  # type: ignore[arg-type]
    else:
        text, member = attrs.text_of(value), attrs.encode_value(value)
    return f"{encode_basestring(key)}:{member}", crc32(f"{key}={text}".encode()), key


def double_texts(value: float) -> tuple[str, str]:
    """A double as typed JSON text, and as a search compares it."""
    member = _encode_json(value).decode()  # a third of what repr takes; "null" when not finite
    if "e" in member or "n" in member:
        return attrs.encode_value(value), attrs.double_text(value)
    return member, member.removesuffix(".0")


def attributes_of(pairs: Iterable[Pair]) -> list[Attribute]:
    """One attribute a pair, in their order; a repeated key stays repeated."""
    return [attribute(key, value) for key, value in pairs]


def object_text(found: Sequence[Attribute]) -> str:
    """The JSON object of these attributes: the form of the `attributes`, `scope_attributes` and `resource` columns."""
    return f"{{{','.join([member for member, _, _ in found])}}}"


def tokens_of(found: Sequence[Attribute]) -> list[int]:
    """Their search tokens, in their order."""
    return [token for _, token, _ in found]


def keys_of(found: Sequence[Attribute]) -> list[str]:
    """Their keys, in their order."""
    return [key for _, _, key in found]


class SanitizedPairs:
    """Collects the pairs of one owner (span, event, link, scope, resource, map), each string as raw bytes."""

    __slots__ = ("_broken", "_kept", "pairs")

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self._broken: list[bytes] = []
        self._kept: list[Pair] = []

    def add(self, raw_key: bytes, value: AttributeValue) -> None:
        """Add one attribute; a key that is not UTF-8 is kept aside until `finish`."""
        try:
            self.pairs.append((raw_key.decode(), value))
        except UnicodeDecodeError:
            tail = value if isinstance(value, bytes) else attrs.text_of(value).encode()
            self._broken.append(raw_key + b":" + tail)

    def text(self, raw: bytes, placeholder: str, replacement: str = "") -> str:
        """`raw` as text, or `replacement` with the bytes kept as the attribute `placeholder`."""
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self._kept.append((placeholder, raw))
            return replacement

    def finish(self) -> list[Pair]:
        """All pairs: as sent, then what replaced texts held, then the broken keys, numbered from 1."""
        broken = [(f"{_INVALID_TAG_KEY}-{number}", raw) for number, raw in enumerate(self._broken, 1)]
        return [*self.pairs, *self._kept, *broken]


def text_or_bytes(raw: bytes) -> str | bytes:
    """A string value as text, or as it is when it is not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
