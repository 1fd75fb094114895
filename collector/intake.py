"""What every door does with a body once it has it: book, decode, admit. And what it books when it has none."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from collector.admission import Admission
from collector.budget import ByteBudget, Reservation
from collector.decode.decoded import Decoded
from collector.errors import (
    BodyTooSlow,
    ClientGone,
    CollectorError,
    MalformedPayload,
    NotStored,
    Overloaded,
    PayloadTooLarge,
    UnsupportedPayload,
)
from collector.ledger import Door, Ledger

log = logging.getLogger("clew.collector")

Given = TypeVar("Given")
Made = TypeVar("Made")

Decode = Callable[[bytes], Decoded]
"""A decoder: pure; raises MalformedPayload."""

INLINE_BYTES = 32 * 1024
"""Larger bodies are decoded in a thread: the loop stays free to answer others. Smaller ones would only pay the hop."""
DECODE_THREADS = 2

_REFUSALS: tuple[tuple[type[CollectorError], str], ...] = (
    (MalformedPayload, "malformed"),
    (PayloadTooLarge, "too_large"),
    (UnsupportedPayload, "unsupported"),
    (Overloaded, "queue_full"),
    (BodyTooSlow, "too_slow"),
    (ClientGone, "disconnected"),
)


class Intake:
    """Shared by all doors; lives on one event loop. `close` ends its decoding threads."""

    def __init__(
        self, budget: ByteBudget, ledger: Ledger, admission: Admission, inline_bytes: int = INLINE_BYTES
    ) -> None:
        self._budget = budget
        self._ledger = ledger
        self._admission = admission
        self._inline_bytes = inline_bytes
        self._threads = ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="clew-decode")

    def reservation(self) -> Reservation:
        """Room for one body, to grow while it is read."""
        return self._budget.reservation()

    def refuse(self, door: Door, error: CollectorError) -> None:
        """Book a payload that was refused before it was read whole."""
        self._ledger.refuse_message(door, _reason(error), read=False)

    async def take(
        self, door: Door, decode: Decode, body: bytes, reservation: Reservation, inline_bytes: int | None = None
    ) -> Decoded:
        """What was decoded, once all its good spans are durable. body: inflated; b"" is decoded like any other.

        inline_bytes: instead of INLINE_BYTES, for a decoder that is slower than the others.

        Raises MalformedPayload, Overloaded, StoreUnreachable, PayloadTooLarge, NotStored: no span of it is stored.
        """
        self.book(door, body)
        return await self.take_booked(door, decode, body, reservation, inline_bytes)

    def book(self, door: Door, body: bytes) -> None:
        """Book that a payload was read."""
        self._ledger.message(door, len(body))

    async def take_booked(
        self, door: Door, decode: Decode, body: bytes, reservation: Reservation, inline_bytes: int | None = None
    ) -> Decoded:
        """As `take`, of a payload that is booked."""
        try:
            decoded = await self.run(decode, body, len(body), inline_bytes)
        except MalformedPayload as error:
            self._ledger.refuse_message(door, _reason(error))
            raise
        except Exception as error:
            log.exception("cannot decode a body of %d bytes at %s", len(body), door)
            self._ledger.refuse_message(door, "error")
            raise NotStored(f"the body could not be decoded: {type(error).__name__}") from error
        await self.admit(decoded, door, reservation)
        return decoded

    async def admit(self, decoded: Decoded, door: Door, reservation: Reservation) -> None:
        """As Admission.admit."""
        await self._admission.admit(decoded, door, reservation)

    def take_nothing(self, door: Door) -> None:
        """Book a payload without spans that needs no decoder."""
        self._ledger.message(door, 0)

    def close(self) -> None:
        """End the decoding threads, after the last `take` has returned."""
        self._threads.shutdown()

    async def run(
        self, work: Callable[[Given], Made], given: Given, size_bytes: int, inline_bytes: int | None = None
    ) -> Made:
        """`work(given)`, in a thread if what is given is large."""
        if size_bytes <= (self._inline_bytes if inline_bytes is None else inline_bytes):
            return work(given)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, given)


def _reason(error: CollectorError) -> str:
    return next((reason for kind, reason in _REFUSALS if isinstance(error, kind)), "error")
