"""The store's upkeep: one thread that calls `maintain` every few seconds, and earlier when somebody asks."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from storage.contract import SpanStore
from storage.errors import StorageError
from storage.requests import RetentionPolicy

log = logging.getLogger("clew.collector")

INTERVAL_S = 3.0
"""Longer, and a round takes both cores from the commits for longer: p99 of an acknowledgement grew by half at 10 s."""
LEAST_GAP_S = 1.0
"""Between two rounds, however many hints come: a full store gives one with every commit."""

NICENESS = 5
"""Above the process's own, which is a third of the weight: when processors are few, commits and answers go first.
Yet more would let a lasting overload starve the rounds, and questions read one by one what was not rolled up."""


class Maintenance:
    """on_round is told how many spans each round let go, in this thread."""

    def __init__(
        self,
        store: SpanStore,
        policy: RetentionPolicy,
        *,
        interval_s: float = INTERVAL_S,
        least_gap_s: float = LEAST_GAP_S,
        on_round: Callable[[int], None] = lambda dropped: None,
        wall_clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._policy = policy
        self._interval_s = interval_s
        self._least_gap_s = least_gap_s
        self._on_round = on_round
        self._wall_clock_ns = wall_clock_ns
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clew-maintenance", daemon=True)

    def start(self) -> None:
        """Start the thread; the first round begins at once."""
        self._thread.start()

    def hint(self) -> None:
        """A round is worth while now, for instance as the store is full. Any thread; returns at once."""
        self._wake.set()

    def stop(self) -> None:
        """Return when the thread has ended: at once, or after the round that is running."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        _stand_back()
        while not self._stopping.is_set():
            # Cleared before the round: a hint that comes while it runs asks for another one.
            self._wake.clear()
            self._round()
            if not self._stopping.wait(self._least_gap_s):
                self._wake.wait(self._interval_s - self._least_gap_s)

    def _round(self) -> None:
        try:
            self._on_round(self._store.maintain(self._policy, self._wall_clock_ns()))
        except StorageError as error:
            log.warning("store upkeep failed, next try in %g s: %s", self._interval_s, error)
        except Exception:
            log.exception("store upkeep failed, next try in %g s", self._interval_s)


def _stand_back() -> None:
    """Only on Linux has each thread a niceness of its own."""
    if sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
