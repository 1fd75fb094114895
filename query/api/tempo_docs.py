"""What the API documentation says of each parameter. Every one is text to FastAPI: `tempo_parameters` judges them, so
that a wrong one is refused with Tempo's answer and never with FastAPI's 422."""

from typing import Any

from query.api.jaeger_docs import parameter

DESCRIPTION = (
    "What Kiali and Grafana ask Tempo, answered from clew's spans. TraceQL is understood as far as those two write it: "
    "filters in braces joined by && and ||, and select(). Errors are plain text."
)

_SEARCHED = (
    ("start", "Least span start, seconds since the epoch; given with `end`. Default: an hour before now."),
    ("end", "Largest span start, seconds since the epoch; the whole second is searched. Default: now."),
)
_HINTS = (("start", "A hint, not a filter."), ("end", "A hint, not a filter."))
_TAGS = (
    ("q", "TraceQL; only spans that it finds are looked at. One that cannot be read is ignored."),
    ("limit", "How many at most; default and most 5000."),
    *_SEARCHED,
)
_SCOPE = ("scope", "resource, span, intrinsic, event, link or instrumentation; default all.")

_QUERY: dict[str, tuple[tuple[str, str], ...]] = {
    "/api/traces/{trace_id}": _HINTS,
    "/api/v2/traces/{trace_id}": _HINTS,
    "/api/search": (
        ("q", "TraceQL."),
        ("tags", "Instead of `q`: logfmt; one span has them all, values are parts of the text in any case."),
        ("minDuration", "Least duration of the trace with a unit: `1.5s`, `100ms`."),
        ("maxDuration", "Largest duration of the trace with a unit."),
        ("limit", "How many traces at most: default 20, at most 1500."),
        ("spss", "How many spans of a trace are shown; default 3."),
        *_SEARCHED,
    ),
    "/api/search/tags": (_SCOPE, *_TAGS),
    "/api/v2/search/tags": (_SCOPE, *_TAGS),
    "/api/search/tag/{tag:path}/values": _TAGS,
    "/api/v2/search/tag/{tag:path}/values": _TAGS,
}
_ID = ("trace_id", "1 to 32 hex digits.")
_IN_PATH = {
    "/api/traces/{trace_id}": _ID,
    "/api/v2/traces/{trace_id}": _ID,
    "/api/search/tag/{tag:path}/values": ("tag", "Name of a tag, such as `service.name`."),
    "/api/v2/search/tag/{tag:path}/values": ("tag", "A field of TraceQL, such as `resource.service.name` or `name`."),
}


def documented(path: str) -> dict[str, Any]:
    """The OpenAPI parameters of the endpoint at this route."""
    found = [parameter("query", name, text) for name, text in _QUERY.get(path, ())]
    if path in _IN_PATH:
        found.insert(0, parameter("path", *_IN_PATH[path]))
    return {"parameters": found}
