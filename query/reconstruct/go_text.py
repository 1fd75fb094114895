"""Times and durations as Go prints them, because Jaeger's warnings carry them and people search for those texts."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 10**9


def duration_text(duration_ns: int) -> str:
    """As Go's time.Duration.String: "35ms", "-1.5s", "2h0m5s", "0s"."""
    sign, length_ns = ("-" if duration_ns < 0 else ""), abs(duration_ns)
    if length_ns == 0:
        return "0s"
    for unit, unit_ns in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if length_ns < unit_ns * 1_000:
            return f"{sign}{_decimal(length_ns, unit_ns)}{unit}"
    minutes, rest_ns = divmod(length_ns, 60 * _SECOND_NS)
    hours = f"{minutes // 60}h" if minutes >= 60 else ""
    return f"{sign}{hours}{f'{minutes % 60}m' if minutes else ''}{_decimal(rest_ns, _SECOND_NS)}s"


def time_text(time_ns: int) -> str:
    """As Go's time.Time.String in UTC: "2024-05-05 00:00:00.0001 +0000 UTC"."""
    seconds, rest_ns = divmod(time_ns, _SECOND_NS)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = _decimal(rest_ns, _SECOND_NS).removeprefix("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0") if rest else str(whole)
