"""Group commit: one writer thread owns the store's `write`; while one commit runs, the next one gathers.

The event loop submits and waits; the thread merges what has gathered, makes ONE Arrow batch of it, writes it, books
it and wakes all its submitters with a single call to the loop.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from collector.batcher import Batcher
from collector.budget import RETRY_AFTER_S, Reservation
from collector.committer import Committer, Failure
from collector.errors import Overloaded
from collector.ledger import Ledger, Tally
from collector.loss_log import LossLog
from storage.batch import DecodedSpans, SpanBatch, SpanColumns

log = logging.getLogger("clew.collector")

MAX_COMMIT_ROWS = 50_000
MAX_COMMIT_BYTES = 16 * 2**20
_FREED = SpanColumns()


@dataclass(slots=True, eq=False)
class Submission:
    """One payload's spans on their way. settled: stored or given up, and booked."""

    columns: DecodedSpans
    tally: Tally
    reservation: Reservation
    durable: asyncio.Future[None]
    submitted_ns: int
    rows: int
    size_bytes: int
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit that ended. oldest_wait_ns: from its first submission to now. failure: "" or the ledger's reason."""

    spans: int
    payloads: int
    duration_ns: int
    oldest_wait_ns: int
    failure: str


class Pipeline:
    """The way of admitted spans into the store.

    Its methods belong to one event loop. on_commit is told of each commit, in the writer thread, and must be quick.
    """

    def __init__(
        self,
        committer: Committer,
        ledger: Ledger,
        commit_interval_ns: int,
        *,
        max_commit_rows: int = MAX_COMMIT_ROWS,
        max_commit_bytes: int = MAX_COMMIT_BYTES,
        on_commit: Callable[[Commit], None] = lambda commit: None,
        wall_clock_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._committer = committer
        self._ledger = ledger
        self._on_commit = on_commit
        self._wall_clock_ns = wall_clock_ns
        self._monotonic_ns = monotonic_ns
        self._losses = LossLog(monotonic_ns)
        self._batcher: Batcher[Submission] = Batcher(commit_interval_ns, max_commit_rows, max_commit_bytes)
        self._wake = threading.Condition()
        self._idle = False
        self._in_flight: list[Submission] = []
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="clew-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self.stopping = False

    def start(self) -> None:
        """Start the writer thread. Call it on the event loop that will submit."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def check_open(self) -> None:
        """Raise Overloaded when nothing is taken any more."""
        if self.stopping:
            raise Overloaded("clew is shutting down; retry, and another instance will answer", RETRY_AFTER_S)

    async def submit(self, columns: DecodedSpans, tally: Tally, reservation: Reservation) -> None:
        """Return when these spans are durable. The caller booked `tally` as pending; it is settled here.

        Takes the reservation over. Raises Overloaded, StoreUnreachable or NotStored: none of them is stored.
        The spans of a caller that is cancelled are stored all the same.
        """
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reservation.hand_over()
        submission = Submission(
            columns, tally, reservation, durable, self._monotonic_ns(), len(columns), reservation.held_bytes
        )
        with self._wake:
            was_full = self._batcher.is_full
            self._batcher.add(submission)
            # Waking the thread for every payload would cost more than storing it. It must be woken only when it
            # sleeps without a time to wake, and when this payload completes a commit.
            if self._idle or (not was_full and self._batcher.is_full):
                self._idle = False
                self._wake.notify()
        await durable

    async def stop(self, timeout_ns: int) -> bool:
        """Take nothing more, commit what waits, end the thread: True.

        False when the store did not take everything in time: the rest is dropped and booked, its senders are told,
        and the thread may still be inside the store's `write`.
        """
        if self._given_up:
            return False
        with self._wake:
            self.stopping = True
            self._wake.notify()
        try:
            async with asyncio.timeout(timeout_ns / 1e9):
                await self._ended.wait()
        except TimeoutError:
            self._give_up(f"the store did not take them within {timeout_ns / 1e9:g} s (CLEW_DRAIN_TIMEOUT)")
            return False
        self._thread.join()
        return True

    def join(self) -> None:
        """Return when the writer thread has ended: after `stop`, however long the store takes. Blocks."""
        self._thread.join()

    def _give_up(self, cause: str) -> None:
        failure = Failure("drain_timeout", lambda: Overloaded(cause, RETRY_AFTER_S))
        with self._wake:
            left = [submission for submission in self._in_flight if not submission.settled]
            left += self._batcher.take_all()
            self._book(left, failure)
            self._given_up = True
            self._wake.notify()
        self._committer.give_up()
        self._answer(left, failure)

    def _run(self) -> None:
        while group := self._next_group():
            try:
                self._commit(group)
            except Exception as error:
                log.exception("cannot commit %d payloads", len(group))
                self._settle(group, Failure.unexpected(error))
        if not self._given_up:
            self._call_loop(self._ended.set)

    def _next_group(self) -> list[Submission]:
        with self._wake:
            while not self._given_up:
                now_ns = self._monotonic_ns()
                wait_ns = self._batcher.wait_ns(now_ns)
                if wait_ns == 0 or (self.stopping and wait_ns is not None):
                    self._in_flight = self._batcher.take(now_ns)
                    return self._in_flight
                if self.stopping:
                    break
                self._idle = wait_ns is None
                self._wake.wait(None if wait_ns is None else wait_ns / 1e9)
                self._idle = False
            return []

    def _commit(self, group: list[Submission]) -> None:
        begun_ns = self._monotonic_ns()
        batch = self._batch_of(group)
        for submission in group:
            submission.columns = _FREED
        failure = self._committer.write(batch) if len(batch) else None
        self._settle(group, failure)
        now_ns = self._monotonic_ns()
        reason = failure.reason if failure else ""
        self._on_commit(Commit(len(batch), len(group), now_ns - begun_ns, now_ns - group[0].submitted_ns, reason))

    def _batch_of(self, group: list[Submission]) -> SpanBatch:
        try:
            return self._merged(group)
        except Exception:
            # One payload that no batch can hold must not take its neighbours with it.
            log.exception("cannot put %d payloads into one batch; trying each alone", len(group))
            return self._merged([submission for submission in group if self._fits_a_batch(submission)])

    def _merged(self, group: list[Submission]) -> SpanBatch:
        return SpanBatch.received([submission.columns for submission in group], self._wall_clock_ns())

    def _fits_a_batch(self, submission: Submission) -> bool:
        try:
            submission.columns.to_batch(self._wall_clock_ns())
        except Exception as error:
            log.exception("cannot put a payload of %d spans into a batch", submission.rows)
            self._settle([submission], Failure.unexpected(error))
            return False
        return True

    def _settle(self, group: list[Submission], failure: Failure | None) -> None:
        with self._wake:
            if self._given_up:
                return
            unsettled = [submission for submission in group if not submission.settled]
            self._book(unsettled, failure)
        self._call_loop(lambda: self._answer(unsettled, failure))

    def _book(self, group: list[Submission], failure: Failure | None) -> None:
        tallies = [submission.tally for submission in group]
        for submission in group:
            submission.settled = True
        if failure is None:
            self._ledger.settle_stored(tallies)
        elif group:
            self._ledger.settle_dropped(tallies, failure.reason)
            self._losses.report(failure.reason, sum(submission.rows for submission in group), failure.error())

    def _call_loop(self, callback: Callable[[], object]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(callback)

    def _answer(self, group: list[Submission], failure: Failure | None) -> None:
        for submission in group:
            submission.reservation.release()
            if submission.durable.done():
                continue
            if failure is None:
                submission.durable.set_result(None)
            else:
                submission.durable.set_exception(failure.error())
