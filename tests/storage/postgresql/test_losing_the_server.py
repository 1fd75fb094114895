"""What holds when the server goes away: nothing acknowledged is lost, nothing is stored twice, and all heals."""

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest

from storage.batch import SpanBatch
from storage.errors import StoreFull, StoreUnavailable
from storage.postgresql.connections import ConnectionLost
from storage.postgresql.session import Arrows
from storage.postgresql.store import PostgreSQLStore
from storage.postgresql.writer import _Unsettled
from storage.span import Span
from tests.builders import a_span, a_trace_id
from tests.contract.asking import a_query
from tests.servers.postgresql import PostgreSQLServer
from tests.storage.postgresql.conftest import a_store
from tests.waiting import wait_until

SPANS_A_TRACE = 20


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    """One that may be stopped, and syncs to disk."""
    with PostgreSQLServer() as running:
        yield running


def a_batch(trace: int) -> SpanBatch:
    return SpanBatch.of([a_span(trace, span) for span in range(1, SPANS_A_TRACE + 1)])


class Collector:
    """Writes a trace after another, each again until it is acknowledged, as collector.committer does."""

    def __init__(self, url: str, numbers: Iterator[int]) -> None:
        self.acknowledged: list[int] = []
        self.failures = 0
        self._url = url
        self._numbers = numbers
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def write_some(self) -> None:
        """Return when some more traces are acknowledged."""
        enough = len(self.acknowledged) + 5
        wait_until(lambda: len(self.acknowledged) > enough, "a collector writes")

    def _run(self) -> None:
        with a_store(self._url) as store:
            while not self._done.is_set():
                trace = next(self._numbers)
                self._write(store, a_batch(trace))
                self.acknowledged.append(trace)

    def _write(self, store: PostgreSQLStore, batch: SpanBatch) -> None:
        while True:
            try:
                return store.write(batch)
            except StoreUnavailable:
                self.failures += 1
                time.sleep(0.02)


def stop_fast(server: PostgreSQLServer) -> None:
    server.stop(signal.SIGINT)


def stop_at_once(server: PostgreSQLServer) -> None:
    server.stop(signal.SIGQUIT)


@pytest.mark.parametrize("end", [stop_fast, stop_at_once, PostgreSQLServer.kill])
def test_a_server_that_ends_under_load_loses_nothing_acknowledged_and_stores_nothing_twice(
    server: PostgreSQLServer, end: Callable[[PostgreSQLServer], None]
) -> None:
    url = server.new_database()
    numbers = itertools.count(1)
    with a_store(url) as reader:
        with Collector(url, numbers) as one, Collector(url, numbers) as other:
            for _ in range(3):
                for collector in (one, other):
                    collector.write_some()
                end(server)
                server.start()
        acknowledged = one.acknowledged + other.acknowledged
        traces = reader.get_traces([a_trace_id(trace) for trace in acknowledged])
        assert len(traces) == len(acknowledged)
        assert {len(trace) for trace in traces} == {SPANS_A_TRACE}
        assert reader.statistics().spans == len(acknowledged) * SPANS_A_TRACE


def test_a_read_that_finds_its_connection_dead_gets_a_new_one(server: PostgreSQLServer) -> None:
    with a_store(server.new_database()) as store:
        store.write(a_batch(1))
        store.dependencies(0, 1)
        stop_fast(server)
        with pytest.raises(StoreUnavailable):
            store.check()
        server.start()
        store.check()
        assert len(store.get_traces([a_trace_id(1)])) == 1
        assert store.dependencies(0, 1) == []


def test_an_idle_connection_that_was_ended_fails_no_read_and_no_write(url: str, database: psycopg.Connection) -> None:
    with a_store(url) as store:
        store.write(a_batch(1))
        store.dependencies(0, 1)
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'clew' AND datname = current_database()"
        )
        store.write(a_batch(2))
        assert len(store.get_traces([a_trace_id(1), a_trace_id(2)])) == 2
        assert store.statistics().spans == 2 * SPANS_A_TRACE


class TestACommitWithoutAnAnswer:
    """The connection breaks at the commit, before it or after it: nobody can tell from the client alone."""

    @pytest.fixture
    def broken_after(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = Arrows.commit

        def commit_and_break(self: Arrows) -> None:
            commit(self)
            monkeypatch.setattr(Arrows, "commit", commit)
            self.fetch("SELECT 1 AS one FROM pg_terminate_backend(pg_backend_pid())")

        monkeypatch.setattr(Arrows, "commit", commit_and_break)

    @pytest.fixture
    def broken_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = Arrows.commit

        def break_instead(self: Arrows) -> None:
            monkeypatch.setattr(Arrows, "commit", commit)
            self.fetch("SELECT 1 AS one FROM pg_terminate_backend(pg_backend_pid())")

        monkeypatch.setattr(Arrows, "commit", break_instead)

    def test_is_known_as_done_when_it_was(self, store: PostgreSQLStore, request: pytest.FixtureRequest) -> None:
        store.write(a_batch(1))
        request.getfixturevalue("broken_after")
        store.write(a_batch(2))
        assert store.statistics().spans == 2 * SPANS_A_TRACE

    def test_is_done_again_when_it_was_not(self, store: PostgreSQLStore, request: pytest.FixtureRequest) -> None:
        store.write(a_batch(1))
        request.getfixturevalue("broken_before")
        store.write(a_batch(2))
        assert store.statistics().spans == 2 * SPANS_A_TRACE

    def test_is_done_again_when_its_number_and_its_place_were_given_to_another(
        self, store: PostgreSQLStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that is killed before anything of a transaction is on disk begins anew with both."""
        commit, writer = Arrows.commit, store._writer
        of_other: list[_Unsettled] = []

        def note(self: Arrows) -> None:
            if writer._unsettled:
                of_other.append(writer._unsettled)
            commit(self)

        def lose(self: Arrows) -> None:
            if not writer._unsettled:
                commit(self)
                return
            monkeypatch.setattr(Arrows, "commit", commit)
            (other,) = of_other
            writer._unsettled = writer._unsettled._replace(transaction=other.transaction, place=other.place)
            self.fetch("SELECT 1 AS one FROM pg_terminate_backend(pg_backend_pid())")

        monkeypatch.setattr(Arrows, "commit", note)
        store.write(a_batch(1))
        monkeypatch.setattr(Arrows, "commit", lose)
        store.write(a_batch(2))
        assert len(store.get_traces([a_trace_id(1), a_trace_id(2)])) == 2

    def test_is_not_repeated_by_a_retry_once_the_server_is_back(
        self, server: PostgreSQLServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not even the outcome can be asked at first, so the write fails although the batch is stored."""
        with a_store(server.new_database()) as store:
            batch = a_batch(1)
            store.write(a_batch(2))
            request.getfixturevalue("broken_after")
            with monkeypatch.context() as away:
                away.setattr(store._connections._rows, "new", refused)
                with pytest.raises(StoreUnavailable):
                    store.write(batch)
            store.write(batch)
            assert store.statistics().spans == 2 * SPANS_A_TRACE


def refused() -> None:
    raise psycopg.OperationalError("connection refused")


def test_a_search_that_asked_its_asker_already_is_not_begun_anew(store: PostgreSQLStore) -> None:
    for trace in (1, 2):
        store.write(a_batch(trace))
    asked = []

    def accepts(trace: Sequence[Span]) -> bool:
        asked.append(trace[0].trace_id)
        raise ConnectionLost("while it was asked")

    with pytest.raises(ConnectionLost):
        store.find_traces_where(a_query(), accepts)
    assert len(asked) == 1


def test_a_full_disk_refuses_the_batch_and_reads_go_on(store: PostgreSQLStore, database: psycopg.Connection) -> None:
    """The server itself answers as it does when it cannot extend a file (53100)."""
    store.write(a_batch(1))
    database.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
    )
    try:
        database.execute("CREATE TRIGGER full_disk BEFORE INSERT ON spans_1 EXECUTE FUNCTION full_disk()")
        with pytest.raises(StoreFull, match="No space left on device"):
            store.write(a_batch(2))
        assert len(store.get_traces([a_trace_id(1), a_trace_id(2)])) == 1
    finally:
        database.execute("DROP FUNCTION full_disk CASCADE")
    store.write(a_batch(2))
    assert store.statistics().spans == 2 * SPANS_A_TRACE
