"""A store at the end of the pipeline that holds, fails and fills on command; it keeps what was written."""

import threading
from collections import deque

from storage.batch import SpanBatch
from storage.contract import Capabilities
from storage.requests import RetentionPolicy

PATIENCE_S = 30.0


class StoreDouble:
    """`write` and `maintain` as the contract says. Made open: writes succeed at once."""

    def __init__(self) -> None:
        self.capabilities = Capabilities()
        self.batches: list[SpanBatch] = []
        self.failures: deque[Exception] = deque()
        self.fails_always: Exception | None = None
        self.maintained: list[tuple[RetentionPolicy, int]] = []
        self.maintenance_failures: deque[Exception] = deque()
        self.expires_each_round = 0
        self._changed = threading.Condition()
        self._held = False
        self._begun = 0

    @property
    def spans(self) -> int:
        return sum(len(batch) for batch in self.batches)

    @property
    def writes_begun(self) -> int:
        return self._begun

    def hold(self) -> None:
        """Writes wait until `let_go`."""
        with self._changed:
            self._held = True

    def let_go(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def write(self, batch: SpanBatch) -> None:
        with self._changed:
            self._begun += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: not self._held, PATIENCE_S)
            if self.failures:
                raise self.failures.popleft()
            if self.fails_always:
                raise self.fails_always
            self.batches.append(batch)

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        with self._changed:
            self.maintained.append((policy, now_ns))
            self._changed.notify_all()
            if self.maintenance_failures:
                raise self.maintenance_failures.popleft()
            return self.expires_each_round

    def wait_for_writes(self, count: int) -> None:
        """Return when so many writes have begun, in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._begun >= count, PATIENCE_S)

    def wait_for_rounds(self, count: int) -> None:
        """Return when so many rounds of maintenance have begun, in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.maintained) >= count, PATIENCE_S)
