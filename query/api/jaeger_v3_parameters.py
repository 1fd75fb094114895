"""The query parameters of /api/v3: camelCase as protobuf's JSON has it, and the snake_case that came before.

Of a repeated parameter the first counts, an empty one is an absent one, and camelCase goes before its alias. Source:
Jaeger's HTTP gateway.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from starlette.datastructures import QueryParams

from query.api.jaeger_search import DEFAULT_LIMIT
from query.api.jaeger_strconv import parse_bool, parse_duration, parse_int
from query.api.otlp_searches import NO_FILTER, depth, tag_filters
from query.api.string_maps import string_map
from query.errors import BadRequest
from storage.requests import TraceQuery
from storage.times import clamped_ns

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """GET /api/v3/traces and /api/v3/trace-summaries. raw: without adjusters."""

    query: TraceQuery
    raw: bool


def trace_search(given: QueryParams) -> TraceSearch:
    """What to search for; both ends of the window are required. BadRequest with Jaeger's text when it is wrong."""
    if _of(given, "query.filter")[0]:
        raise BadRequest(f"malformed parameter query.filter: {NO_FILTER}")
    attributes = _parsed(given, string_map, "query.attributes") or {}
    start_ns, end_ns = _window(given, "query.startTimeMin", "query.startTimeMax")
    asked = _parsed(given, _parse_int, "query.searchDepth", "query.num_traces")
    query = TraceQuery(
        start_min_ns=start_ns,
        start_max_ns=end_ns,
        limit=depth(DEFAULT_LIMIT if asked is None else asked),
        service=_of(given, "query.serviceName")[0] or None,
        operation=_of(given, "query.operationName")[0] or None,
        tags=tag_filters(attributes),
        duration_min_ns=_parsed(given, parse_duration, "query.durationMin") or None,
        duration_max_ns=_parsed(given, parse_duration, "query.durationMax") or None,
    )
    return TraceSearch(query, _parsed(given, parse_bool, "query.rawTraces") or False)


def raw(given: QueryParams) -> bool:
    """Whether a trace is asked for without adjusters."""
    return _parsed(given, parse_bool, "rawTraces") or False


def refuse_bad_hints(given: QueryParams) -> None:
    """BadRequest when `startTime` or `endTime` of a trace by id is no time; they are hints and filter nothing."""
    for name in ("startTime", "endTime"):
        _parsed(given, parse_time_ns, name)


def dependency_window_ns(given: QueryParams) -> tuple[int, int]:
    """[startTime, endTime], both required."""
    return _window(given, "startTime", "endTime")


def service(given: QueryParams) -> str:
    """The service whose operations are asked for; "" when there is none."""
    return _of(given, "service")[0]


def span_kind(given: QueryParams) -> str:
    """The kind of operations asked for; "" is any."""
    return _of(given, "spanKind")[0]


def parse_time_ns(text: str) -> int:
    """Epoch nanoseconds of an RFC 3339 time with any fraction, cut at the nanosecond. ValueError when it is none."""
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
        zone = timezone(-offset if found[8] == "-" else offset)
        since = datetime(year, month, day, hour, minute, second, tzinfo=zone) - _EPOCH
    except (ValueError, OverflowError):
        raise ValueError(f'parsing time "{text}" as "{_LAYOUT}": expected such a time') from None
    whole_ns = (since.days * 86_400 + since.seconds) * 10**9
    return clamped_ns(whole_ns + int((found[7] or "0")[:9].ljust(9, "0")))


def _window(given: QueryParams, first: str, last: str) -> tuple[int, int]:
    start_ns, end_ns = _parsed(given, parse_time_ns, first), _parsed(given, parse_time_ns, last)
    if start_ns is None or end_ns is None:
        raise BadRequest(f"{first} and {last} are required")
    if start_ns >= end_ns:
        raise BadRequest(f"{first} must be before {last}")
    return start_ns, end_ns


def _parse_int(text: str) -> int:
    try:
        return parse_int(text)
    except ValueError as error:
        raise ValueError(str(error).replace("ParseInt", "Atoi", 1)) from None


def _parsed(given: QueryParams, parse: Callable[[str], _Value], name: str, *aliases: str) -> _Value | None:
    text, spelled = _of(given, name, *aliases)
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise BadRequest(f"malformed parameter {spelled}: {error}") from error


def _of(given: QueryParams, name: str, *aliases: str) -> tuple[str, str]:
    """The first value of the parameter and the spelling it came under; "" when none is given."""
    for spelling in (name, _snake_case(name), *aliases):
        values = given.getlist(spelling)
        if values and values[0]:
            return values[0], spelling
    return "", name


def _snake_case(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()
