"""Zipkin's read API, complete: every route at /api/v2 and at /zipkin/api/v2, where Zipkin's own UI asks.

With the page come, below /zipkin, the other APIs that it asks: Jaeger's and clew's own, as on Jaeger's port.
"""

import time
from collections.abc import Callable

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response

from query.api.clew_doors import Activity
from query.api.clew_uploads import FileUploads
from query.api.docs_page import docs_page
from query.api.jaeger import add_jaeger_api
from query.api.own_page import OwnPage
from query.api.pages import Doors
from query.api.zipkin_endpoints import ZipkinReadApi
from query.api.zipkin_pages import pages_router
from query.api.zipkin_responses import install_error_answers
from query.service import QueryService


def zipkin_app(
    service: QueryService,
    *,
    files: FileUploads | None = None,
    doors: Doors = dict,
    activity: Activity | None = None,
    clock_s: Callable[[], float] = time.time,
) -> FastAPI:
    """The application for 9411's reads, over `service`, which stays the caller's.

    With QUERY_ENABLED false everything is a 404; with UI_ENABLED false the page and what is there for it are. The API
    documents itself at /zipkin/api/docs and /zipkin/api/openapi.json. files, doors, activity: as in `jaeger_app`.
    clock_s: epoch seconds, for searches that give no end.
    """
    enabled = service.settings.zipkin_enabled
    app = FastAPI(
        title="clew: Zipkin's read API",
        description="Times are epoch milliseconds in requests, microseconds in spans. Every path also stands under "
        "`/zipkin`. Errors are plain text.",
        version="2",
        openapi_url="/zipkin/api/openapi.json" if enabled else None,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    install_error_answers(app)
    if enabled:
        routes = ZipkinReadApi(service, clock_s).router()
        app.include_router(routes, prefix="/api/v2")
        app.include_router(routes, prefix="/zipkin/api/v2", include_in_schema=False)
        _add_docs(app)
        if service.settings.ui_enabled:
            add_jaeger_api(app, "/zipkin", service, lambda: int(clock_s() * 1e9), files=files, activity=activity)
            app.include_router(pages_router(service.settings, OwnPage(doors, archive=service.can_archive)))
    return app


def _add_docs(app: FastAPI) -> None:
    async def docs() -> Response:
        return HTMLResponse(docs_page(app.openapi(), "/zipkin/api/openapi.json"))

    app.add_api_route("/zipkin/api/docs", docs, include_in_schema=False)
