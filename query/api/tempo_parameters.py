"""The query parameters of Tempo's API. An empty one is an absent one, and of a repeated one the first counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from query.api.jaeger_search import LARGEST_LIMIT
from query.errors import BadRequest
from query.traceql.parser import parse
from query.traceql.patterns import Pattern
from query.traceql.syntax import (
    Attribute,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Field,
    Filter,
    Intrinsic,
    Match,
    Query,
    Scope,
)
from storage.durations import parse_duration_ns
from storage.span import StatusCode

DEFAULT_WINDOW_NS = 3600 * 10**9
"""What is searched when no times are given: Tempo takes what is recent, too."""
DEFAULT_LIMIT = 20
DEFAULT_SPANS = 3
LARGEST_TAG_LIMIT = 5000
"""What Grafana asks for."""
_SECOND_NS = 10**9
_UINT32 = 2**32
_DIGITS = re.compile("[0-9]{1,10}")
_LOGFMT = re.compile(r'\s*([^\s="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s"]*))?(?=\s|$)')
_STATUS_TEXTS = {"ok": StatusCode.OK, "error": StatusCode.ERROR, "unset": StatusCode.UNSET}
LEGACY_FIELDS: Mapping[str, Field] = {
    "name": Intrinsic.NAME,
    "root.name": Intrinsic.ROOT_NAME,
    "root.service.name": Intrinsic.ROOT_SERVICE,
    "status.code": Intrinsic.STATUS,
}
"""What tags of the first version mean besides attributes."""


@dataclass(frozen=True, slots=True)
class Window:
    """Both ends inclusive, epoch nanoseconds."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Search:
    """GET /api/search. spans: how many of a trace are shown. Durations are the trace's, None is no bound."""

    query: Query
    window: Window
    limit: int
    spans: int
    duration_min_ns: int | None
    duration_max_ns: int | None


@dataclass(frozen=True, slots=True)
class TagSearch:
    """GET /api[/v2]/search/tag...: query: None when none was given or it cannot be read, which is no error here.

    scope: "" is all of them. limit: names a scope, or values.
    """

    query: Query | None
    window: Window
    scope: str
    limit: int


def search(given: QueryParams, now_ns: int) -> Search:
    """BadRequest when a parameter is wrong, or both `q` and `tags` are given."""
    q, tags = _of(given, "q"), _of(given, "tags")
    if q and tags:
        raise BadRequest("invalid request: can't specify tags and q in the same query")
    window = _window(given, now_ns)
    shortest, longest = _duration(given, "minDuration"), _duration(given, "maxDuration")
    if shortest and longest is not None and shortest > longest:
        raise BadRequest("invalid maxDuration: must be greater than minDuration")
    limit = _number(given, "limit")
    if limit == 0:
        raise BadRequest("invalid limit: must be a positive number")
    return Search(
        query=parse(q) if q else Query(Filter(_tags(tags))),
        window=window,
        limit=min(limit or DEFAULT_LIMIT, LARGEST_LIMIT),
        spans=_number(given, "spss") or DEFAULT_SPANS,
        duration_min_ns=shortest,
        duration_max_ns=longest,
    )


def tag_search(given: QueryParams, now_ns: int) -> TagSearch:
    """BadRequest when a parameter other than `q` is wrong."""
    scope = _of(given, "scope")
    if scope not in {*(one.value for one in Scope), "intrinsic", "none"}:
        raise BadRequest(f"invalid scope: {scope}")
    try:
        query = parse(_of(given, "q"))
    except BadRequest:
        # Grafana sends what was typed so far. Tempo answers with everything then.
        query = None
    limit = min(_number(given, "limit") or LARGEST_TAG_LIMIT, LARGEST_TAG_LIMIT)
    return TagSearch(query, _window(given, now_ns), "" if scope == "none" else scope, limit)


def refuse_bad_hints(given: QueryParams) -> None:
    """BadRequest when `start` or `end` of a trace by id is no time, or they are the wrong way round.

    They say where to look and filter nothing.
    """
    _bounds(given)


def _window(given: QueryParams, now_ns: int) -> Window:
    start_s, end_s = _bounds(given)
    if not start_s and not end_s:
        return Window(now_ns - DEFAULT_WINDOW_NS, now_ns)
    # The clients cut their times at the second, so the last one is searched whole.
    return Window(start_s * _SECOND_NS, (end_s + 1) * _SECOND_NS - 1)


def _bounds(given: QueryParams) -> tuple[int, int]:
    start_s, end_s = _number(given, "start") or 0, _number(given, "end") or 0
    if (start_s or end_s) and end_s <= start_s:
        raise BadRequest(f"http parameter start must be before end. received start={start_s} end={end_s}")
    return start_s, end_s


def _number(given: QueryParams, name: str) -> int | None:
    text = _of(given, name)
    if not text:
        return None
    if not _DIGITS.fullmatch(text) or int(text) >= _UINT32:
        raise BadRequest(f"invalid {name}: expected a whole number from 0 to {_UINT32 - 1}, got {text[:60]!r}")
    return int(text)


def _duration(given: QueryParams, name: str) -> int | None:
    text = _of(given, name)
    try:
        return parse_duration_ns(text) if text else None
    except ValueError as error:
        raise BadRequest(f"invalid {name}: {error}") from error


def _tags(text: str) -> Condition:
    """logfmt: one span must have them all, each value as a part of the text, in any case."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        pair = _LOGFMT.match(text, at)
        if pair is None:
            raise BadRequest(f"invalid tags: expected key=value at pos {at + 1}, got {text[at : at + 20]!r}")
        key, value = pair[1], pair[2] or ""
        if key in found:
            raise BadRequest(f"invalid tags: tag {key} has been set twice")
        found[key] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        at = pair.end()
    return Conjunction(tuple(_tag(key, value) for key, value in found.items()))


def _tag(key: str, value: str) -> Condition:
    if (key, value) == ("error", "true"):
        return Comparison(Intrinsic.STATUS, "=", Constant(StatusCode.ERROR))
    field = LEGACY_FIELDS.get(key, Attribute(Scope.ANY, key))
    if field is Intrinsic.STATUS:
        if value not in _STATUS_TEXTS:
            raise BadRequest(f"invalid tags: expected status.code to be ok, error or unset, got {value[:60]!r}")
        return Comparison(field, "=", Constant(_STATUS_TEXTS[value]))
    return Match(field, Pattern(f"(?i).*{_literally(value)}.*"), negated=False)


def _literally(text: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", text, flags=re.ASCII)


def _of(given: QueryParams, name: str) -> str:
    values = given.getlist(name)
    return values[0] if values else ""
