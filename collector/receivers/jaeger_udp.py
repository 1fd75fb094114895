"""Jaeger over UDP: one message Agent.emitBatch a packet, to nobody who would hear an answer.

What cannot be taken is lost, for the sender has forgotten it: so packets wait for the store as long as there is room,
and each one that is refused is in the books with its reason, and now and then in the log.
"""

import asyncio

from collector.budget import RETRY_AFTER_S
from collector.errors import CollectorError, Overloaded, PayloadTooLarge
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.loss_log import LossLog

MAX_PACKET_BYTES = 65_000
"""As Jaeger's agent takes at most, and its SDKs send at most."""
MAX_WAITING_PACKETS = 1_000
"""Packets between their arrival and their commit; Jaeger's agent queues as many."""
INLINE_PACKET_BYTES = 4 * 1024
"""thriftpy2 has no compiled reader for the compact protocol: 0.7 ms a KiB."""


class JaegerUdpReceiver:
    """One UDP port. decode: of a packet. Lives on one event loop."""

    def __init__(self, intake: Intake, door: Door, decode: Decode, losses: LossLog) -> None:
        self._intake = intake
        self._door = door
        self._decode = decode
        self._waiting: set[asyncio.Task[None]] = set()
        self._losses = losses

    def receive(self, packet: bytes) -> None:
        """Take one packet; returns at once."""
        try:
            if len(packet) > MAX_PACKET_BYTES:
                raise PayloadTooLarge(f"expected a packet of at most {MAX_PACKET_BYTES} bytes, got {len(packet)}")
            if len(self._waiting) >= MAX_WAITING_PACKETS:
                raise Overloaded(f"{MAX_WAITING_PACKETS} packets are waiting already", RETRY_AFTER_S)
        except CollectorError as error:
            self._intake.refuse(self._door, error)
            self._lost(error)
            return
        task = asyncio.get_running_loop().create_task(self._take(packet))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def drain(self, timeout_s: float) -> None:
        """Return when every packet taken was stored or lost, at the latest after `timeout_s`."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=timeout_s)

    async def _take(self, packet: bytes) -> None:
        try:
            with self._intake.reservation() as reservation:
                try:
                    reservation.grow(len(packet))
                except CollectorError as error:
                    self._intake.refuse(self._door, error)
                    raise
                decoded = await self._intake.take(self._door, self._decode, packet, reservation, INLINE_PACKET_BYTES)
            self._losses.report_rejected(decoded)
        except CollectorError as error:
            self._lost(error)

    def _lost(self, error: CollectorError) -> None:
        self._losses.report(f"{self._door}, {type(error).__name__}", 1, error, "UDP packets")
