"""What came in by each door in the last minute: the ledger's books, looked at every few seconds and compared."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from collector.ledger import Account, Books, Door
from query.api.clew_doors import DoorActivity, DoorsReport, SpanCounts

_RECENT_NS = 60 * 10**9
_LOOK_EVERY_S = 5.0
_ON_THE_READY_LINE = {Door.ZIPKIN_HTTP: "zipkin", Door.ZIPKIN_GRPC: "zipkin"}

_Counts = Mapping[Door, SpanCounts]


class DoorWatch:
    """Remembers the books of the last minute.

    books: the ledger's; addresses: the open doors, as the ready line has them; monotonic_ns: a clock that never goes
    back.
    """

    def __init__(
        self,
        books: Callable[[], Books],
        addresses: Callable[[], Mapping[str, str]],
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._books = books
        self._addresses = addresses
        self._now_ns = monotonic_ns
        self._seen: deque[tuple[int, _Counts]] = deque()
        self.look()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Looks again and again until the end of the context."""
        task = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def look(self) -> None:
        """Remember the books as they are now, and forget what is older than a minute but for the newest of that."""
        now_ns = self._now_ns()
        self._seen.append((now_ns, _counts(self._books())))
        while len(self._seen) > 1 and self._seen[1][0] <= now_ns - _RECENT_NS:
            self._seen.popleft()

    def report(self) -> DoorsReport:
        """The doors at this moment."""
        books, addresses = self._books(), self._addresses()
        counts, pending = _counts(books), _by_door(books.pending)
        before_ns, before = self._before(now_ns := self._now_ns())
        rejected, refused = _reasons(books.rejected), _reasons(books.messages_refused)
        dropped = _reasons(_dropped(books))
        doors = [
            DoorActivity(
                name=door.value,
                door=_ON_THE_READY_LINE.get(door, door.value),
                address=addresses.get(_ON_THE_READY_LINE.get(door, door.value)),
                total=counts[door],
                recent=SpanCounts(*(now - then for now, then in zip(counts[door], before[door], strict=True))),
                pending=pending[door],
                rejected=rejected[door],
                dropped=dropped[door],
                refused_payloads=refused[door],
            )
            for door in Door
        ]
        return DoorsReport(doors, now_ns - before_ns)

    def _before(self, now_ns: int) -> tuple[int, _Counts]:
        """What was seen a minute ago: the newest that is as old, or the oldest there is."""
        old = [seen for seen in self._seen if seen[0] <= now_ns - _RECENT_NS]
        return old[-1] if old else self._seen[0]

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.look()


def _counts(books: Books) -> _Counts:
    accepted, stored = _by_door(books.accepted), _by_door(books.stored)
    rejected, dropped = _reasons(books.rejected), _reasons(_dropped(books))
    return {
        door: SpanCounts(
            books.received.get(door, 0),
            accepted[door],
            stored[door],
            sum(rejected[door].values()),
            sum(dropped[door].values()),
        )
        for door in Door
    }


def _dropped(books: Books) -> Mapping[tuple[Door, str], int]:
    found: Counter[tuple[Door, str]] = Counter()
    for (account, reason), spans in books.dropped.items():
        found[account.door, reason] += spans
    return found


def _by_door(tally: Mapping[Account, int]) -> Counter[Door]:
    found: Counter[Door] = Counter()
    for account, spans in tally.items():
        found[account.door] += spans
    return found


def _reasons(by_reason: Mapping[tuple[Door, str], int]) -> Mapping[Door, Mapping[str, int]]:
    found: dict[Door, Counter[str]] = {door: Counter() for door in Door}
    for (door, reason), number in by_reason.items():
        found[door][reason] += number
    return found
