"""The Envoys of the benchmark: 5-span posts over many keep-alive connections, one request in flight on each.

A proxy opens as many connections as it needs, so there must be more than requests in flight: with fewer, posts wait
here for a free one, and that would be measured. 3000 posts/s of 90 ms are 270 in flight.
"""

import asyncio
import time
from collections import deque

import numpy as np
import uvloop

from tests.benchmarks.load_plan import LoadPlan, LoadReport, Tally
from tests.benchmarks.pacing import Pacer
from tests.benchmarks.zipkin_payloads import SPANS_PER_POST, posts, templates

_MADE_AT_ONCE = 200
_BACK_OFF_S = 0.05
_TIMEOUT_S = 30


def run(plan: LoadPlan) -> LoadReport:
    """Carry out the plan in this process."""
    return uvloop.run(_run(plan))


class _Posts:
    """Requests made a few hundred at a time, from one template after another, no two with the same ids."""

    def __init__(self, seed: int) -> None:
        self._templates = deque(templates())
        self._templates.rotate(-seed * 7)
        self._source = np.random.default_rng(seed)
        self._ready: deque[bytes] = deque()

    def next(self) -> bytes:
        if not self._ready:
            self._ready.extend(posts(self._templates[0], _MADE_AT_ONCE, time.time_ns(), self._source))
            self._templates.rotate(-1)
        return self._ready.popleft()


class _Connection:
    """One keep-alive connection, opened again after it broke."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, request: bytes) -> str:
        """The status code of the answer. OSError or IncompleteReadError when the connection breaks."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        if length.strip() not in (b"", b"0"):
            await reader.readexactly(int(length))
        return head[9:12].decode()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _run(plan: LoadPlan) -> LoadReport:
    ready, tally = _Posts(plan.seed), Tally()
    connections = [_Connection(plan.address) for _ in range(plan.lanes)]

    async def send(lane: int, due_s: float) -> None:
        try:
            status = await asyncio.wait_for(connections[lane].post(ready.next()), _TIMEOUT_S)
        except (OSError, EOFError, TimeoutError) as error:
            status = type(error).__name__
            connections[lane].close()
        if status == "202":
            tally.acknowledge(SPANS_PER_POST, due_s, time.monotonic())
        else:
            tally.refuse(status)
            await asyncio.sleep(_BACK_OFF_S)

    rate = None if plan.spans_per_s is None else plan.spans_per_s / SPANS_PER_POST
    began_cpu_s = time.process_time()
    unsent = await Pacer(plan.seconds, rate).run(plan.lanes, send)
    for connection in connections:
        connection.close()
    return tally.report(time.process_time() - began_cpu_s, unsent)
