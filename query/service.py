"""The query side's one way to the store: a bounded pool of reader threads, a time limit, and the shared decisions."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from query.errors import QueryTimeout
from query.settings import QuerySettings
from storage.contract import SpanReader

_Result = TypeVar("_Result")


class QueryService:
    """Runs reads off the event loop. One instance serves all APIs.

    A read is a plain function of the SpanReader: fetch AND render in it, so that neither blocks the event loop.
    """

    def __init__(self, reader: SpanReader, settings: QuerySettings, threads: int = 4) -> None:
        self.settings = settings
        self._reader = reader
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="query")

    async def read(self, question: Callable[[SpanReader], _Result]) -> _Result:
        """The answer of `question(reader)`, computed in a reader thread.

        Raises what the question raises, and QueryTimeout after `QUERY_TIMEOUT`.
        """
        answer = asyncio.get_running_loop().run_in_executor(self._threads, question, self._reader)
        limit_ns = self.settings.timeout_ns
        try:
            return await asyncio.wait_for(answer, limit_ns / 1e9 if limit_ns else None)
        except TimeoutError as error:
            raise QueryTimeout(f"no answer within {limit_ns / 1e9:g} s; raise QUERY_TIMEOUT") from error

    def close(self) -> None:
        """Wait for reads in flight and stop the threads: before the store is closed."""
        self._threads.shutdown(wait=True, cancel_futures=True)
