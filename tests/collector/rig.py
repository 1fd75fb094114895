"""Everything between the doors and the store, put together for a test, and a decoder whose payloads are plain words."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, cast

from collector.admission import Admission
from collector.budget import ByteBudget
from collector.committer import Committer
from collector.decode.decoded import Decoded
from collector.errors import MalformedPayload
from collector.intake import Intake
from collector.ledger import Door, Ledger
from collector.pipeline import Commit, Pipeline
from storage.batch import SpanColumns
from storage.contract import SpanStore
from tests.builders import a_span
from tests.collector.store_double import PATIENCE_S, StoreDouble

SECOND_NS = 10**9


def spans_of(service: str | None, count: int, **changes: Any) -> SpanColumns:
    """Columns of `count` spans of one service."""
    columns = SpanColumns()
    for number in range(1, count + 1):
        columns.append(a_span(span=number, service=service, **changes))
    return columns


def decode_words(payload: bytes) -> Decoded:
    """`3 shop` is three spans of shop; `3 shop 2 bad` are three good ones and two rejected for `bad`; `` is none.

    `crash` is a fault of the decoder; anything else is malformed. Spaces around are padding.
    """
    words = payload.decode("latin-1").split()
    match words:
        case []:
            return Decoded(SpanColumns())
        case [count, service] if count.isdigit():
            return Decoded(spans_of(service, int(count)))
        case [count, service, rejected, reason] if count.isdigit():
            return Decoded(spans_of(service, int(count)), {reason: int(rejected)}, f"{rejected} spans are {reason}")
        case ["crash"]:
            raise RuntimeError("a fault of the decoder")
    raise MalformedPayload(f"expected words, got {payload[:20]!r}")


class Rig:
    """`async with Rig() as rig`: a running pipeline before a StoreDouble."""

    def __init__(
        self,
        *,
        queue_bytes: int = 1 << 20,
        commit_interval_ns: int = 0,
        max_commit_rows: int = 50_000,
        backoffs_s: Sequence[float] = (),
        sample_rate: float = 1.0,
        inline_bytes: int = 32 * 1024,
        on_commit: Callable[[Commit], None] = lambda commit: None,
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = StoreDouble()
        self.ledger = Ledger()
        self.budget = ByteBudget(queue_bytes)
        committer = Committer(cast("SpanStore", self.store), backoffs_s=backoffs_s, on_full=on_full)
        self.pipeline = Pipeline(
            committer, self.ledger, commit_interval_ns, max_commit_rows=max_commit_rows, on_commit=on_commit
        )
        self.admission = Admission(self.pipeline, self.ledger, sample_rate)
        self.intake = Intake(self.budget, self.ledger, self.admission, inline_bytes)

    async def __aenter__(self) -> Self:
        self.pipeline.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.let_go()
        await self.pipeline.stop(int(PATIENCE_S * SECOND_NS))
        self.intake.close()

    async def submit(self, columns: SpanColumns, door: Door = Door.OTLP_HTTP, size_bytes: int = 100) -> None:
        """Admit these spans as a payload of `size_bytes`, and return when they are durable."""
        with self.budget.reservation() as reservation:
            reservation.grow(size_bytes)
            await self.admission.admit(Decoded(columns), door, reservation)

    async def writes_begun(self, count: int) -> None:
        """Return when the store was asked so many times in all."""
        await asyncio.to_thread(self.store.wait_for_writes, count)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for lives in another thread or in the ledger
            await asyncio.sleep(0)
