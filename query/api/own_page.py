"""clew's own page: what the build made of query/ui/web, sent from memory and compressed beforehand."""

import logging
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from query.api.jaeger_answers import accepts
from query.api.pages import Doors
from query.render.page_index import page_index, relative_base
from query.render.page_preloads import Chunk, outline_preload, view_preloads
from query.ui import DIST

log = logging.getLogger(__name__)

_INDEX = "index.html"
_STATIC = "static/"
"""The folder of files whose names have their content's hash: they never change."""
_CODINGS = {"br": ".br", "gzip": ".gz"}
"""The better first."""
_MANIFEST = "manifest.json"
_NOT_SENT = ("built-from", _MANIFEST)
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'self'; form-action 'self'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_NOT_BUILT = """<!doctype html>
<html lang="en">
  <head>
    <!-- clew:base -->
    <title>clew</title>
    <!-- clew:facts -->
  </head>
  <body>
    <!-- clew:view -->
    <h1>clew</h1>
    <p>The page was not built: <code>make page</code> does that. The API works: <a href="docs">documentation</a>.</p>
  </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    cache_control: str
    etag: str
    body: bytes
    codings: Mapping[str, bytes]


class OwnPage:
    """The page and its files; `folder` is the build. doors: told to the page, as is whether traces can be archived."""

    def __init__(self, doors: Doors, *, archive: bool, folder: Path = DIST) -> None:
        self._doors = doors
        self._archive = archive
        self._files = _files(folder)
        self._manifest = _manifest(folder / _MANIFEST)
        self._version = version("clew")
        template = self._files.get(_INDEX)
        self._status = 200 if template else 503
        self._template = template.body.decode() if template else _NOT_BUILT
        if not template:
            log.warning("clew's page was not built (%s is missing): `make page` does that", folder / _INDEX)

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return path in self._files and path != _INDEX

    def answer(self, request: Request, path: str, prefix: str, base: str | None = None) -> Response | None:
        """The file at this path below `prefix`, or the page itself; None when there is no such file.

        base: what the page's addresses start from, when it is not to be relative to the page's own.
        """
        if path.startswith(_STATIC) or self.has(path):
            return self._file(request, path)
        raw_path = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1")
        facts = {"version": self._version, "doors": dict(self._doors()), "archive": self._archive}
        html = page_index(
            self._template,
            base or relative_base(raw_path.partition("?")[0], prefix),
            facts,
            outline_preload(path, request.query_params.get("clockSkew", "")),
            view_preloads(path, self._manifest),
        )
        found = _File("text/html; charset=utf-8", "no-cache", _etag(html.encode()), html.encode(), {})
        return _response(request, found, self._status)

    def _file(self, request: Request, path: str) -> Response | None:
        found = self._files.get(path)
        return _response(request, found, 200) if found else None


def _response(request: Request, found: _File, status: int) -> Response:
    headers = {**_HEADERS, "cache-control": found.cache_control, "etag": found.etag}
    if found.codings:
        headers["vary"] = "accept-encoding"
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if found.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    headers["content-type"] = found.media_type
    for coding, body in found.codings.items():
        if accepts(request, coding):
            return Response(body, status, headers | {"content-encoding": coding})
    return Response(found.body, status, headers)


@cache
def _files(folder: Path) -> Mapping[str, _File]:
    """Every file by its path below the folder. In memory: a new build may take the folder's place at any time."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in _CODINGS.values()]
    return {path.relative_to(folder).as_posix(): _read(folder, path) for path in paths if path.name not in _NOT_SENT}


@cache
def _manifest(file: Path) -> Mapping[str, Chunk]:
    """Vite's account of the build; empty when there is none."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Chunk]) if file.is_file() else {}


def _read(folder: Path, path: Path) -> _File:
    body, name = path.read_bytes(), path.relative_to(folder).as_posix()
    compressed = {coding: path.with_name(path.name + suffix) for coding, suffix in _CODINGS.items()}
    return _File(
        media_type=_media_type(path.name),
        cache_control="public, max-age=31536000, immutable" if name.startswith(_STATIC) else "no-cache",
        etag=_etag(body),
        body=body,
        codings={coding: file.read_bytes() for coding, file in compressed.items() if file.is_file()},
    )


def _media_type(name: str) -> str:
    own = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
    found = own.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:16]}"'
