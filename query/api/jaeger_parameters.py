"""The query parameters of Jaeger's JSON API: read as Jaeger reads them, refused with its texts.

Of a repeated parameter the first counts, except for `tag`, `tags` and `traceID`, which add up. An empty parameter is an
absent one. Source: Jaeger's query parser.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.datastructures import QueryParams

from query.api.jaeger_search import trace_query
from query.api.jaeger_strconv import parse_bool, parse_duration, parse_int, parse_trace_id
from query.api.string_maps import string_map
from query.errors import BadRequest
from storage.ids import TraceId
from storage.requests import TagFilter, TraceQuery
from storage.times import clamped_ns

DEFAULT_LOOKBACK_MS = 24 * 3600 * 1000

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """GET /api/traces: these traces if `trace_ids`, else those that `query` finds. raw: without adjusters."""

    trace_ids: tuple[TraceId, ...]
    query: TraceQuery
    raw: bool


def trace_search(given: QueryParams, now_ns: int, *, any_service: bool = False) -> TraceSearch:
    """What to search for, by the defaults and limits of `jaeger_search`. BadRequest when Jaeger would refuse it.

    The end of the window holds its whole last microsecond. any_service: whether there may be no service.
    """
    start_us, end_us = integer(given, "start"), integer(given, "end")
    tags = _tag_filters(given.getlist("tag"), given.getlist("tags"))
    limit = _limit(_first(given, "limit"))
    min_ns, max_ns = _duration_ns(given, "minDuration"), _duration_ns(given, "maxDuration")
    trace_ids = _trace_ids(given.getlist("traceID"))
    is_raw = raw(given)
    service = _first(given, "service") or None
    if service is None and not trace_ids and not any_service:
        raise BadRequest("parameter 'service' is required")
    query = trace_query(
        now_ns,
        start_min_ns=None if start_us is None else start_us * 1_000,
        start_max_ns=None if end_us is None else end_us * 1_000 + 999,
        limit=limit,
        service=service,
        operation=_first(given, "operation"),
        tags=tags,
        duration_min_ns=min_ns,
        duration_max_ns=max_ns,
    )
    return TraceSearch(trace_ids, query, is_raw)


def refuse_bad_hints(given: QueryParams) -> None:
    """BadRequest when `start` or `end` of a trace by id is no number. They are hints only, and no client agrees with
    another about their unit, so nothing is filtered by them."""
    integer(given, "start")
    integer(given, "end")


def raw(given: QueryParams) -> bool:
    """Whether the trace is asked for as it was stored."""
    return parsed(given, "raw", parse_bool) or False


def pretty(given: QueryParams) -> bool:
    """Whether the answer is to be indented: anything but "false" says so."""
    return _first(given, "prettyPrint") not in ("", "false")


def required_service(given: QueryParams) -> str:
    """BadRequest when it is missing."""
    service = _first(given, "service")
    if not service:
        raise BadRequest("parameter 'service' is required")
    return service


def dependency_window_ns(given: QueryParams, now_ns: int) -> tuple[int, int]:
    """[endTs - lookback, endTs] in nanoseconds, both inclusive; endTs holds its whole last millisecond."""
    end_ms, lookback_ms = integer(given, "endTs"), integer(given, "lookback")
    end_ns = now_ns if end_ms is None else end_ms * 1_000_000
    length_ns = (DEFAULT_LOOKBACK_MS if lookback_ms is None else lookback_ms) * 1_000_000
    return clamped_ns(end_ns - length_ns), clamped_ns(end_ns if end_ms is None else end_ns + 999_999)


def optional(given: QueryParams, name: str) -> str | None:
    """The parameter's first value; None when it is absent or empty."""
    return _first(given, name) or None


def _first(given: QueryParams, name: str) -> str:
    values = given.getlist(name)
    return values[0] if values else ""


def parsed(given: QueryParams, name: str, parse: Callable[[str], _Value]) -> _Value | None:
    """The parameter's first value as `parse` reads it; None when it is absent or empty. BadRequest when it is wrong."""
    text = _first(given, name)
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise BadRequest(f"unable to parse param '{name}': {error}") from error


def integer(given: QueryParams, name: str) -> int | None:
    """A 64-bit number; None when it is absent or empty. BadRequest when it is something else."""
    return parsed(given, name, parse_int)


def _duration_ns(given: QueryParams, name: str) -> int | None:
    return parsed(given, name, parse_duration)


def _limit(text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_int(text, bits=32)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _trace_ids(texts: Sequence[str]) -> tuple[TraceId, ...]:
    try:
        return tuple(dict.fromkeys(parse_trace_id(text) for text in texts))
    except ValueError as error:
        raise BadRequest(f"cannot parse traceID param: {error}") from error


def _tag_filters(pairs: Sequence[str], maps: Sequence[str]) -> tuple[TagFilter, ...]:
    """One filter a key; of several the last counts, and `tags` after `tag`."""
    texts: dict[str, str] = {}
    for pair in pairs:
        key, colon, value = pair.partition(":")
        if not colon:
            raise BadRequest(f"malformed 'tag' parameter, expecting key:value, received: {pair}")
        texts[key] = value
    for text in maps:
        texts |= _tag_map(text)
    return tuple(TagFilter(key, text) for key, text in texts.items())


def _tag_map(text: str) -> dict[str, str]:
    try:
        return string_map(text)
    except ValueError as error:
        raise BadRequest(f"malformed 'tags' parameter, cannot unmarshal JSON: {error}") from error
