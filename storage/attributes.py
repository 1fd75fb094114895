"""Typed attributes as JSON text, and the text form that a search compares.

Types survive the round trip. JSON has strings, integers, doubles, booleans, null and arrays of its own; the rest is
tagged with a one-member object, and a map is always wrapped so that a user's key can never forge a tag:

    bytes            {"$b": "<base64>"}
    NaN, +-Infinity  {"$d": "NaN" | "Infinity" | "-Infinity"}
    map              {"$m": {...}}

A double always has a fraction or an exponent (200.0), an int64 never has. Source of the types: OTLP AnyValue.
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from zlib import crc32

import msgspec

AttributeValue = str | bool | int | float | bytes | None | list["AttributeValue"] | dict[str, "AttributeValue"]
Attributes = Mapping[str, AttributeValue]

KEY_SEPARATOR = "\x1f"
"""Encloses every key in the `attribute_keys` column: "\\x1fhttp.method\\x1ferror\\x1f"; empty when there are none."""
KEYS_ELSEWHERE = "\x1e"
"""Stands in `attribute_keys` before the keys that are not the span's own: "\\x1fa\\x1f\\x1e\\x1fx\\x1fy\\x1f"."""

_loads: Callable[[str], dict[str, object]] = msgspec.json.Decoder(dict[str, object]).decode


def encode(attributes: Attributes) -> str:
    """The JSON object text of these attributes, in their order, without white space. `{}` when there are none."""
    return _dumps({key: _tagged(value) for key, value in attributes.items()})


def decode(text: str | None) -> dict[str, AttributeValue]:
    """The attributes that `encode` (or a decoder) wrote. None and "" are no attributes."""
    if not text:
        return {}
    found = _loads(text)
    if text.find("{", 1) < 0:
        # No tag and no map; a value is what JSON says, and so are the values of a list.
        return found  # type: ignore[return-value]  # JSON's scalars and lists of them are AttributeValues
    # Most values are text, and need no look.
    return {key: value if value.__class__ is str else untagged(value) for key, value in found.items()}


def encode_value(value: AttributeValue) -> str:
    """One value as typed JSON text."""
    return _dumps(_tagged(value))


def text_of(value: AttributeValue) -> str:
    """The string form that a tag search compares, as OpenTelemetry's AsString writes it.

    bool true/false, integers in decimal, doubles as Go prints them in JSON (72.5, 200, 1e+21), bytes in base64,
    null as "", arrays and maps as JSON text.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return _dumps(_plain(value))


def double_text(value: float) -> str:
    """A double as Go's encoding/json writes it; NaN and the infinities as strconv does ("NaN", "+Inf", "-Inf")."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1.0, value) < 0 else "0"
    text = repr(value)
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(text), "f") if "e" in text else text.removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    return f"{mantissa.removesuffix('.0')}e{'+' if power >= 0 else '-'}{abs(power):02d}".replace("e-0", "e-")


def token(key: str, text: str) -> int:
    """The 32-bit search token of `key=text`: CRC-32 (IEEE) of its UTF-8. A hit is a candidate, never an answer."""
    return crc32(f"{key}={text}".encode())


def key_set(keys: Mapping[str, object] | list[str]) -> str:
    """The `attribute_keys` text of these span attributes' keys, in their order."""
    return f"{KEY_SEPARATOR}{KEY_SEPARATOR.join(keys)}{KEY_SEPARATOR}" if keys else ""


def keys_elsewhere(keys: Iterable[str]) -> str:
    """What follows it for the keys of attributes of events, links and scope, in any order and however often."""
    return f"{KEYS_ELSEWHERE}{key_set(found)}" if (found := sorted(set(keys))) else ""


def untagged(value: object) -> AttributeValue:
    """The attribute value behind one decoded JSON value of the typed form."""
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if isinstance(value, dict):
        ((tag, inner),) = value.items()
        if tag == "$b":
            return base64.b64decode(inner)
        if tag == "$d":
            return float(inner)
        return {key: untagged(item) for key, item in inner.items()}
    return value  # type: ignore[return-value]  # json.loads gives only the JSON scalars here


def _tagged(value: AttributeValue) -> object:
    match value:
        case float() if not math.isfinite(value):
            return {"$d": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        case bytes():
            return {"$b": base64.b64encode(value).decode()}
        case list():
            return [_tagged(item) for item in value]
        case dict():
            return {"$m": {key: _tagged(item) for key, item in value.items()}}
        case _:
            return value


def _plain(value: AttributeValue) -> object:
    match value:
        case float() if not math.isfinite(value):
            return double_text(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
