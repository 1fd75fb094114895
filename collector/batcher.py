"""When to commit, and what goes into one commit. A state machine that is handed the time; it waits for nothing."""

from collections import deque
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What is gathered: a number of rows that weigh some bytes."""

    @property
    def rows(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


class Batcher(Generic[Item]):
    """Gathers items in their order.

    A commit is due at once when the last one began `interval_ns` ago or earlier, or when a whole commit is waiting
    (`max_rows` or `max_bytes`); else when the interval is over.
    """

    def __init__(self, interval_ns: int, max_rows: int, max_bytes: int) -> None:
        self._interval_ns = interval_ns
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._waiting: deque[Item] = deque()
        self._rows = 0
        self._bytes = 0
        self._last_start_ns: int | None = None

    @property
    def is_full(self) -> bool:
        """A whole commit is waiting."""
        return self._rows >= self._max_rows or self._bytes >= self._max_bytes

    def add(self, item: Item) -> None:
        """Let it wait behind the others."""
        self._waiting.append(item)
        self._rows += item.rows
        self._bytes += item.size_bytes

    def wait_ns(self, now_ns: int) -> int | None:
        """How long until a commit is due: 0 is now, None is never as nothing waits."""
        if not self._waiting:
            return None
        if self._last_start_ns is None or self.is_full:
            return 0
        return max(0, self._last_start_ns + self._interval_ns - now_ns)

    def take(self, now_ns: int) -> list[Item]:
        """The items of the commit that begins now: up to a whole commit, and at least one item if any waits."""
        self._last_start_ns = now_ns
        taken: list[Item] = []
        rows = size_bytes = 0
        while self._waiting:
            item = self._waiting[0]
            if taken and (rows + item.rows > self._max_rows or size_bytes + item.size_bytes > self._max_bytes):
                break
            taken.append(self._waiting.popleft())
            rows += item.rows
            size_bytes += item.size_bytes
        self._rows -= rows
        self._bytes -= size_bytes
        return taken

    def take_all(self) -> list[Item]:
        """Everything that waits."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._rows = self._bytes = 0
        return taken
