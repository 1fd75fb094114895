"""The query side's one way to the store: a bounded pool of reader threads, a time limit, and the shared decisions."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

from query.archive import TraceArchive
from query.errors import NotConfigured, NotFound, QueryTimeout
from query.settings import QuerySettings
from storage.archive import ReaderWithArchive
from storage.contract import SpanReader
from storage.ids import TraceId

_Result = TypeVar("_Result")
_INTERRUPT_INTERVAL_S = 0.05


class QueryService:
    """Runs reads off the event loop. One instance serves all APIs.

    A read is a plain function of the SpanReader: fetch AND render in it, so that neither blocks the event loop.
    With an archive, a trace that is asked for by id and is not in the store comes from there; closing it stays the
    caller's.
    """

    def __init__(
        self, reader: SpanReader, settings: QuerySettings, threads: int = 4, archive: TraceArchive | None = None
    ) -> None:
        self.settings = settings
        self._archive = archive
        self._one_archives = asyncio.Lock()
        self._reader = ReaderWithArchive(reader, archive.store) if archive else reader
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="query")
        self._abandoned: set[asyncio.Task[None]] = set()

    async def read(self, question: Callable[[SpanReader], _Result]) -> _Result:
        """The answer of `question(reader)`, computed in a reader thread.

        Raises what the question raises, and QueryTimeout after `QUERY_TIMEOUT`.
        """
        read = _Read(self._reader, question)
        answer = asyncio.get_running_loop().run_in_executor(self._threads, read.run)
        limit_ns = self.settings.timeout_ns
        try:
            return await asyncio.wait_for(answer, limit_ns / 1e9 if limit_ns else None)
        except TimeoutError as error:
            raise QueryTimeout(f"no answer within {limit_ns / 1e9:g} s; raise QUERY_TIMEOUT") from error
        finally:
            # A reader thread that nobody waits for any more must not keep others from theirs.
            if not read.ended:
                self._abandoned.add(task := asyncio.create_task(read.interrupt_until_ended()))
                task.add_done_callback(self._abandoned.discard)

    async def stream(
        self, question: Callable[[SpanReader], Iterator[_Result]], at_once: int = 1
    ) -> AsyncIterator[_Result]:
        """The answers of `question(reader)`, one after another, each `at_once` of them computed in a reader thread.

        None are computed before they are asked for, so a slow client costs no thread and no memory. Raises as `read`;
        QUERY_TIMEOUT bounds each computation, not the whole stream, which lasts as long as its client takes.
        """
        answers = await self.read(question)
        while some := await self.read(lambda _reader: list(islice(answers, at_once))):
            for answer in some:
                yield answer

    @property
    def can_archive(self) -> bool:
        """Whether `archive_trace` has somewhere to put a trace."""
        return self._archive is not None

    async def archive_trace(self, trace_id: TraceId) -> None:
        """Keep this trace beyond retention; when it returns, the spans are durable. Doing it again is no change.

        Raises NotConfigured without an archive, NotFound, QueryTimeout and StorageError.
        """
        if self._archive is None:
            raise NotConfigured("archive span storage was not configured")
        # One after another: each holds a trace, which may be large, and those who wait hold nothing.
        async with self._one_archives:
            found = await self.read(lambda reader: reader.get_traces([trace_id], strict=self.settings.strict_trace_id))
            if not found:
                raise NotFound("trace not found")
            await self._archive.keep(found[0])

    def close(self) -> None:
        """Wait for reads in flight and stop the threads: before the store is closed."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Read(Generic[_Result]):
    """One question in a reader thread. ended: it has returned or raised, or it never will begin."""

    def __init__(self, reader: SpanReader, question: Callable[[SpanReader], _Result]) -> None:
        self._reader = reader
        self._question = question
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self.ended = False

    def run(self) -> _Result:
        """The answer, in the calling thread."""
        with self._lock:
            self._thread_id = threading.get_ident()
        try:
            return self._question(self._reader)
        finally:
            with self._lock:
                self.ended = True

    async def interrupt_until_ended(self) -> None:
        """Interrupt the store again and again: between two of its statements it has nothing to interrupt."""
        while not self.ended:
            with self._lock:
                if self._thread_id is None:
                    # wait_for cancelled it in the queue.
                    self.ended = True
                elif not self.ended:
                    self._reader.interrupt(self._thread_id)
            await asyncio.sleep(_INTERRUPT_INTERVAL_S)
