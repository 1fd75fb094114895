"""How much memory the bodies on their way to the store may take: one number for every door, so that memory stays
bounded however many connections send at once.

Lives on the event loop: no call may come from another thread.
"""

from types import TracebackType
from typing import Self

from collector.errors import Overloaded, PayloadTooLarge

RETRY_AFTER_S = 1.0
"""What a refused sender is told: a full queue empties in well under a second when the store is well."""


class ByteBudget:
    """`capacity_bytes` to be held by reservations; `used_bytes` of them are held now."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.used_bytes = 0

    def reservation(self) -> "Reservation":
        """An empty reservation, to grow while a body is read."""
        return Reservation(self)


class Reservation:
    """Bytes held for one payload. Leaving the `with` block gives them back, unless they were handed over."""

    __slots__ = ("_budget", "_handed_over", "held_bytes")

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._handed_over = False
        self.held_bytes = 0

    def grow(self, by_bytes: int) -> None:
        """Hold that much more, or raise: Overloaded when others hold the room, PayloadTooLarge when nobody needs to."""
        budget = self._budget
        if budget.used_bytes + by_bytes > budget.capacity_bytes:
            self._refuse(by_bytes)
        budget.used_bytes += by_bytes
        self.held_bytes += by_bytes

    def release(self) -> None:
        """Give everything back."""
        self._budget.used_bytes -= self.held_bytes
        self.held_bytes = 0

    def absorb(self, other: "Reservation") -> None:
        """Hold what the other holds, which holds nothing from now on."""
        self.held_bytes += other.held_bytes
        other.held_bytes = 0

    def split(self, held_bytes: int) -> "Reservation":
        """A reservation of its own for so many of the bytes that this one holds."""
        part = Reservation(self._budget)
        part.held_bytes = held_bytes
        self.held_bytes -= held_bytes
        return part

    def hand_over(self) -> None:
        """From now on whoever took the payload calls `release`; leaving the `with` block no longer does."""
        self._handed_over = True

    def _refuse(self, by_bytes: int) -> None:
        capacity = self._budget.capacity_bytes
        if self.held_bytes + by_bytes > capacity:
            raise PayloadTooLarge(
                f"expected a payload that fits the queue of {capacity} bytes (CLEW_QUEUE_BYTES), "
                f"got {self.held_bytes + by_bytes} bytes or more"
            )
        raise Overloaded(
            f"the queue of {capacity} bytes before the store is full; retry in {RETRY_AFTER_S:g} s", RETRY_AFTER_S
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._handed_over:
            self.release()
