"""Zipkin's query parameters: read, and refused with Zipkin's own texts, as clients and dashboards match on them.

An empty parameter is an absent one, except where Zipkin says otherwise (`limit=`, `traceIds=`, `key=`). Numbers follow
Java's Long.parseLong and Integer.parseInt. Source: Zipkin's ZipkinQueryApiV2, QueryRequest and Span.normalizeTraceId.
"""

import re

from pydantic import BaseModel, ConfigDict, Field

from query.errors import BadRequest
from storage.ids import NO_TRACE, TraceId, trace_id_of
from storage.requests import TagFilter, TraceQuery
from storage.times import clamped_ns

DEFAULT_LIMIT = "10"
_LARGEST_INT = 2**31 - 1
_LARGEST_LONG = 2**63 - 1
_MOST_TRACE_IDS = 1000
_MOST_ANNOTATIONS = 100
_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")
_LOWER_HEX = re.compile(r"[0-9a-f]+")
_JAVA_BLANKS = "".join(map(chr, range(0x21)))


class TraceParameters(BaseModel):
    """The parameters of /traces as they came, for the API's documentation; `trace_query` judges them."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    service_name: str | None = Field(None, alias="serviceName", description="Local service name, in any case.")
    remote_service_name: str | None = Field(
        None, alias="remoteServiceName", description="Name of the service on the other side, in any case."
    )
    span_name: str | None = Field(None, alias="spanName", description="Span name, in any case; `all` is no condition.")
    annotation_query: str | None = Field(
        None,
        alias="annotationQuery",
        description="Annotations and tags joined with ` and `: `error and http.method=GET`.",
    )
    min_duration: str | None = Field(None, alias="minDuration", description="Least duration in microseconds.")
    max_duration: str | None = Field(
        None, alias="maxDuration", description="Largest duration in microseconds; only with `minDuration`."
    )
    end_ts: str | None = Field(None, alias="endTs", description="End of the window in epoch milliseconds; default now.")
    lookback: str | None = Field(
        None, description="Length of the window in milliseconds; default the setting `QUERY_LOOKBACK`."
    )
    limit: str | None = Field(DEFAULT_LIMIT, description="How many traces at most.")


def trace_query(given: TraceParameters, now_ms: int, default_lookback_ms: int) -> TraceQuery:
    """The search these parameters ask for. BadRequest when Zipkin would refuse them."""
    min_us, max_us = optional_long(given.min_duration), optional_long(given.max_duration)
    end_ts_ms, lookback_ms = optional_long(given.end_ts), optional_long(given.lookback)
    limit = _number("limit", given.limit or "", _LARGEST_INT)
    end_ts_ms = now_ms if end_ts_ms is None else end_ts_ms
    lookback_ms = default_lookback_ms if lookback_ms is None else lookback_ms
    _refuse_unless(end_ts_ms > 0, "endTs <= 0")
    _refuse_unless(limit > 0, "limit <= 0")
    _refuse_unless(lookback_ms > 0, "lookback <= 0")
    _refuse_unless(min_us is None or min_us > 0, "minDuration <= 0")
    _refuse_unless(max_us is None or min_us is not None, "maxDuration is only valid with minDuration")
    _refuse_unless(max_us is None or min_us is None or max_us >= min_us, "maxDuration < minDuration")
    start_min_ns, start_max_ns = window_ns(end_ts_ms, lookback_ms)
    span_name = given.span_name or None
    return TraceQuery(
        start_min_ns=start_min_ns,
        start_max_ns=start_max_ns,
        limit=limit,
        service=given.service_name or None,
        operation=None if span_name is None or span_name.lower() == "all" else span_name,
        remote_service=given.remote_service_name or None,
        tags=tag_filters(given.annotation_query or ""),
        duration_min_ns=None if min_us is None else _least_ns(min_us),
        duration_max_ns=None if max_us is None else clamped_ns(max_us * 1000 + 999),
        ignore_case=True,
    )


def tag_filters(annotation_query: str) -> tuple[TagFilter, ...]:
    """Zipkin's annotationQuery: parts joined with " and ", at most 100, each `key` or `key=value`, blanks trimmed.

    One filter a key: a value wins over none, and the last value over those before. A part without a key is no filter.
    """
    texts: dict[str, str] = {}
    for part in annotation_query.split(" and ", _MOST_ANNOTATIONS - 1):
        key, equals, value = part.partition("=")
        key = key.strip(_JAVA_BLANKS)
        if equals:
            texts[key] = value.strip(_JAVA_BLANKS)
        else:
            texts.setdefault(key, "")
    return tuple(TagFilter(key, text or None) for key, text in texts.items() if key)


def window_ns(end_ts_ms: int, lookback_ms: int) -> tuple[int, int]:
    """[endTs - lookback, endTs] as inclusive nanosecond bounds, within int64.

    Zipkin compares microseconds, so the end holds the whole last microsecond.
    """
    return clamped_ns((end_ts_ms - lookback_ms) * 1_000_000), clamped_ns(end_ts_ms * 1_000_000 + 999)


def dependency_window_ns(end_ts: str | None, lookback: str | None, default_lookback_ms: int) -> tuple[int, int]:
    """The window of /dependencies, as `window_ns`. BadRequest when Zipkin would refuse it."""
    end_ts_ms = _number("endTs", required("endTs", end_ts), _LARGEST_LONG)
    given_ms = optional_long(lookback)
    lookback_ms = default_lookback_ms if given_ms is None else given_ms
    _refuse_unless(end_ts_ms > 0, "endTs <= 0")
    _refuse_unless(lookback_ms > 0, "lookback <= 0")
    return window_ns(end_ts_ms, lookback_ms)


def one_trace_id(text: str) -> TraceId:
    """The id, which need not be padded. BadRequest when it is none."""
    _refuse_unless(len(text) > 0, "traceId is empty")
    _refuse_unless(len(text) <= 32, "traceId.length > 32")
    _refuse_unless(_LOWER_HEX.fullmatch(text) is not None, f"{text} should be lower-hex encoded with no prefix")
    trace_id = trace_id_of(text)
    _refuse_unless(trace_id != NO_TRACE, "traceId is all zeros")
    return trace_id


def trimmed(text: str) -> str:
    """Without blanks and control characters at either end, as Java trims."""
    return text.strip(_JAVA_BLANKS)


def many_trace_ids(trace_ids: str | None) -> list[TraceId]:
    """The ids of a comma-separated list: at least two, all different. BadRequest otherwise."""
    text = required("traceIds", trace_ids)
    _refuse_unless(len(text) > 0, "traceIds parameter is empty")
    found: dict[TraceId, None] = {}
    for part in text.split(",", _MOST_TRACE_IDS - 1):
        trace_id = one_trace_id(part)
        _refuse_unless(trace_id not in found, f"redundant traceId: {part}")
        found[trace_id] = None
    _refuse_unless(len(found) > 1, "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace")
    return list(found)


def required(name: str, text: str | None) -> str:
    """The parameter, which may be empty. BadRequest when it was not given at all."""
    if text is None:
        raise BadRequest(f"Mandatory parameter/header/attribute is missing: {name}")
    return text


def optional_long(text: str | None) -> int | None:
    """A 64-bit number, or None when it is absent or empty. BadRequest when it is something else."""
    return _parsed(text, _LARGEST_LONG) if text else None


def _number(name: str, text: str, largest: int) -> int:
    _refuse_unless(len(text) > 0, f"Cannot set null to primitive type parameter: {name}")
    return _parsed(text, largest)


def _parsed(text: str, largest: int) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else largest + 1
    _refuse_unless(-largest - 1 <= number <= largest, f'For input string: "{text}"')
    return number


def _least_ns(min_us: int) -> int:
    # A span of another protocol that lasted less than a microsecond is shown with a duration of 1, so 1 finds it.
    return 1 if min_us == 1 else clamped_ns(min_us * 1000)


def _refuse_unless(condition: bool, message: str) -> None:
    if not condition:
        raise BadRequest(message)
