"""What the API documentation says of each parameter. Every one is text to FastAPI: `jaeger_parameters` judges them,
so that a wrong one is refused with Jaeger's answer and never with FastAPI's 422."""

from typing import Any

from query.api.clew_docs import (
    DOORS,
    GRAPH_RESPONSES,
    OUTLINE_RESPONSES,
    SUMMARIES_RESPONSES,
    TAGS_RESPONSES,
    TRACE_RESPONSES,
    TRANSFORM,
)

_SERVICE = ("service", "Service name, compared exactly.")
_RAW = ("raw", "`true`: spans as they were stored, without adjusters.")
_PRETTY = ("prettyPrint", "Anything but `false`: indented by 4 spaces.")
_HINTS = (("start", "A hint, not a filter."), ("end", "A hint, not a filter."))

_SEARCH = (
    ("operation", "Span name, compared exactly."),
    ("start", "Least span start, microseconds since the epoch; default 48 hours ago."),
    ("end", "Largest span start, microseconds since the epoch; default now."),
    ("minDuration", "Least span duration with a unit: `1.5s`, `100ms`, `20us`."),
    ("maxDuration", "Largest span duration with a unit."),
    ("tag", "`key:value`; repeatable, all must match one span."),
    ("tags", "The same as a JSON object of texts."),
    ("limit", "How many traces at most: default 100, at most 1500; 0 and below are 1500."),
)
_CALLS = (
    ("service", "Service name, compared exactly; repeatable, at least one."),
    ("groupByOperation", "`true`: apart by span name; of very many the most called."),
    ("spanKind", "unspecified, internal, server, client, producer or consumer; repeatable, default server."),
    ("endTs", "The last moment, milliseconds since the epoch; default now."),
    ("lookback", "How long before it the first moment is, in milliseconds; default an hour."),
    ("step", "From moment to moment, in milliseconds; default 5000."),
    ("ratePer", "How long before each moment calls are counted, in milliseconds; default 600000."),
    _PRETTY,
)
_DEEP = (
    ("service", "Service name, compared exactly; nothing is answered without it."),
    ("operation", "Span name, compared exactly."),
    ("start", "Least span start, microseconds since the epoch; default and 0: 48 hours ago."),
    ("end", "Largest span start, microseconds since the epoch; default and 0: now."),
    _PRETTY,
)
_V3_QUERY = (
    ("query.serviceName", "Service name, compared exactly."),
    ("query.operationName", "Span name, compared exactly."),
    ("query.startTimeMin", "Least span start, RFC 3339 with any fraction; required."),
    ("query.startTimeMax", "Largest span start, RFC 3339; required."),
    ("query.durationMin", "Least span duration with a unit: `1.5s`, `100ms`, `20us`."),
    ("query.durationMax", "Largest span duration with a unit."),
    ("query.attributes", "A JSON object of texts; all must match one span."),
    ("query.searchDepth", "How many traces at most: default 100, at most 1500."),
)

_QUERY: dict[str, tuple[tuple[str, str], ...]] = {
    "/api/services": (_PRETTY,),
    "/api/services/{service:path}/operations": (_PRETTY,),
    "/api/operations": (_SERVICE, ("spanKind", "server, client, producer, consumer or internal."), _PRETTY),
    "/api/traces": (
        _SERVICE,
        *_SEARCH,
        ("traceID", "A trace id; repeatable. With it all conditions are ignored."),
        _RAW,
        _PRETTY,
    ),
    "/api/traces/{trace_id}": (*_HINTS, _RAW, _PRETTY),
    "/api/archive/{trace_id}": (*_HINTS, _PRETTY),
    "/api/dependencies": (
        ("endTs", "End of the window, milliseconds since the epoch; default now."),
        ("lookback", "Length of the window in milliseconds; default 24 hours."),
        ("service", "Only links that touch this service."),
        _PRETTY,
    ),
    "/api/deep-dependencies": _DEEP,
    "/analytics/v1/dependencies": _DEEP,
    "/api/quality-metrics": (_PRETTY,),
    "/api/transform": (_PRETTY,),
    "/api/metrics/latencies": (("quantile", "From 0 to 1; required."), *_CALLS),
    "/api/metrics/calls": _CALLS,
    "/api/metrics/errors": _CALLS,
    "/api/metrics/minstep": (_PRETTY,),
    "/api/clew/v1/traces/{trace_id}": (
        ("clockSkew", "Whose rule corrects clocks: `jaeger` (default), `zipkin` or `none`."),
        _PRETTY,
    ),
    "/api/clew/v1/traces/{trace_id}/outline": (("clockSkew", "As of the whole trace."), _PRETTY),
    "/api/clew/v1/tags": (("service", "Service name, compared exactly; default any."), *_SEARCH[:-1], _PRETTY),
    "/api/clew/v1/dependencies": (
        ("start", "Start of the window, microseconds since the epoch; default 24 hours before its end."),
        ("end", "End of the window, microseconds since the epoch; default now."),
        ("endTs", "End of the window in milliseconds, instead."),
        ("lookback", "Length of the window in milliseconds, with `endTs`; default 24 hours."),
        ("service", "Only edges that touch this service."),
        _PRETTY,
    ),
    "/api/clew/v1/doors": (_PRETTY,),
    "/api/clew/v1/transform": (("clockSkew", "As of a stored trace."), _PRETTY),
    "/api/clew/v1/trace-summaries": (
        ("service", "Service name, compared exactly; default any."),
        *_SEARCH,
        ("traceID", "A trace id; repeatable. With it all conditions are ignored."),
        _PRETTY,
    ),
    "/api/v3/services": (_PRETTY,),
    "/api/v3/operations": (_SERVICE, ("spanKind", "server, client, producer, consumer or internal."), _PRETTY),
    "/api/v3/traces": (*_V3_QUERY, ("query.rawTraces", _RAW[1]), _PRETTY),
    "/api/v3/traces/{trace_id}": (
        ("startTime", "A hint, not a filter; RFC 3339."),
        ("endTime", "A hint, not a filter; RFC 3339."),
        ("rawTraces", _RAW[1]),
        _PRETTY,
    ),
    "/api/v3/trace-summaries": (*_V3_QUERY, _PRETTY),
    "/api/v3/dependencies": (
        ("startTime", "Begin of the window, RFC 3339; required."),
        ("endTime", "End of the window, RFC 3339; required."),
        _PRETTY,
    ),
}
_BODIES: dict[str, dict[str, Any]] = {
    "/api/clew/v1/traces/{trace_id}": TRACE_RESPONSES,
    "/api/clew/v1/traces/{trace_id}/outline": OUTLINE_RESPONSES,
    "/api/clew/v1/tags": TAGS_RESPONSES,
    "/api/clew/v1/trace-summaries": SUMMARIES_RESPONSES,
    "/api/clew/v1/dependencies": GRAPH_RESPONSES,
    "/api/clew/v1/doors": DOORS,
    "/api/clew/v1/transform": TRANSFORM,
    "/api/transform": {
        "requestBody": {
            "required": True,
            "description": "OTLP's ExportTraceServiceRequest as JSON.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
}
_IN_PATH = {
    "/api/archive/{trace_id}": ("trace_id", "1 to 32 hex digits, or base64."),
    "/api/clew/v1/traces/{trace_id}": ("trace_id", "1 to 32 hex digits, or base64."),
    "/api/clew/v1/traces/{trace_id}/outline": ("trace_id", "1 to 32 hex digits, or base64."),
    "/api/services/{service:path}/operations": ("service", "Service name; a slash in it is sent as %2F."),
    "/api/traces/{trace_id}": ("trace_id", "1 to 32 hex digits, or base64."),
    "/api/v3/traces/{trace_id}": ("trace_id", "1 to 32 hex digits, or base64."),
}


def documented(path: str) -> dict[str, Any]:
    """The OpenAPI parameters of the endpoint at this route."""
    found = [parameter("query", name, text) for name, text in _QUERY[path]]
    if path in _IN_PATH:
        found.insert(0, parameter("path", *_IN_PATH[path]))
    return {"parameters": found, **_BODIES.get(path, {})}


def parameter(place: str, name: str, description: str) -> dict[str, Any]:
    """One OpenAPI parameter that is text."""
    return {
        "in": place,
        "name": name,
        "required": place == "path",
        "schema": {"type": "string"},
        "description": description,
    }
