"""JSON values of OTLP: ids in hex, integers as numbers or strings, AnyValue, attributes.

Source: the OTLP specification's JSON encoding (proto3 JSON with hex ids and integer enums); what real senders do beyond
it is said where it is read. `None` is absent everywhere, as proto3 JSON has it.
"""

import base64
import binascii
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from collector.decode.otlp_attributes import MAX_VALUE_DEPTH, Pair
from storage.attributes import AttributeValue

Object = Mapping[str, Any]
"""A decoded JSON object; what its members are is found out here."""

_VALUE = ".value"
"""Where an AnyValue stands below its KeyValue: as far as errors go into it."""
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_UINT32_MAX = 2**32 - 1
_DOUBLE_MAX = sys.float_info.max
_INTEGER = re.compile(r"-?[0-9]{1,400}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_VALUE_KEYS = {
    "string_value": "stringValue",
    "bool_value": "boolValue",
    "int_value": "intValue",
    "double_value": "doubleValue",
    "array_value": "arrayValue",
    "kvlist_value": "kvlistValue",
    "bytes_value": "bytesValue",
}
_DOUBLE_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BOOL_NAMES = {"true": True, "false": False}


class WrongShape(Exception):  # the caller knows whether it spoils a span or the payload
    """A JSON value is not what OTLP has there. `str()`: where (below the caller's place), what was expected and got."""


def member(parent: Object, camel: str, snake: str) -> Any:
    """The member of this name, camelCase first; proto3 JSON readers take both spellings. None when absent."""
    value = parent.get(camel)
    return parent.get(snake) if value is None else value


def objects(value: Any, where: str) -> Sequence[Object]:
    """A list of objects; absent is empty."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise WrongShape(f"{where}: expected an array, got {shown(value)}")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise WrongShape(f"{where}[{index}]: expected an object, got {shown(item)}")
    return value


def an_object(value: Any, where: str) -> Object:
    """An object; absent is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongShape(f"{where}: expected an object, got {shown(value)}")
    return value


def text(value: Any, where: str) -> str:
    """A string; absent is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShape(f"{where}: expected a string, got {shown(value)}")
    return value


def id_bytes(value: Any, where: str) -> bytes:
    """An id in hex of any case and length; absent is empty. Base64, proto3 JSON's own form of bytes, is no OTLP."""
    written = text(value, where)
    try:
        return binascii.unhexlify(written)
    except ValueError:
        raise WrongShape(f"{where}: expected hex digits, got {shown(value)}") from None


def time_ns(value: Any, where: str) -> int:
    """A uint64 of nanoseconds as number or string; absent is 0."""
    return _integer(value, where, 0, math.inf)


def uint32(value: Any, where: str) -> int:
    """A uint32 as number or string; absent is 0."""
    return _integer(value, where, 0, _UINT32_MAX)


def enum(value: Any, names: Mapping[str, int], where: str) -> int:
    """An enum as its number or its name; absent and unknown names are 0."""
    if isinstance(value, str) and not value.lstrip("-").isdecimal():
        return names.get(value, 0)
    return _integer(value, where, -(2**31), 2**31 - 1)


def pairs(value: Any, where: str) -> list[Pair]:
    """A list of KeyValues. WrongShape when one of them is none or nests too deep."""
    found: list[Pair] = []
    try:
        for item in objects(value, ""):
            found.append(_pair(item, MAX_VALUE_DEPTH))  # noqa: PERF401  # how many there are says where an error was
    except WrongShape as error:
        index = f"[{len(found)}]" if str(error).startswith(".") else ""
        raise WrongShape(f"{where}{index}{error}") from None
    return found


def shown(value: Any) -> str:
    """A value as an error names it, cut short."""
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case bool():
            return str(value).lower()
        case str() if len(value) > 40:
            return f"{value[:40]!r}... of {len(value)} characters"
        case _:
            return repr(value) if not isinstance(value, int) or abs(value) < 10**20 else "an integer beyond 64 bits"


def _pair(item: Object, depth: int) -> Pair:
    return text(item.get("key"), ".key"), _any_value(an_object(item.get("value"), _VALUE), depth)


def _any_value(value: Object, depth: int) -> AttributeValue:
    for name, inner in value.items():
        if inner is None:
            continue
        match _VALUE_KEYS.get(name, name):
            case "stringValue":
                return text(inner, _VALUE)
            case "intValue":
                return _int_value(inner)
            case "boolValue":
                return _bool_value(inner)
            case "doubleValue":
                return _double_value(inner)
            case "arrayValue":
                return _array(an_object(inner, _VALUE), _deeper(depth))
            case "kvlistValue":
                return _map(an_object(inner, _VALUE), _deeper(depth))
            case "bytesValue":
                return _bytes_value(inner)
    return None


def _deeper(depth: int) -> int:
    if depth <= 0:
        raise WrongShape(f"{_VALUE}: expected arrays and maps nested at most {MAX_VALUE_DEPTH} deep, got more")
    return depth - 1


def _array(value: Object, depth: int) -> AttributeValue:
    items = value.get("values")
    if items is None:
        return []
    if not isinstance(items, list):
        raise WrongShape(f"{_VALUE}: expected an array of values, got {shown(items)}")
    return [_any_value(an_object(item, _VALUE), depth) for item in items]


def _map(value: Object, depth: int) -> AttributeValue:
    return dict(_pair(item, depth) for item in objects(value.get("values"), _VALUE))


def _int_value(value: Any) -> int | float:
    """An int64; beyond it (Node sends 1e20 as an intValue) the nearest double, so that nothing is lost."""
    number = _integer(value, _VALUE, -_DOUBLE_MAX, _DOUBLE_MAX)
    return number if _INT64_MIN <= number <= _INT64_MAX else float(number)


def _bool_value(value: Any) -> bool:
    found = _BOOL_NAMES.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise WrongShape(f"{_VALUE}: expected true or false, got {shown(value)}")
    return found


def _double_value(value: Any) -> float:
    match value:
        case bool():
            number = None
        case int() | float():
            number = value
        case str() if value in _DOUBLE_NAMES:
            number = _DOUBLE_NAMES[value]
        case str() if _NUMBER.fullmatch(value):
            number = float(value)
        case _:
            number = None
    if number is None or (isinstance(number, int) and abs(number) > _DOUBLE_MAX):
        raise WrongShape(f"{_VALUE}: expected a double, got {shown(value)}")
    return float(number)


def _bytes_value(value: Any) -> bytes:
    """Base64, standard or URL-safe, padded or not, as proto3 JSON readers take it."""
    written = text(value, _VALUE).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except ValueError:
        raise WrongShape(f"{_VALUE}: expected base64, got {shown(value)}") from None


def _integer(value: Any, where: str, least: float, most: float) -> int:
    if value is None:
        return 0
    number = _whole(value)
    if number is None or not least <= number <= most:
        raise WrongShape(f"{where}: expected an integer{_bounds(least, most)}, got {shown(value)}")
    return number


def _whole(value: Any) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if _INTEGER.fullmatch(value):
            return int(value)
        case _:
            return None


def _bounds(least: float, most: float) -> str:
    if least == -_DOUBLE_MAX:
        return ""
    return f" from {least:.0f}" if math.isinf(most) else f" from {least} to {most}"
