"""Everything on Jaeger's port that is not its API: the documentation, and a page for every other path.

A browser's deep links (/trace/<id>, /search?..., /dependencies, /monitor) all get the same page, as from Jaeger.
Unknown paths below /api are a 404, as from Jaeger 2; Jaeger 1 answered the page there too, which only hides mistakes.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from query.api.docs_page import docs_page
from query.api.jaeger_answers import method_not_allowed, page_not_found
from query.api.jaeger_ui import JaegerUi
from query.api.own_page import OwnPage

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NO_CACHE = {"cache-control": "no-cache"}
_STATIC = "static/"


def add_pages(app: FastAPI, base_path: str, page: OwnPage, ui: JaegerUi | None) -> None:
    """Add the routes, after those of the API: they match any path, below the base path and without it."""
    prefixes = list(dict.fromkeys((base_path, "")))
    for prefix in prefixes:
        _add_docs(app, prefix)
    for prefix in prefixes:
        _add(app, f"{prefix}/api", _unknown_api)
        _add(app, f"{prefix}/api/{{rest:path}}", _unknown_api)
        handler = _ui_page(ui) if ui else _own_page(prefix, page)
        if prefix:
            # A page of the UI finds its files by the folder of its own address.
            _add(app, prefix, _to_folder if ui else handler)
        _add(app, f"{prefix}/{{rest:path}}", handler)


_Handler = Callable[[Request], Awaitable[Response]]


def _add(app: FastAPI, path: str, handler: _Handler) -> None:
    app.add_api_route(path, handler, methods=_METHODS, include_in_schema=False, response_model=None)


def _add_docs(app: FastAPI, prefix: str) -> None:
    async def docs(request: Request) -> Response:
        return HTMLResponse(docs_page(app.openapi(), f"{prefix}/docs/openapi.json"))

    async def openapi(request: Request) -> Response:
        return JSONResponse(app.openapi())

    app.add_api_route(f"{prefix}/docs", docs, include_in_schema=False, response_model=None)
    app.add_api_route(f"{prefix}/docs/openapi.json", openapi, include_in_schema=False, response_model=None)


def _own_page(prefix: str, page: OwnPage) -> _Handler:
    async def own_page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed()
        return page.answer(request, request.path_params.get("rest", ""), prefix) or page_not_found()

    return own_page


def _ui_page(ui: JaegerUi) -> _Handler:
    async def ui_page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed()
        path = request.path_params["rest"]
        found = await ui.file(path, request.scope)
        if found is not None:
            return found
        if path.startswith(_STATIC):
            return page_not_found()
        return HTMLResponse(await run_in_threadpool(ui.index), headers=_NO_CACHE)

    return ui_page


async def _to_folder(request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.url.path}/{query}", 302)


async def _unknown_api(request: Request) -> Response:
    return page_not_found()
