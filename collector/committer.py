"""One write, tried again while the store says that it may pass, and what its failure means to the senders."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.errors import CollectorError, NotStored, Overloaded, StoreUnreachable
from storage.batch import SpanBatch
from storage.contract import SpanWriter
from storage.errors import StoreFull, StoreUnavailable

log = logging.getLogger("clew.collector")

RETRY_BACKOFFS_S = (0.1, 0.2, 0.4, 0.8, 1.6, 1.6, 1.6, 1.6)
"""Waits between attempts when the store is unavailable: 8 s in all, inside an SDK's 10 s and longer than a database
takes to restart. Envoy waits 5 s and never sends again, so what comes later than that is stored all the same."""
STORE_RETRY_AFTER_S = 5.0
"""What senders are told when the store refuses: disks and databases take longer to come back than a queue to empty."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why spans were not stored. Each submitter gets an error of its own, for a raised one gathers tracebacks."""

    reason: str
    error: Callable[[], CollectorError]

    @classmethod
    def full(cls, text: str) -> "Failure":
        """The store has no room: not tried again, the sender must keep its data."""
        return cls("store_full", lambda: Overloaded(text, STORE_RETRY_AFTER_S))

    @classmethod
    def unavailable(cls, text: str) -> "Failure":
        """The store did not answer in any attempt."""
        return cls("store_unavailable", lambda: StoreUnreachable(text, STORE_RETRY_AFTER_S))

    @classmethod
    def unexpected(cls, error: Exception) -> "Failure":
        """A fault of clew, its store, or this payload; the log has the details, the sender only its kind."""
        text = f"the spans could not be stored: {type(error).__name__}"
        return cls("store_error", lambda: NotStored(text))


class Committer:
    """Writes batches, all from one thread. on_full is told of each StoreFull."""

    def __init__(
        self,
        store: SpanWriter,
        *,
        backoffs_s: Sequence[float] = RETRY_BACKOFFS_S,
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._given_up = threading.Event()
        self._backoffs_s = tuple(backoffs_s)
        self._on_full = on_full

    def write(self, batch: SpanBatch) -> Failure | None:
        """None when the batch is durable. Waits between attempts."""
        for attempt, backoff_s in enumerate((*self._backoffs_s, None), start=1):
            try:
                self._store.write(batch)
            except StoreFull as error:
                self._on_full()
                return Failure.full(str(error))
            except StoreUnavailable as error:
                text = f"cannot write {len(batch)} spans: {error}"
                if backoff_s is None:
                    break
                log.warning("%s; retrying in %g s (attempt %d of %d)", text, backoff_s, attempt, self.attempts)
                if self._given_up.wait(backoff_s):
                    break
            except Exception as error:
                log.exception("cannot write %d spans", len(batch))
                return Failure.unexpected(error)
            else:
                return None
        return Failure.unavailable(text)

    def give_up(self) -> None:
        """Try nothing again from now on, and end a wait between attempts. Any thread."""
        self._given_up.set()

    @property
    def attempts(self) -> int:
        """How often a write is tried."""
        return len(self._backoffs_s) + 1
