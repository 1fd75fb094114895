"""Whether a decoded payload is taken, and the books about it: the one way from any door to the pipeline."""

from collector.budget import Reservation
from collector.decode.decoded import Decoded
from collector.errors import Overloaded, PayloadTooLarge
from collector.ledger import Door, Ledger
from collector.pipeline import Pipeline
from collector.sampling import sampled

ROW_OVERHEAD_BYTES = 256
"""What a span takes in columns beside its texts: a body of tiny spans would otherwise hold many times its size."""


class Admission:
    """Samples, books and submits. sample_rate: 0 to 1, see collector.sampling."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, sample_rate: float) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._sample_rate = sample_rate

    async def admit(self, decoded: Decoded, door: Door, reservation: Reservation) -> None:
        """Return when every span of the payload that sampling keeps is durable; at once when none is left.

        Takes the reservation over. Raises Overloaded, StoreUnreachable, NotStored: then no span of it is stored;
        PayloadTooLarge: it would not even fit into an empty queue.
        """
        columns, door_ledger = decoded.columns, self._ledger
        try:
            self._pipeline.check_open()
            reservation.grow(len(columns) * ROW_OVERHEAD_BYTES)
        except (Overloaded, PayloadTooLarge) as error:
            reason = "too_large" if isinstance(error, PayloadTooLarge) else self._refusal()
            door_ledger.turn_away(door, len(columns), reason, decoded.rejected)
            raise
        kept, left_out = sampled(columns, self._sample_rate)
        tally = door_ledger.tally(door, kept)
        last_spans = decoded.last_payload_spans()
        door_ledger.admit(door, tally, door_ledger.tally(door, left_out), decoded.rejected, last_spans)
        if tally:
            await self._pipeline.submit(kept, tally, reservation)

    def _refusal(self) -> str:
        return "stopping" if self._pipeline.stopping else "queue_full"
