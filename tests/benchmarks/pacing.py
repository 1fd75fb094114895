"""When requests fall due: at once (closed loop), or at even intervals that do not wait for answers (paced)."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

_TICK_S = 0.002


class Pacer:
    """Hands out due moments on the monotonic clock until the time is up."""

    def __init__(
        self, seconds: float, requests_per_s: float | None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock_s = clock_s
        self._interval_s = None if requests_per_s is None else 1 / requests_per_s
        self._next_s = clock_s()
        self._end_s = self._next_s + seconds

    def due(self) -> float | None:
        """The moment of the next request if it has come; None when it is not yet time, or no longer."""
        now_s = self._clock_s()
        if now_s >= self._end_s:
            return None
        if self._interval_s is None:
            return now_s
        if self._next_s > now_s:
            return None
        moment_s, self._next_s = self._next_s, self._next_s + self._interval_s
        return moment_s

    def over(self) -> bool:
        return self._clock_s() >= self._end_s

    async def run(self, lanes: int, send: Callable[[int, float], Awaitable[None]]) -> int:
        """Call `send(lane, due_s)` for every due moment, each lane one at a time; return when all are answered.

        Gives how many requests fell due and found no lane before the time was up.
        """
        free = deque(range(lanes))
        running: set[asyncio.Task[None]] = set()

        async def one(lane: int, due_s: float) -> None:
            try:
                await send(lane, due_s)
                while self._interval_s is None and (again_s := self.due()) is not None:
                    await send(lane, again_s)
            finally:
                free.append(lane)

        backlog: deque[float] = deque()
        while not self.over():
            while (self._interval_s is not None or len(free) > len(backlog)) and (due_s := self.due()) is not None:
                backlog.append(due_s)
            while free and backlog:
                task = asyncio.create_task(one(free.popleft(), backlog.popleft()))
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.sleep(_TICK_S)
        if running:
            await asyncio.gather(*running)
        return len(backlog)
