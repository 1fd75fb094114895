"""SIGKILL at any moment: every acknowledged batch is there, whole, and the next start succeeds."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from storage.duckdb.store import DuckDBStore
from storage.ids import TraceId
from tests.builders import a_trace_id, exactly
from tests.storage.duckdb.conftest import StoreMaker
from tests.storage.duckdb.writing_process import SPANS_A_BATCH, spans_of

ROUNDS = 4
ROOT = Path(__file__).parents[3]


def last_acknowledged_before_the_kill(path: Path, first_batch: int, acknowledgements: int) -> int:
    """Start a writer, kill it in full flow after so many acknowledgements, and give the last one it got out."""
    command = [sys.executable, "-m", "tests.storage.duckdb.writing_process", str(path), str(first_batch)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledgements):
            assert writer.stdout.readline(), "the writer died by itself"
        os.kill(writer.pid, signal.SIGKILL)
        rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return first_batch - 1 + acknowledgements + len(rest)


def batches_held(store: DuckDBStore, upto: int) -> list[int]:
    """The batches from 1 to `upto` that are there whole."""
    ids: list[TraceId] = [a_trace_id(batch) for batch in range(1, upto + 1)]
    traces = store.get_traces(ids)
    assert all(len(trace) == SPANS_A_BATCH for trace in traces)
    return [int.from_bytes(trace[0].trace_id[8:], "big") for trace in traces]


def test_nothing_acknowledged_is_lost_when_the_process_is_killed_again_and_again(
    make_store: StoreMaker, path: Path
) -> None:
    draw = Random(7)
    acknowledged = 0
    for _ in range(ROUNDS):
        acknowledged = last_acknowledged_before_the_kill(path, acknowledged + 1, draw.randint(5, 60))
        with make_store(autocomplete_keys=("of",)) as store:
            held = batches_held(store, acknowledged + 1)
            # One batch may be durable although its acknowledgement did not get out any more.
            assert held[:acknowledged] == list(range(1, acknowledged + 1))
            assert store.statistics().spans == len(held) * SPANS_A_BATCH
            assert store.tag_values("of") == sorted(f"batch {batch}" for batch in held)
            assert exactly(store.get_traces([a_trace_id(acknowledged)])) == exactly([spans_of(acknowledged)])
        acknowledged = len(held)
