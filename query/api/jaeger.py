"""Jaeger's JSON API on port 16686, below the base path and without it.

Both, because an ingress may strip the base path or not, and a release of Grafana's data source dropped it on searches.
clew's own API is here too, and Zipkin's reads at /api/v2: the page asks all three.
"""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from query.api.clew_dependencies import ClewDependencies
from query.api.clew_doors import Activity, ClewDoors
from query.api.clew_summaries import ClewSummaries
from query.api.clew_tags import ClewTags
from query.api.clew_traces import ClewTraces
from query.api.clew_uploads import ClewUploads, FileUploads
from query.api.jaeger_answers import error_answer
from query.api.jaeger_call_metrics import JaegerCallMetrics
from query.api.jaeger_docs import documented
from query.api.jaeger_endpoints import JaegerEndpoints
from query.api.jaeger_insights import JaegerInsights
from query.api.jaeger_pages import add_pages
from query.api.jaeger_transform import JaegerTransform, Uploads
from query.api.jaeger_ui import JaegerUi
from query.api.jaeger_v3 import JaegerV3Endpoints
from query.api.own_page import OwnPage
from query.api.pages import Doors
from query.api.trace_response import TraceResponse
from query.api.zipkin_endpoints import zipkin_reads
from query.service import QueryService

_Handler = Callable[[Request], Awaitable[Response]]


def jaeger_app(
    service: QueryService,
    *,
    uploads: Uploads | None = None,
    files: FileUploads | None = None,
    ui: JaegerUi | None = None,
    doors: Doors = dict,
    activity: Activity | None = None,
    now_ns: Callable[[], int] = time.time_ns,
) -> FastAPI:
    """The application; `service` stays the caller's to close. now_ns: the clock, epoch nanoseconds.

    uploads, files: how bodies of /api/transform and /api/clew/v1/transform are read; without it there is no such path.
    ui: the build of Jaeger's UI whose page and files every path outside of the API answers; without it that is
    clew's own page, which is told the `doors`.
    activity: what came in by each door; without it none takes spans.
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
        add_jaeger_api(app, prefix, service, now_ns, uploads=uploads, files=files, activity=activity)
        app.mount(f"{prefix}/api/v2", zipkin_reads(service, lambda: now_ns() / 1e9))
    add_pages(app, base_path, OwnPage(doors, archive=service.can_archive), ui)
    app.add_middleware(TraceResponse)
    return app


def add_jaeger_api(
    app: FastAPI,
    prefix: str,
    service: QueryService,
    now_ns: Callable[[], int],
    *,
    uploads: Uploads | None = None,
    files: FileUploads | None = None,
    activity: Activity | None = None,
) -> None:
    """Add the routes of Jaeger's API and clew's own below `prefix`; they are documented below "" only."""
    _add_api(app, prefix, service, now_ns, activity)
    _add_posts(app, prefix, service, now_ns, uploads, files)


def _add_api(
    app: FastAPI, prefix: str, service: QueryService, now_ns: Callable[[], int], activity: Activity | None
) -> None:
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
        *ClewTraces(service).routes(),
        *ClewTags(service, now_ns).routes(),
        *ClewSummaries(service, now_ns).routes(),
        *ClewDependencies(service, now_ns).routes(),
        *ClewDoors(activity).routes(),
    ]
    for path, handler in routes:
        app.add_api_route(
            prefix + path, handler, include_in_schema=not prefix, response_model=None, openapi_extra=documented(path)
        )
        app.add_api_route(prefix + path, handler, methods=["HEAD"], include_in_schema=False, response_model=None)


def _add_posts(
    app: FastAPI,
    prefix: str,
    service: QueryService,
    now_ns: Callable[[], int],
    uploads: Uploads | None,
    files: FileUploads | None,
) -> None:
    routes: list[tuple[str, _Handler]] = [("/api/archive/{trace_id}", JaegerEndpoints(service, now_ns).archive)]
    if uploads:
        routes.append(("/api/transform", JaegerTransform(service, uploads).transform))
    if files:
        routes.append(("/api/clew/v1/transform", ClewUploads(service, files).transform))
    for path, handler in routes:
        app.add_api_route(
            prefix + path,
            handler,
            methods=["POST"],
            include_in_schema=not prefix,
            response_model=None,
            openapi_extra=documented(path),
        )


async def _internal_error(request: Request, error: Exception) -> Response:
    # The server raises it again after this answer, so that it is logged with its traceback.
    return error_answer(500, "internal error")
