"""What a browser finds on 9411: redirects to /zipkin/, the settings of Zipkin's UI, and clew's own page.

The page is the one of Jaeger's port. Here it is mounted at /zipkin/, finds every API that it asks below that, and
understands the addresses of Zipkin's page (/zipkin/traces/<id>, /zipkin/?serviceName=...).
"""

import re
from hashlib import sha256

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from query.api.own_page import OwnPage
from query.api.zipkin_responses import JSON_UTF8
from query.render.zipkin_health import pretty
from query.settings import QuerySettings

_MOUNT = "/zipkin"
_PLACES = re.compile(r"|index\.html|search|traces?/[^/]+|dependenc(y|ies)|monitor|compare|file|doors|traceViewer")
"""Of clew's page and of Zipkin's. Any other path that is no file is a 404, as from Zipkin."""


def pages_router(settings: QuerySettings, page: OwnPage) -> APIRouter:
    """The routes of this module, outside the API's documentation. They match any path below /zipkin: add them last."""
    router = APIRouter(include_in_schema=False)
    config = config_json(settings).encode()
    # A base that is configured holds even where a proxy shows /zipkin below another number of folders.
    base = None if settings.ui_base_path.rstrip("/") == _MOUNT else settings.ui_base_path.rstrip("/") + "/"

    async def to_page() -> Response:
        return RedirectResponse(f"{_MOUNT}/", 302)

    async def to_icon() -> Response:
        return RedirectResponse(f"{_MOUNT}/favicon.ico", 302)

    async def icon(request: Request) -> Response:
        return page.answer(request, "favicon.svg", _MOUNT) or _not_found()

    async def config_of_ui(request: Request) -> Response:
        return _cached(request, config, JSON_UTF8, 600)

    async def own_page(request: Request) -> Response:
        path = request.path_params["rest"]
        if not _PLACES.fullmatch(path) and not page.has(path):
            return _not_found()
        return page.answer(request, path, _MOUNT, base) or _not_found()

    for path, endpoint in (
        ("/", to_page),
        (_MOUNT, to_page),
        ("/favicon.ico", to_icon),
        (f"{_MOUNT}/favicon.ico", icon),
        (f"{_MOUNT}/config.json", config_of_ui),
        (f"{_MOUNT}/{{rest:path}}", own_page),
    ):
        router.add_api_route(path, endpoint, methods=["GET"], response_model=None)
    return router


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


def _not_found() -> Response:
    return PlainTextResponse("404 Not Found", 404)


def _cached(request: Request, body: bytes, content_type: str, max_age_s: int) -> Response:
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    headers = {"cache-control": f"max-age={max_age_s}", "etag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={"content-type": content_type, **headers})
