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


def go_duration(duration_ns: int) -> str:
    """A duration that is not negative as Go prints it: "0s", "1.5ms", "1m2.3s", "72h0m0s"."""
    if duration_ns < 10**9:
        for unit, size_ns in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
            if duration_ns < size_ns * 1000:
                return f"{_decimal(duration_ns, size_ns)}{unit}" if duration_ns else "0s"
    minutes, rest_ns = divmod(duration_ns, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    shown_hours = f"{hours}h" if hours else ""
    shown_minutes = f"{minutes}m" if hours or minutes else ""
    return f"{shown_hours}{shown_minutes}{_decimal(rest_ns, 10**9)}s"


def _decimal(number: int, unit: int) -> str:
    whole, part = divmod(number, unit)
    return f"{whole}.{part:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".") if part else str(whole)
