"""`python -m tests.process.store_on_command serve`: clew, but its memory store allows several processes, and is away
as long as the file STORE_AWAY exists. What it stands for, a database, is tested with real ones beside it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from clew.command import main
from storage import factory
from storage.batch import SpanBatch
from storage.contract import Capabilities
from storage.errors import StoreUnavailable
from storage.ids import TraceId
from storage.memory import MemoryStore
from storage.span import Span

AWAY = "the database is away"


class StoreOnCommand(MemoryStore):
    """A MemoryStore that fails while it is away."""

    capabilities = Capabilities(durable=False, split_roles=True)

    def __enter__(self) -> Self:
        self.check()
        return super().__enter__()

    def check(self) -> None:
        if Path(os.environ["STORE_AWAY"]).exists():
            raise StoreUnavailable(AWAY)

    def write(self, batch: SpanBatch) -> None:
        self.check()
        super().write(batch)

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        self.check()
        return super().get_traces(trace_ids, strict=strict)

    def services(self) -> list[str]:
        self.check()
        return super().services()


if __name__ == "__main__":
    setattr(factory, "MemoryStore", StoreOnCommand)  # noqa: B010  # mypy knows the name as the factory's own
    main(prog_name="clew")
