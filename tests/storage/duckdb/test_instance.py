"""The way back after a fatal error: the file is opened again once nobody uses the dead instance any more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from unittest.mock import patch

import duckdb
import pytest

from storage.batch import SpanBatch
from storage.duckdb.instance import Instance, InstanceLost
from storage.duckdb.store import DuckDBStore
from storage.errors import StoreUnavailable
from tests.builders import a_span, a_trace_id


@pytest.fixture
def instance(store: DuckDBStore) -> Instance:
    store.write(SpanBatch.of([a_span(1)]))
    return store._instance


def kill(instance: Instance) -> None:
    with pytest.raises(InstanceLost, match="will be reopened"), instance.cursor():
        raise duckdb.FatalException("as when a checkpoint found no room")


def test_a_dead_instance_is_reopened_by_the_next_call(store: DuckDBStore, instance: Instance) -> None:
    kill(instance)
    assert len(store.get_traces([a_trace_id(1)])) == 1
    store.write(SpanBatch.of([a_span(2)]))
    assert store.statistics().spans == 2


def test_a_read_that_the_instance_died_under_is_done_again(instance: Instance) -> None:
    outcomes: list[Exception | int] = [duckdb.FatalException("dead"), 7]

    def read(_: duckdb.DuckDBPyConnection) -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert instance.read(read) == 7


def test_reopening_waits_until_the_cursors_of_other_threads_are_closed(instance: Instance) -> None:
    reading, may_end = Event(), Event()

    def long_read(cursor: duckdb.DuckDBPyConnection) -> int:
        reading.set()
        assert may_end.wait(30)
        return len(cursor.execute("SELECT 1").fetchall())

    with ThreadPoolExecutor() as threads, patch.object(instance, "_reopen", side_effect=instance._reopen) as reopen:
        slow = threads.submit(instance.read, long_read)
        assert reading.wait(30)
        kill(instance)
        after = threads.submit(instance.read, lambda cursor: cursor.execute("SELECT 2").fetchall())
        assert reopen.call_count == 0
        may_end.set()
        assert slow.result(30) == 1
        assert after.result(30) == [(2,)]
        assert reopen.call_count == 1


def test_a_file_that_cannot_be_reopened_is_tried_again_by_the_next_call(instance: Instance) -> None:
    kill(instance)
    with (
        patch.object(instance, "_connected", side_effect=StoreUnavailable("still no room")),
        pytest.raises(StoreUnavailable, match="still no room"),
    ):
        instance.read(lambda cursor: cursor.execute("SELECT 1").fetchall())
    assert instance.read(lambda cursor: cursor.execute("SELECT 1").fetchall()) == [(1,)]


def test_other_failures_leave_the_instance_alive(instance: Instance) -> None:
    with (
        patch.object(instance, "_reopen") as reopen,
        pytest.raises(StoreUnavailable, match=r"duckdb failed on .*no_such_table"),
        instance.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM no_such_table")
    assert instance.read(lambda cursor: cursor.execute("SELECT 1").fetchall()) == [(1,)]
    reopen.assert_not_called()


def test_a_write_that_was_durable_before_the_instance_died_is_not_reported_as_failed(store: DuckDBStore) -> None:
    """Else the sender would send it again and have it twice."""
    insert = store._writer._insert

    def durable_but_deadly(seq: int, batch: SpanBatch) -> None:
        insert(seq, batch)
        kill(store._instance)
        raise InstanceLost("the checkpoint after the commit found no room")

    with patch.object(store._writer, "_insert", durable_but_deadly):
        store.write(SpanBatch.of([a_span(1)]))
    store.write(SpanBatch.of([a_span(2)]))
    assert [len(trace) for trace in store.get_traces([a_trace_id(1), a_trace_id(2)])] == [1, 1]
