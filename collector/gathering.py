"""Small payloads of one kind decoded and admitted together: Envoy posts five spans at a time, and what is done once a
payload cost several times what its spans did.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.budget import Reservation
from collector.decode.decoded import DecodedTogether
from collector.intake import Decode, Intake
from collector.ledger import Door
from storage.batch import SpanColumns

log = logging.getLogger("clew.collector")

DecodeTogether = Callable[[Sequence[bytes]], DecodedTogether]
"""A decoder of several payloads: pure; leaves out those that it cannot judge, and refuses none."""

GATHER_S = 0.01
"""How long the first payload waits for others: less than a fifth of what an acknowledgement takes under load."""
SMALL_BYTES = 32 * 1024
"""A larger payload has enough spans of its own."""
MAX_BYTES = 256 * 1024
"""Of payloads together: they wait no longer for others."""


@dataclass(slots=True, eq=False)
class _Payload:
    """held_bytes: its part of the group's reservation. taken: done when its spans are durable, or refused."""

    body: bytes
    held_bytes: int
    taken: asyncio.Future[None]

    def end(self, error: BaseException | None) -> None:
        """Tell the caller, unless it was cancelled and waits no more."""
        if self.taken.done():
            return
        if error is None:
            self.taken.set_result(None)
        else:
            self.taken.set_exception(error)


@dataclass(slots=True, eq=False)
class _Group:
    reservation: Reservation
    payloads: list[_Payload] = field(default_factory=list)
    size_bytes: int = 0


class Gathering:
    """The payloads of one door and one format; lives on the event loop. decode: for those that are taken alone."""

    def __init__(
        self, intake: Intake, door: Door, decode: Decode, decode_together: DecodeTogether, *, gather_s: float = GATHER_S
    ) -> None:
        self._intake = intake
        self._door = door
        self._decode = decode
        self._decode_together = decode_together
        self._gather_s = gather_s
        self._open: _Group | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, body: bytes, reservation: Reservation) -> None:
        """As Intake.take. The spans of a caller that is cancelled are stored all the same."""
        if len(body) > SMALL_BYTES:
            await self._intake.take(self._door, self._decode, body, reservation)
            return
        self._intake.book(self._door, body)
        loop = asyncio.get_running_loop()
        group = self._open
        if group is None:
            self._open = group = _Group(self._intake.reservation())
            loop.call_later(self._gather_s, self._close, group)
        payload = _Payload(body, reservation.held_bytes, loop.create_future())
        group.reservation.absorb(reservation)
        group.payloads.append(payload)
        group.size_bytes += len(body)
        if group.size_bytes >= MAX_BYTES:
            self._close(group)
        await payload.taken

    def _close(self, group: _Group) -> None:
        """Take what the group has; nothing if that has begun."""
        if self._open is group:
            self._open = None
            self._run(self._take(group))

    async def _take(self, group: _Group) -> None:
        decoded = await self._decoded(group)
        together: list[_Payload] = []
        for payload, spans in zip(group.payloads, decoded.spans_of, strict=True):
            if spans is None:
                part = group.reservation.split(payload.held_bytes)
                self._run(self._take_alone(payload.body, part), [payload])
            else:
                together.append(payload)
        if together:
            self._run(self._admit(decoded, group.reservation), together)

    async def _decoded(self, group: _Group) -> DecodedTogether:
        bodies = [payload.body for payload in group.payloads]
        try:
            return await self._intake.run(self._decode_together, bodies, group.size_bytes)
        except Exception:
            log.exception("cannot decode %d payloads at %s together; trying each alone", len(bodies), self._door)
            return DecodedTogether(SpanColumns(), spans_of=[None] * len(bodies))

    async def _admit(self, decoded: DecodedTogether, reservation: Reservation) -> None:
        with reservation:
            await self._intake.admit(decoded, self._door, reservation)

    async def _take_alone(self, body: bytes, reservation: Reservation) -> None:
        with reservation:
            await self._intake.take_booked(self._door, self._decode, body, reservation)

    def _run(self, work: Coroutine[Any, Any, None], payloads: Sequence[_Payload] = ()) -> None:
        """Run it beside the rest; what it comes to is what these payloads come to."""

        def end(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            for payload in payloads:
                payload.end(error)

        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(end)
