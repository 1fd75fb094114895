"""A store on a disk that is full, by turns: the scenario runs in a process of its own and prints what happened.

Usage: python -m tests.storage.duckdb.full_disk_process PATH LOG_BYTES FREE_BYTES
The disk is made full with RLIMIT_FSIZE, which any user may set and lift: no file of this process can grow beyond
FREE_BYTES. LOG_BYTES is when the log is folded into the file: less than FREE_BYTES lets a checkpoint meet the full
disk, more lets a commit meet it. Prints one JSON object.
"""

import json
import resource
import sys
from pathlib import Path
from random import Random
from unittest.mock import patch

from storage.batch import SpanBatch
from storage.duckdb import instance
from storage.duckdb.instance import Instance
from storage.duckdb.store import DuckDBStore
from storage.errors import StoreUnavailable
from storage.requests import RetentionPolicy
from storage.span import Span
from tests.builders import a_span, a_trace_id

SPANS_A_BATCH = 200
MOST_BATCHES = 2000


class Scenario:
    def __init__(self, store: DuckDBStore) -> None:
        self.store = store
        self.draw = Random(3)
        self.acknowledged: list[int] = []
        self.failures: list[str] = []

    def spans(self, batch: int) -> list[Span]:
        return [
            a_span(batch, number, attributes={"noise": self.draw.randbytes(200).hex()})
            for number in range(SPANS_A_BATCH)
        ]

    def write(self, batch: int) -> bool:
        try:
            self.store.write(SpanBatch.of(self.spans(batch), 1))
        except StoreUnavailable as error:
            self.failures.append(str(error.__cause__))
            return False
        self.acknowledged.append(batch)
        return True

    def nothing_is_lost(self) -> bool:
        traces = self.store.get_traces([a_trace_id(batch) for batch in self.acknowledged])
        return [len(trace) for trace in traces] == [SPANS_A_BATCH] * len(self.acknowledged)


def limit_files(bound_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bound_bytes, hard))


def main() -> None:
    path, log_bytes, free_bytes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    instance.CHECKPOINT_THRESHOLD = f"{log_bytes}B"
    reopening = patch.object(Instance, "_reopen", autospec=True, side_effect=Instance._reopen)
    with reopening as reopened, DuckDBStore(path, 2**28, 0, ()) as store:
        scenario = Scenario(store)
        limit_files(free_bytes)
        full_at = next(batch for batch in range(1, MOST_BATCHES) if not scenario.write(batch))
        again = scenario.write(full_at)
        readable_while_full = scenario.nothing_is_lost()
        limit_files(resource.RLIM_INFINITY)
        stored_after = all(scenario.write(batch) for batch in range(full_at + 1, full_at + 20))
        store.maintain(RetentionPolicy(None, None), 2)
        spans = store.statistics().spans
    with DuckDBStore(path, 2**28, 0, ()) as store:
        scenario.store = store
        report = {
            "failures": scenario.failures,
            "reopened": reopened.call_count,
            "again": again,
            "readable_while_full": readable_while_full,
            "stored_after": stored_after,
            "nothing_lost": scenario.nothing_is_lost(),
            "unacknowledged": spans - SPANS_A_BATCH * len(scenario.acknowledged),
            "reopened_alike": store.statistics().spans == spans,
        }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
