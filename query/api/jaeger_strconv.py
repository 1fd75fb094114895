"""Numbers, truth values, durations and ids as Go reads them, refused with Go's own texts, as Jaeger passes them on.

Every function raises ValueError with the text. Source: Go's strconv and time packages; Jaeger's model.TraceID.
"""

import base64
import binascii
import json
import re

from storage.durations import parse_duration_ns
from storage.ids import TraceId, trace_id_of

_INTEGER = re.compile(r"[+-]?[0-9]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_NUMBER_AND_UNIT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)")
_UNITS = frozenset({"ns", "us", "µs", "μs", "ms", "s", "m", "h", "d"})
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_LARGEST_INT64 = 2**63 - 1
_MOST_DIGITS = 4000  # Python refuses to convert longer texts; they are out of any range anyway.


def parse_int(text: str, bits: int = 64) -> int:
    """A signed decimal number of that many bits, as strconv.ParseInt."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"strconv.ParseInt: parsing {_quoted(text)}: invalid syntax")
    number = int(text) if len(text) <= _MOST_DIGITS else 2**bits
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f"strconv.ParseInt: parsing {_quoted(text)}: value out of range")
    return number


def parse_bool(text: str) -> bool:
    """As strconv.ParseBool."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {_quoted(text)}: invalid syntax")


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration with a unit, as time.ParseDuration; "d" for days is understood besides."""
    try:
        duration_ns = parse_duration_ns(text)
    except ValueError:
        raise ValueError(_duration_refusal(text)) from None
    if abs(duration_ns) > _LARGEST_INT64:
        raise ValueError(f"time: invalid duration {_quoted(text)}")
    return duration_ns


def parse_trace_id(text: str) -> TraceId:
    """1 to 32 hex digits in any case, left-padded with zeros."""
    if len(text) > 32:
        raise ValueError(f"TraceID cannot be longer than 32 hex characters: {text}")
    for half in (text[:-16], text[-16:]) if len(text) > 16 else (text,):
        if not _HEX.fullmatch(half):
            raise ValueError(f"strconv.ParseUint: parsing {_quoted(half)}: invalid syntax")
    return trace_id_of(text)


def parse_trace_id_or_base64(text: str) -> TraceId:
    """As parse_trace_id; what is no hex may be base64 of 8 or 16 bytes, of either alphabet, padded or not."""
    try:
        return parse_trace_id(text)
    except ValueError as refusal:
        raw = _base64_bytes(text) if len(text) <= 24 else b""
        if len(raw) not in (8, 16):
            raise refusal
        return TraceId(raw.rjust(16, b"\0"))


def _base64_bytes(text: str) -> bytes:
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _duration_refusal(text: str) -> str:
    rest = text[1:] if text.startswith(("+", "-")) else text
    while part := _NUMBER_AND_UNIT.match(rest):
        unit = part[2]
        if not unit:
            return f"time: missing unit in duration {_quoted(text)}"
        if unit not in _UNITS:
            return f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}"
        rest = rest[part.end() :]
    return f"time: invalid duration {_quoted(text)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
