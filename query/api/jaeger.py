"""Jaeger's JSON API on port 16686, below the base path and without it.

Both, because an ingress may strip the base path or not, and a release of Grafana's data source dropped it on searches.
"""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from query.api.jaeger_answers import error_answer, method_not_allowed, page_not_found
from query.api.jaeger_call_metrics import JaegerCallMetrics
from query.api.jaeger_docs import documented
from query.api.jaeger_endpoints import JaegerEndpoints
from query.api.jaeger_insights import JaegerInsights
from query.api.jaeger_page import page
from query.api.jaeger_transform import JaegerTransform, Uploads
from query.api.jaeger_v3 import JaegerV3Endpoints
from query.service import QueryService

_Handler = Callable[[Request], Awaitable[Response]]
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def jaeger_app(
    service: QueryService, *, uploads: Uploads | None = None, now_ns: Callable[[], int] = time.time_ns
) -> FastAPI:
    """The application; `service` stays the caller's to close. now_ns: the clock, epoch nanoseconds.

    uploads: how a body of /api/transform is read; without it there is no such path.
    Unknown paths below /api are 404 as text, every other path is a page that says what clew is.
    """
    app = FastAPI(
        title="clew: Jaeger's JSON API",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={Exception: _internal_error},
    )
    base_path = service.settings.base_path
    for prefix in dict.fromkeys(("", base_path)):
        _add_api(app, prefix, service, now_ns)
        _add_posts(app, prefix, service, now_ns, uploads)
    # After the API of every prefix: these match any path.
    for prefix in dict.fromkeys((base_path, "")):
        _add_docs(app, prefix)
        _add_pages(app, prefix)
    return app


def _add_api(app: FastAPI, prefix: str, service: QueryService, now_ns: Callable[[], int]) -> None:
    endpoints, calls = JaegerEndpoints(service, now_ns), JaegerCallMetrics(service, now_ns)
    insights = JaegerInsights(service, now_ns)
    routes: list[tuple[str, _Handler]] = [
        ("/api/services", endpoints.services),
        ("/api/services/{service:path}/operations", endpoints.operations_of_service),
        ("/api/operations", endpoints.operations),
        ("/api/traces", endpoints.traces),
        ("/api/traces/{trace_id}", endpoints.trace),
        ("/api/dependencies", endpoints.dependencies),
        ("/api/metrics/latencies", calls.latencies),
        ("/api/metrics/calls", calls.calls),
        ("/api/metrics/errors", calls.errors),
        ("/api/metrics/minstep", calls.least_step),
        ("/api/quality-metrics", insights.quality_metrics),
        ("/api/deep-dependencies", insights.deep_dependencies),
        ("/analytics/v1/dependencies", insights.deep_dependencies),
        *JaegerV3Endpoints(service).routes(),
    ]
    for path, handler in routes:
        app.add_api_route(
            prefix + path, handler, include_in_schema=not prefix, response_model=None, openapi_extra=documented(path)
        )
        app.add_api_route(prefix + path, handler, methods=["HEAD"], include_in_schema=False, response_model=None)


def _add_posts(
    app: FastAPI, prefix: str, service: QueryService, now_ns: Callable[[], int], uploads: Uploads | None
) -> None:
    routes: list[tuple[str, _Handler]] = [("/api/archive/{trace_id}", JaegerEndpoints(service, now_ns).archive)]
    if uploads:
        routes.append(("/api/transform", JaegerTransform(service, uploads).transform))
    for path, handler in routes:
        app.add_api_route(
            prefix + path,
            handler,
            methods=["POST"],
            include_in_schema=not prefix,
            response_model=None,
            openapi_extra=documented(path),
        )


def _add_docs(app: FastAPI, prefix: str) -> None:
    async def docs(request: Request) -> Response:
        return get_swagger_ui_html(openapi_url=f"{prefix}/docs/openapi.json", title=app.title)

    async def openapi(request: Request) -> Response:
        return JSONResponse(app.openapi())

    app.add_api_route(f"{prefix}/docs", docs, include_in_schema=False, response_model=None)
    app.add_api_route(f"{prefix}/docs/openapi.json", openapi, include_in_schema=False, response_model=None)


def _add_pages(app: FastAPI, prefix: str) -> None:
    async def unknown_api(request: Request) -> Response:
        return page_not_found()

    async def any_page(request: Request) -> Response:
        return HTMLResponse(page(prefix)) if request.method in ("GET", "HEAD") else method_not_allowed()

    for path, handler in (("/api", unknown_api), ("/api/{rest:path}", unknown_api), ("", any_page)):
        if prefix + path:
            app.add_api_route(prefix + path, handler, methods=_METHODS, include_in_schema=False, response_model=None)
    app.add_api_route(
        f"{prefix}/{{rest:path}}", any_page, methods=_METHODS, include_in_schema=False, response_model=None
    )


async def _internal_error(request: Request, error: Exception) -> Response:
    # The server raises it again after this answer, so that it is logged with its traceback.
    return error_answer(500, "internal error")
