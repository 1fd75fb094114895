"""Tempo's read API on a port of its own, as Kiali and Grafana use it. Source: Tempo's HTTP API.

Errors are plain text, as Tempo's are.
"""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from query.api.docs_page import docs_page
from query.api.tempo_docs import DESCRIPTION, documented
from query.api.tempo_endpoints import TempoEndpoints
from query.service import QueryService

EMULATED_TEMPO_VERSION = "2.7.0"
"""Of the Tempo whose API clew answers, not of clew: the first with /api/v2/traces. Grafana asks by it."""

_Handler = Callable[[Request], Awaitable[Response]]


def tempo_app(service: QueryService, *, now_ns: Callable[[], int] = time.time_ns) -> FastAPI:
    """The application; `service` stays the caller's to close. now_ns: the clock, epoch nanoseconds."""
    app = FastAPI(
        title="clew: Tempo's read API",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={Exception: _internal_error},
    )
    endpoints = TempoEndpoints(service, now_ns)
    routes: list[tuple[str, _Handler]] = [
        ("/api/echo", _echo),
        ("/api/status/buildinfo", _build_info),
        ("/ready", _ready),
        ("/status/services", endpoints.services),
        ("/api/traces/{trace_id}", endpoints.trace),
        ("/api/v2/traces/{trace_id}", endpoints.trace_v2),
        ("/api/search", endpoints.search),
        ("/api/search/tags", endpoints.tags),
        ("/api/v2/search/tags", endpoints.tags_v2),
        ("/api/search/tag/{tag:path}/values", endpoints.tag_values),
        ("/api/v2/search/tag/{tag:path}/values", endpoints.tag_values_v2),
    ]
    for path, handler in routes:
        app.add_api_route(path, handler, response_model=None, openapi_extra=documented(path))
        app.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False, response_model=None)
    _add_docs(app)
    app.add_api_route("/{rest:path}", _unknown, include_in_schema=False, response_model=None)
    return app


async def _echo(request: Request) -> Response:
    """Always `echo`: how clients test the connection."""
    return PlainTextResponse("echo\n")


async def _build_info(request: Request) -> Response:
    """The version of the Tempo whose API this is."""
    return JSONResponse(
        {
            "version": EMULATED_TEMPO_VERSION,
            "revision": "",
            "branch": "",
            "buildUser": "clew",
            "buildDate": "",
            "goVersion": "",
        }
    )


async def _ready(request: Request) -> Response:
    """Always `ready`: the port opens when clew is."""
    return PlainTextResponse("ready\n")


def _add_docs(app: FastAPI) -> None:
    async def docs(request: Request) -> Response:
        return HTMLResponse(docs_page(app.openapi(), "/docs/openapi.json"))

    async def openapi(request: Request) -> Response:
        return JSONResponse(app.openapi())

    for path, handler in (("/", docs), ("/docs", docs), ("/docs/openapi.json", openapi)):
        app.add_api_route(path, handler, include_in_schema=False, response_model=None)


async def _unknown(request: Request) -> Response:
    if request.url.path.startswith("/api/metrics/"):
        return PlainTextResponse("clew answers no TraceQL metrics; it finds traces at /api/search\n", 404)
    return PlainTextResponse("404 page not found\n", 404)


async def _internal_error(request: Request, error: Exception) -> Response:
    # The server raises it again after this answer, so that it is logged with its traceback.
    return PlainTextResponse("internal error\n", 500)
