"""A process that writes batches without end and says after each which one is acknowledged. To be killed.

Usage: python -m tests.storage.duckdb.writing_process PATH FIRST_BATCH
Batch n has SPANS_A_BATCH spans of trace n. Every tenth batch upkeep runs beside the writes, with retention off; the
log is folded into the file every LOG_BYTES, so that kills hit checkpoints as well.
"""

import sys
from itertools import count
from pathlib import Path
from threading import Thread

from storage.batch import SpanBatch
from storage.duckdb import instance
from storage.duckdb.store import DuckDBStore
from storage.requests import RetentionPolicy
from storage.span import Span
from tests.builders import a_span

SPANS_A_BATCH = 50
LOG_BYTES = 300_000


def spans_of(batch: int) -> list[Span]:
    """What batch `batch` holds."""
    return [a_span(batch, number, attributes={"n": number, "of": f"batch {batch}"}) for number in range(SPANS_A_BATCH)]


def main() -> None:
    instance.CHECKPOINT_THRESHOLD = f"{LOG_BYTES}B"
    path, first_batch = Path(sys.argv[1]), int(sys.argv[2])
    with DuckDBStore(path, 2**28, 0, ("of",)) as store:
        for batch in count(first_batch):
            store.write(SpanBatch.of(spans_of(batch), batch))
            sys.stdout.write(f"{batch}\n")
            sys.stdout.flush()
            if batch % 10 == 0:
                Thread(target=store.maintain, args=(RetentionPolicy(None, None), batch), daemon=True).start()


if __name__ == "__main__":
    main()
