"""Keys and values as Jaeger's JSON writes them: `{"key":..,"type":..,"value":..}`."""

import base64
from collections.abc import Iterable
from math import isfinite

from storage.attributes import AttributeValue, double_text, text_of

JsonObject = dict[str, object]

_LARGEST_SAFE_INT = 2**53 - 1


def key_values(tags: Iterable[tuple[str, AttributeValue]]) -> list[JsonObject]:
    """One object a tag, in their order."""
    return [key_value(key, value) for key, value in tags]


def key_value(key: str, value: AttributeValue) -> JsonObject:
    """`type` is string, bool, int64, float64 or binary; a list, a map and null are strings (JSON text, "").

    An int64 that JavaScript cannot hold (beyond +-(2^53 - 1)) has its value as a string, as Jaeger writes it. So have
    NaN and the infinities ("NaN", "+Inf", "-Inf"), where Jaeger answers 500 for the whole trace. binary is base64.
    """
    match value:
        case str():  # First: nearly every value is one.
            return {"key": key, "type": "string", "value": value}
        case bool():
            return {"key": key, "type": "bool", "value": value}
        case int():
            safe = -_LARGEST_SAFE_INT <= value <= _LARGEST_SAFE_INT
            return {"key": key, "type": "int64", "value": value if safe else str(value)}
        case float():
            return {"key": key, "type": "float64", "value": value if isfinite(value) else double_text(value)}
        case bytes():
            return {"key": key, "type": "binary", "value": base64.b64encode(value).decode()}
        case _:
            return {"key": key, "type": "string", "value": text_of(value)}
