"""Where the sampling strategies come from: a file or a URL, read at the start and again when it may have changed."""

import asyncio
import logging
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from collector.sampling_strategies import (
    MAX_FILE_BYTES,
    Strategies,
    StrategiesBroken,
    Strategy,
    parse_strategies,
)

log = logging.getLogger("clew.collector")

URL_TIMEOUT_S = 10.0

Load = Callable[[], bytes]
"""The text as it is now. OSError or ValueError when it cannot be had; may block."""


class StrategiesSource:
    """The strategies in force. location: a path, an http(s) URL or "" for none. reload_s: 0 never reads it again.

    What cannot be read or is broken changes nothing: the last good strategies stay, before the first ones the default
    probability, and the log says so at once and whenever the reason changes.
    """

    def __init__(self, location: str, reload_s: float, default_probability: float, load: Load | None = None) -> None:
        self._location = location
        self._reload_s = reload_s
        self._default_probability = default_probability
        self._load = load or loader_of(location)
        self._seen: bytes | None = None
        self._problem = ""
        self._reloading: asyncio.Task[None] | None = None
        self.strategies = Strategies(Strategy(default_probability))

    @property
    def is_stale(self) -> bool:
        """The last reading failed: other strategies are in force than those that somebody wrote."""
        return bool(self._problem)

    async def start(self) -> None:
        """Read the strategies, and go on reading them until `stop`. Never fails for what is read."""
        if not self._location:
            return
        await self.read()
        if self._reload_s > 0:
            self._reloading = asyncio.create_task(self._read_for_ever())

    async def stop(self) -> None:
        """Read no more."""
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.wait([self._reloading])

    async def read(self) -> None:
        """Read the strategies now and put them in force if they are good and new."""
        try:
            text = await asyncio.to_thread(self._load)
            if text == self._seen and not self._problem:
                return
            strategies = parse_strategies(text, self._default_probability)
        except (OSError, ValueError) as error:
            self._keep(error)
            return
        self._seen, self._problem, self.strategies = text, "", strategies
        log.info("sampling strategies of %d services from %s are in force", len(strategies.by_service), self._location)
        for warning in strategies.warnings:
            log.warning("sampling strategies from %s: %s", self._location, warning)

    def _keep(self, error: Exception) -> None:
        problem = f"{type(error).__name__}: {error}"
        if problem == self._problem:
            return
        self._problem = problem
        kept = f"the default probability {self._default_probability:g}" if self._seen is None else "the last good ones"
        log.error("cannot use the sampling strategies from %s, %s stay in force: %s", self._location, kept, error)

    async def _read_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._reload_s)
            await self.read()


def loader_of(location: str) -> Load:
    """Reads a URL if it is one, else a file."""
    if location.startswith(("http://", "https://")):
        return lambda: _bounded(_of_url(location))
    return lambda: _bounded(_of_file(location))


def _of_url(url: str) -> bytes:
    try:
        with urlopen(url, timeout=URL_TIMEOUT_S) as answer:
            body: bytes = answer.read(MAX_FILE_BYTES + 1)
    except HTTPException as error:
        raise OSError(f"expected an answer in HTTP: {error!r}") from error
    return body


def _of_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_FILE_BYTES:
        raise StrategiesBroken(f"expected at most {MAX_FILE_BYTES} bytes, got more")
    return text
