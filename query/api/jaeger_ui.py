"""An unmodified jaeger-ui build, served from a folder: its page with what a server puts into it, and its files."""

import logging
import os
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from query.errors import UiUnusable
from query.render.page_index import EMULATED_JAEGER_VERSION
from query.render.ui_index import UiConfig, UiFacts, ui_config, ui_index
from query.service import QueryService

log = logging.getLogger(__name__)

_INDEX = "index.html"
_HASHED_NAME = re.compile(r"[.-](?=[0-9A-Za-z_-]*[0-9])[0-9A-Za-z_-]{8,}\.[0-9a-z.]+$")
"""As bundlers name files by their content: index-BxT2q3fK.js, main.1a2b3c4d.css."""

_Mark = tuple[int, int, int]


def jaeger_ui_of(service: QueryService) -> "JaegerUi | None":
    """The build that the service's settings name; None without one. Raises UiUnusable."""
    settings = service.settings
    config_file = Path(settings.ui_config) if settings.ui_config else None
    if settings.ui_assets:
        facts = UiFacts(settings.base_path, EMULATED_JAEGER_VERSION, service.can_archive)
        return JaegerUi(Path(settings.ui_assets), config_file, facts)
    if config_file:
        log.warning("QUERY_UI_CONFIG has no effect without UI_ASSETS: clew's own page has nothing to configure")
    return None


class JaegerUi:
    """The build in `folder`, with the configuration in `config_file`, if any (.json or .js).

    Both the page and the configuration are read again when they change; a change that cannot be used is logged, and
    what was read before stays. Raises UiUnusable when they cannot be used to begin with.
    """

    def __init__(self, folder: Path, config_file: Path | None, facts: UiFacts) -> None:
        self._facts = facts
        self._index_file = folder / _INDEX
        self._config_file = config_file
        self._marks: tuple[_Mark | None, _Mark | None] | None = None
        self._index = self._read()
        self._marks = self._marks_now()
        self._files = _Files(directory=folder)

    def index(self) -> str:
        """The page, for every path that is no file. Reads files when they changed: for a thread."""
        marks = self._marks_now()
        if marks != self._marks:
            self._marks = marks
            try:
                self._index = self._read()
            except UiUnusable as error:
                log.error("%s; the page stays as it was", error)
        return self._index

    async def file(self, path: str, scope: Scope) -> Response | None:
        """The file at this path below the folder; None when there is none, or it is the page itself."""
        if path == _INDEX or any(part == "" or part.startswith(".") for part in path.split("/")):
            return None
        try:
            return await self._files.get_response(path, scope)
        except HTTPException:
            return None

    def _marks_now(self) -> tuple[_Mark | None, _Mark | None]:
        return _mark(self._index_file), _mark(self._config_file) if self._config_file else None

    def _read(self) -> str:
        return ui_index(_text(self._index_file, "UI_ASSETS"), self._facts, self._config())

    def _config(self) -> UiConfig | None:
        if self._config_file is None:
            return None
        text = _text(self._config_file, "QUERY_UI_CONFIG")
        try:
            return ui_config(self._config_file.name, text)
        except (ValueError, RecursionError) as error:
            raise UiUnusable(f"QUERY_UI_CONFIG: cannot use {self._config_file}: {error}") from error


class _Files(StaticFiles):
    """Files that a browser may keep for good when their name says their content, and asks about again otherwise."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = _HASHED_NAME.search(Path(full_path).name)
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def _text(path: Path, setting: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UiUnusable(f"{setting}: cannot read {path}: {error}") from error


def _mark(path: Path) -> _Mark | None:
    """What differs after a change, also when a symbolic link on the way was changed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
