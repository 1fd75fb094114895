"""Keeping single traces for good: Jaeger's archive."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.repeats import content_of
from storage.requests import RetentionPolicy
from storage.span import Span

_FOR_GOOD = RetentionPolicy(max_age_ns=None, max_bytes=None)


class TraceArchive:
    """An open store that only this class writes to, from one thread of its own; the store stays the caller's.

    now_ns: the clock that says when a span came into the archive.
    """

    def __init__(self, store: SpanStore, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.store = store
        self._now_ns = now_ns
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")

    async def keep(self, spans: Sequence[Span]) -> None:
        """Have each of these spans of one trace in the archive, as often as it is in `spans`, durably.

        What the archive has already is not written again, so doing it twice changes nothing, and a trace that grew
        gets what is new. Raises StorageError.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._keep, spans)

    def close(self) -> None:
        """Wait for what is being written: before the store is closed."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _keep(self, spans: Sequence[Span]) -> None:
        trace_ids = list(dict.fromkeys(span.trace_id for span in spans))
        held = Counter(content_of(span) for trace in self.store.get_traces(trace_ids) for span in trace)
        missing = []
        for span in spans:
            content = content_of(span)
            if held[content]:
                held[content] -= 1
            else:
                missing.append(span)
        if missing:
            self.store.write(SpanBatch.of(missing, self._now_ns()))
            self.store.maintain(_FOR_GOOD, self._now_ns())
