"""The filters of the runs of `traces`: they may say yes too often, never no to a trace that is noted."""

from pathlib import Path

import numpy as np
import pytest

from storage.batch import SpanBatch
from storage.duckdb import trace_runs, upkeep
from storage.duckdb.store import DuckDBStore
from storage.duckdb.trace_runs import TraceRun, looks, read_runs
from storage.ids import TraceId
from storage.requests import RetentionPolicy
from tests.builders import a_span

KEEP_ALL = RetentionPolicy(max_age_ns=None, max_bytes=None)
NOW_NS = 10**18


def open_store(path: Path) -> DuckDBStore:
    return DuckDBStore(path, 128 * 2**20, 0, ())


def trace_id(number: int) -> TraceId:
    return TraceId(number.to_bytes(16, "big"))


def write(store: DuckDBStore, *numbers: int) -> None:
    store.write(SpanBatch.of([a_span(trace=trace_id(number), span=number) for number in numbers], NOW_NS))


def runs_of(store: DuckDBStore) -> tuple[TraceRun, ...]:
    return store._marks.trace_runs


@pytest.fixture
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a few notes, which are read two notes at a time."""
    monkeypatch.setattr(upkeep, "_SORTED_RUN_ROWS", 4)
    monkeypatch.setattr(trace_runs, "_LEAST_NOTES", 4)
    monkeypatch.setattr(trace_runs, "_READ_NOTES", 2)


@pytest.mark.usefixtures("short_runs")
def test_a_trace_is_found_in_every_run_that_notes_it_before_and_after_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path / "clew.duckdb") as store:
        for first in (1, 5, 9):
            write(store, *range(first, first + 4), 2)
            store.maintain(KEEP_ALL, NOW_NS)
        write(store, 2, 77)
        made = runs_of(store)
        assert len(made) == 3
        found = store.get_traces([trace_id(2), trace_id(10), trace_id(77)])
        assert [len(trace) for trace in found] == [5, 1, 1]
    with open_store(tmp_path / "clew.duckdb") as store:
        assert [len(trace) for trace in store.get_traces([trace_id(2), trace_id(10)])] == [5, 1]
        store.maintain(KEEP_ALL, NOW_NS)
        read = runs_of(store)
        assert [(run.first_seq, run.last_seq) for run in read] == [(run.first_seq, run.last_seq) for run in made]
        assert all((one.bits == other.bits).all() for one, other in zip(read, made, strict=True))
        assert [len(trace) for trace in store.get_traces([trace_id(2), trace_id(10)])] == [5, 1]


@pytest.mark.usefixtures("short_runs")
def test_a_reader_that_knows_only_earlier_runs_looks_for_later_notes_itself(tmp_path: Path) -> None:
    with open_store(tmp_path / "clew.duckdb") as store:
        write(store, 1, 2, 3, 4)
        store.maintain(KEEP_ALL, NOW_NS)
        known = runs_of(store)
        write(store, 2, 5, 6, 7)
        store.maintain(KEEP_ALL, NOW_NS)
        assert len(runs_of(store)) == 2
        for runs in (known, ()):
            store._marks.trace_runs = runs
            assert [len(trace) for trace in store.get_traces([trace_id(2), trace_id(7)])] == [2, 1]


@pytest.mark.usefixtures("short_runs")
def test_runs_whose_spans_are_all_dropped_are_forgotten(tmp_path: Path) -> None:
    with open_store(tmp_path / "clew.duckdb") as store:
        write(store, 1, 2, 3, 4)
        store.maintain(KEEP_ALL, NOW_NS)
        write(store, 5, 6, 7, 8)
        store.maintain(KEEP_ALL, NOW_NS)
        with store._instance.cursor() as cursor:
            cursor.execute("UPDATE spans SET received_ns = 1 WHERE seq = 1")
        store.maintain(RetentionPolicy(max_age_ns=10**9, max_bytes=None), NOW_NS)
        store.maintain(KEEP_ALL, NOW_NS)
        assert [run.first_seq for run in runs_of(store)] == [2]
        assert store.get_traces([trace_id(1)]) == []
        assert len(store.get_traces([trace_id(5)])) == 1


@pytest.mark.usefixtures("short_runs")
def test_notes_in_no_order_are_all_in_a_run(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).integers(1, 2**63, 100).tolist()
    with open_store(tmp_path / "clew.duckdb") as store, store._instance.cursor() as cursor:
        cursor.executemany("INSERT INTO traces VALUES ($1, $2, $2)", [[low, low % 7] for low in numbers])
        runs = read_runs(cursor)
    for low in numbers:
        assert any(
            low in look.lows and look.first_seq <= low % 7 <= look.last_seq for look in looks(runs, [low, 2**64 - 1])
        )


def test_hardly_any_trace_that_is_not_noted_may_be() -> None:
    source = np.random.default_rng(1)
    lows = source.integers(0, 2**64, 20_000, dtype=np.uint64)
    run = trace_runs._run(lows, np.arange(20_000))
    assert run.may_note(lows).all()
    assert run.may_note(source.integers(0, 2**64, 100_000, dtype=np.uint64)).mean() < 0.01
    one_after_another = np.arange(20_000, dtype=np.uint64)
    run = trace_runs._run(one_after_another, np.arange(20_000))
    assert run.may_note(one_after_another).all()
    assert run.may_note(np.arange(20_000, 120_000, dtype=np.uint64)).mean() < 0.01
