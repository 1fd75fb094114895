"""Whether the store answers, asked every second: readiness and health follow it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from storage.contract import SpanStore
from storage.errors import StorageError

log = logging.getLogger("clew")

INTERVAL_S = 1.0
PATIENCE_S = 5.0
"""A store that takes longer to answer is not one to send questions to."""

OnChange = Callable[[str | None], Awaitable[None]]
"""Told, on the event loop, what is wrong with the store, and None when it answers again."""


class StoreWatch:
    """Asks an open store from a thread of its own. Make it, start it and stop it on one event loop."""

    def __init__(
        self, store: SpanStore, on_change: OnChange, *, interval_s: float = INTERVAL_S, patience_s: float = PATIENCE_S
    ) -> None:
        self._store = store
        self._on_change = on_change
        self._interval_s = interval_s
        self._patience_s = patience_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-watch")
        self._asked: asyncio.Future[str | None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The store's."""
        return self._store.name

    def start(self) -> None:
        """Begin to watch a store that is taken to be well."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more; before the store is closed. Waits for an answer that is under way."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def problem(self) -> str | None:
        """What is wrong with the store now, or None. TimeoutError when it does not answer.

        Those who ask while an answer is under way share it: a store that hangs costs one thread.
        """
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self._check)
        async with asyncio.timeout(self._patience_s):
            return await asyncio.shield(self._asked)

    def _check(self) -> str | None:
        try:
            self._store.check()
        except StorageError as error:
            return f"{type(error).__name__}: {error}"
        return None

    async def _watch(self) -> None:
        known: str | None = None
        while True:
            try:
                problem = await self.problem()
            except TimeoutError:
                problem = f"no answer within {self._patience_s:g} s"
            if (problem is None) != (known is None):
                self._log(problem)
                await self._on_change(problem)
            known = problem
            await asyncio.sleep(self._interval_s)

    def _log(self, problem: str | None) -> None:
        if problem is None:
            log.warning("%s answers again: ready", self.name)
        else:
            log.error("%s does not answer, so this process is not ready: %s", self.name, problem)
