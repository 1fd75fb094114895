"""What a browser finds on 9411: redirects to /zipkin/, the settings of Zipkin's UI, and one plain page.

clew answers Zipkin's API but does not carry its web UI; the page says so and where to go from there.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from query.api.pages import NO_DOORS, STYLE, Doors, doors_html
from query.api.zipkin_responses import JSON_UTF8
from query.render.zipkin_health import pretty
from query.settings import QuerySettings

_TRACE_ID = re.compile(r"[0-9a-f]{1,32}")
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    b'<circle cx="8" cy="8" r="6" fill="none" stroke="#c60" stroke-width="2"/>'
    b'<path d="M2 8a6 3 0 0 0 12 0M5 3a8 8 0 0 0 6 10" fill="none" stroke="#c60"/></svg>'
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="{base}">
<title>clew</title>
<link rel="icon" type="image/svg+xml" href="favicon.ico">
{style}
</head>
<body>
<h1>clew</h1>
<p>clew collects traces, stores them, and answers as Zipkin does. Spans posted here are on disk when they are
acknowledged.</p>
{trace}<p>This port speaks Zipkin's HTTP API; Zipkin's web UI is not part of clew. Point what reads from a Zipkin server
at this address: Grafana's Zipkin data source, a Zipkin UI served elsewhere, your scripts.</p>
<ul>
<li><a href="api/docs">API documentation</a> (<a href="api/openapi.json">OpenAPI</a>)</li>
<li><a href="api/v2/services">Services</a></li>
<li><a href="api/v2/traces">Newest traces</a></li>
</ul>
{doors}</body>
</html>
"""
_TRACE_LINE = '<p>The trace you asked for, as JSON: <a href="api/v2/trace/{id}">{id}</a></p>\n'


def pages_router(settings: QuerySettings, doors: Doors) -> APIRouter:
    """The routes of this module, outside the API's documentation. doors: for the page to list."""
    router = APIRouter(include_in_schema=False)
    config = config_json(settings).encode()

    async def to_pages() -> Response:
        return RedirectResponse("/zipkin/", 302)

    async def to_icon() -> Response:
        return RedirectResponse("/zipkin/favicon.ico", 302)

    async def icon(request: Request) -> Response:
        return _cached(request, _ICON, "image/svg+xml", 31_536_000)

    async def config_of_ui(request: Request) -> Response:
        return _cached(request, config, JSON_UTF8, 600)

    async def page(request: Request) -> Response:
        trace_id = request.path_params.get("trace_id")
        html = page_html(settings.ui_base_path, trace_id, doors())
        return _cached(request, html.encode(), "text/html; charset=utf-8", 60)

    for path, endpoint in (("/", to_pages), ("/zipkin", to_pages), ("/favicon.ico", to_icon)):
        router.add_api_route(path, endpoint, methods=["GET"])
    router.add_api_route("/zipkin/favicon.ico", icon, methods=["GET"])
    router.add_api_route("/zipkin/config.json", config_of_ui, methods=["GET"])
    for path in ("", "index.html", "traces/{trace_id}", "dependency", "traceViewer"):
        router.add_api_route(f"/zipkin/{path}", page, methods=["GET"])
    return router


def page_html(base_path: str, trace_id: str | None, doors: Mapping[str, str] = NO_DOORS) -> str:
    """The page, its links relative to `base_path`; with a link to one trace when `trace_id` has the shape of an id.

    It ends with the doors that are open.
    """
    base = escape(base_path.rstrip("/") + "/")
    trace = _TRACE_LINE.format(id=trace_id) if trace_id and _TRACE_ID.fullmatch(trace_id) else ""
    return _PAGE.format(base=base, trace=trace, style=STYLE, doors=doors_html(doors))


def config_json(settings: QuerySettings) -> str:
    """Zipkin's config.json: exactly its keys, in its order; an empty URL is null."""
    return pretty(
        {
            "environment": settings.ui_environment,
            "queryLimit": settings.ui_query_limit,
            "defaultLookback": settings.ui_default_lookback_ms,
            "searchEnabled": settings.search_enabled,
            "logsUrl": settings.ui_logs_url or None,
            "supportUrl": settings.ui_support_url or None,
            "archivePostUrl": settings.ui_archive_post_url or None,
            "archiveUrl": settings.ui_archive_url or None,
            "dependency": {
                "enabled": settings.ui_dependency_enabled,
                "lowErrorRate": settings.ui_dependency_low_error_rate,
                "highErrorRate": settings.ui_dependency_high_error_rate,
            },
        }
    )


def _cached(request: Request, body: bytes, content_type: str, max_age_s: int) -> Response:
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    headers = {"cache-control": f"max-age={max_age_s}", "etag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={"content-type": content_type, **headers})
