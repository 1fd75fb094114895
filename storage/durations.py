"""Durations as Go writes them ("1.5s", "100ms", "168h", "1h30m"), with "d" for days besides."""

import re
from fractions import Fraction

_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")
_WHOLE = re.compile(rf"[+-]?(?:(?:{_PART.pattern})+|0)")


def parse_duration_ns(text: str) -> int:
    """Nanoseconds of a Go duration; "0" needs no unit, everything else does. ValueError says what came."""
    if len(text) > 100 or not _WHOLE.fullmatch(text):
        raise ValueError(f'expected a duration with a unit such as "1.5s" or "100ms", got {text[:100]!r}')
    total = sum((Fraction(number) * _UNITS_NS[unit] for number, unit in _PART.findall(text)), Fraction(0))
    return int(-total if text.startswith("-") else total)
