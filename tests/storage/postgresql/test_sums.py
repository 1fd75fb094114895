"""Sums of links, of the service graph and of calls: whatever comes, goes and is repeated, they answer as counting from
scratch does, with several processes over one database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.calls import OTHER_OPERATIONS, call_series
from storage.errors import StoreUnavailable
from storage.linking.change import Window
from storage.linking.graph import graph_of_traces, whole_minutes
from storage.linking.link_span import link_span_of
from storage.linking.linker import link_traces
from storage.postgresql import beyond_sums, call_sums, link_sums, metrics, moment, sql, sums, upkeep
from storage.postgresql.store import PostgreSQLStore
from storage.requests import CallQuery, CallSeries, RetentionPolicy
from storage.span import Span, SpanKind
from tests.builders import HOUR, a_span, a_trace_id
from tests.contract.test_dependencies_agreement import trace_timestamp_ns
from tests.contract.test_service_graph import outline
from tests.servers.stores import POSTGRESQL_DATABASES
from tests.storage.duckdb.lives import HOUR_STARTS_NS, KEEP_EVERYTHING, MINUTE, Asked, Step, lives
from tests.storage.duckdb.test_call_sums import QUERIES, TRACES, WIDE, as_of_whole_periods, assert_agree
from tests.storage.duckdb.test_call_sums import SPANS as CALLS
from tests.storage.duckdb.test_graph_sums import GRAPH_WINDOWS, described_steps
from tests.storage.duckdb.test_link_sums import IDS, WINDOWS
from tests.storage.postgresql.conftest import a_store
from tests.waiting import wait_until


@pytest.fixture
def tiny_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few spans, one a round, so that the sums lag behind; asked however few spans there are; large traces
    of 9 spans."""
    monkeypatch.setattr(upkeep, "SLICE_SPANS", 6)
    monkeypatch.setattr(upkeep, "MAX_SLICES", 2)
    monkeypatch.setattr(link_sums, "RELINKED_SPANS", 9)
    monkeypatch.setattr(metrics, "FEW_SPANS", -1)


@contextmanager
def a_database() -> Iterator[str]:
    """An empty one for each example of a property."""
    folder = Path("an example")
    yield POSTGRESQL_DATABASES.url(folder)
    POSTGRESQL_DATABASES.give_back(folder)


@contextmanager
def two_processes(url: str) -> Iterator[list[PostgreSQLStore]]:
    with ExitStack() as opened:
        yield [opened.enter_context(a_store(url)) for _ in range(2)]


def from_scratch(store: PostgreSQLStore, window: Window, wanted: range) -> list[list[Span]]:
    """The traces of a window, by the number of their nanosecond or minute."""
    length_ns = MINUTE if wanted == whole_minutes(*window) else 1
    return [
        trace
        for trace in store.get_traces(IDS, strict=False)
        if (at_ns := trace_timestamp_ns(trace)) is not None and at_ns // length_ns in wanted
    ]


def lived(stores: list[PostgreSQLStore], steps: list[Step[Asked]]) -> Iterator[tuple[PostgreSQLStore, Step[Asked]]]:
    """Each step when it is done, written by one process and maintained by the other, in turn; the one that wrote."""
    stores[0].maintain(KEEP_EVERYTHING, 0)
    for now, step in enumerate(steps, 1):
        one, other = stores if now % 2 else stores[::-1]
        one.write(SpanBatch.of(step.spans, now))
        if step.maintained:
            other.maintain(RetentionPolicy(step.max_age, None), now)
        yield one, step


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tiny_sums")
@settings(max_examples=15, deadline=None)
@given(described_steps())
def test_graphs_are_those_of_linking_from_scratch_all_the_life_of_a_store(steps: list[Step[Window]]) -> None:
    with a_database() as url, two_processes(url) as stores:
        for one, step in lived(stores, steps):
            for window in [step.asked, *WINDOWS, *GRAPH_WINDOWS]:
                linked = from_scratch(one, window, range(window[0], window[1] + 1))
                assert one.dependencies(*window) == link_traces([*map(link_span_of, trace)] for trace in linked)
                linked = from_scratch(one, window, whole_minutes(*window))
                assert one.service_graph(*window) == graph_of_traces([*map(link_span_of, trace)] for trace in linked)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tiny_sums")
@settings(max_examples=20, deadline=None)
@given(lives(st.lists(CALLS, max_size=9), QUERIES))
def test_calls_are_those_counted_from_scratch_all_the_life_of_a_store(steps: list[Step[CallQuery]]) -> None:
    with a_database() as url, two_processes(url) as stores:
        for one, step in lived(stores, steps):
            for query in (step.asked, *WIDE):
                assert_agree(one.call_series(query), counted_from_scratch(one, query))


def counted_from_scratch(store: PostgreSQLStore, query: CallQuery) -> list[CallSeries]:
    traces = store.get_traces([a_trace_id(number) for number in range(1, TRACES + 1)])
    return call_series((span for trace in traces for span in trace), as_of_whole_periods(query))


def a_call(trace: int, span: int = 1, **changes: Any) -> Span:
    """A client of a host from which nobody reports."""
    values: dict[str, Any] = {"kind": SpanKind.CLIENT, "service": "web", "start_ns": HOUR_STARTS_NS, "name": "get"}
    return a_span(trace, span, **(values | {"attributes": {"server.address": "api"}} | changes))


A_DAY = CallQuery(("web",), (int(SpanKind.CLIENT),), HOUR_STARTS_NS + 20 * HOUR, HOUR, 24, HOUR)
TABLES = ("link_sums", "edge_sums", "edges", "call_sums", "call_operations")


def rows_of(database: psycopg.Connection) -> dict[str, int]:
    counts = (database.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES)
    return dict(zip(TABLES, counts, strict=True))


def calls_of(store: PostgreSQLStore, **changes: Any) -> dict[str | None, int]:
    query = CallQuery(**{name: getattr(A_DAY, name) for name in A_DAY.__slots__} | changes)
    return {series.operation: sum(series.calls) for series in store.call_series(query)}


def graph_of(store: PostgreSQLStore) -> list[str]:
    return outline(store.service_graph(HOUR_STARTS_NS - HOUR, HOUR_STARTS_NS + 30 * HOUR))


@pytest.mark.usefixtures("tiny_sums")
def test_what_the_sums_know_is_answered_without_reading_a_span(
    store: PostgreSQLStore, database: psycopg.Connection
) -> None:
    store.write(SpanBatch.of([a_call(1), a_call(2), a_call(3, start_ns=HOUR_STARTS_NS + 9 * HOUR)], 1))
    store.maintain(KEEP_EVERYTHING, 1)
    database.execute("TRUNCATE spans")
    assert graph_of(store) == ["web > api (external) 3"]
    assert calls_of(store) == {None: 3}


@pytest.mark.usefixtures("tiny_sums")
def test_nothing_is_kept_of_what_retention_dropped(store: PostgreSQLStore, database: psycopg.Connection) -> None:
    for now in range(3):
        store.write(
            SpanBatch.of([a_call(now * 4 + each, start_ns=HOUR_STARTS_NS + now * HOUR) for each in range(1, 5)], now)
        )
        store.maintain(KEEP_EVERYTHING, now)
    assert all(rows_of(database)[table] for table in TABLES[1:])
    store.maintain(RetentionPolicy(0, None), 3)
    assert rows_of(database) == dict.fromkeys(TABLES, 0)


@pytest.mark.usefixtures("tiny_sums")
def test_the_calls_of_a_trace_that_grows_too_large_are_counted_all_the_same(
    store: PostgreSQLStore, database: psycopg.Connection
) -> None:
    for now in range(1, 6):
        store.write(SpanBatch.of([a_call(1, 5 * now + each) for each in range(5)], now))
        store.maintain(KEEP_EVERYTHING, now)
    assert database.execute("SELECT count(*) FROM set_aside").fetchall() == [(1,)]
    assert calls_of(store) == {None: 25}
    store.maintain(RetentionPolicy(3, None), 6)
    assert calls_of(store) == {None: 15}


@pytest.mark.usefixtures("tiny_sums")
def test_a_service_with_ids_in_its_span_names_has_few_operations_and_loses_no_call(
    store: PostgreSQLStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sums, "MOST_OPERATIONS", 2)
    monkeypatch.setattr(metrics, "MOST_OPERATIONS", 2)
    names = ["get", "get", "get", "put", "put", *(f"get {number}" for number in range(20))]
    for first in range(0, len(names), 5):
        calls = [a_call(number, name=name) for number, name in enumerate(names[first : first + 5], first + 1)]
        store.write(SpanBatch.of(calls, first))
        store.maintain(KEEP_EVERYTHING, first)
    store.write(SpanBatch.of([a_call(98, name="new"), a_call(99, name="put")], 99))
    assert calls_of(store, by_operation=True) == {"get": 3, "put": 3, OTHER_OPERATIONS: 21}
    assert calls_of(store) == {None: 27}
    assert rows_of(database)["call_operations"] == 4


@pytest.mark.usefixtures("tiny_sums")
def test_operations_are_named_again_when_the_rest_has_gone_and_each_call_goes_from_where_it_was_counted(
    store: PostgreSQLStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sums, "MOST_OPERATIONS", 1)
    monkeypatch.setattr(metrics, "MOST_OPERATIONS", 1)
    for now, names in enumerate((["old"] * 3, ["new"] * 2, ["new"] * 2, ["new"] * 4), 1):
        store.write(SpanBatch.of([a_call(now * 10 + each, name=name) for each, name in enumerate(names)], now))
        store.maintain(KEEP_EVERYTHING, now)
    assert calls_of(store, by_operation=True) == {"old": 3, OTHER_OPERATIONS: 8}
    store.maintain(RetentionPolicy(1, None), 4)
    assert calls_of(store, by_operation=True) == {OTHER_OPERATIONS: 6}
    store.maintain(RetentionPolicy(0, None), 5)
    store.write(SpanBatch.of([a_call(1, name="new")], 6))
    store.maintain(KEEP_EVERYTHING, 6)
    assert calls_of(store, by_operation=True) == {"new": 1}


@pytest.mark.usefixtures("tiny_sums")
def test_sums_of_other_rules_are_looked_past_and_made_anew(
    store: PostgreSQLStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(SpanBatch.of([a_call(1), a_call(2)], 1))
    store.maintain(KEEP_EVERYTHING, 1)
    for changed in (moment, sums):
        monkeypatch.setattr(changed, "SUM_RULES", moment.SUM_RULES + 1)
    database.execute("UPDATE call_sums SET calls = 1000")
    database.execute("UPDATE edge_sums SET calls = 1000")
    assert (graph_of(store), calls_of(store)) == (["web > api (external) 2"], {None: 2})
    set_rules = f"UPDATE upkeep SET sum_rules = {moment.SUM_RULES}"
    monkeypatch.setattr(sums, "_FORGET_ALL", (*sums._FORGET_ALL[:-1], set_rules))
    store.maintain(KEEP_EVERYTHING, 2)
    assert (graph_of(store), calls_of(store)) == (["web > api (external) 2"], {None: 2})
    assert database.execute("SELECT DISTINCT calls FROM call_sums").fetchall() == [(2,)]


@pytest.mark.usefixtures("tiny_sums")
def test_a_store_far_behind_its_spans_counts_them(
    store: PostgreSQLStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beyond_sums, "_FEW_SPANS", 1)
    store.write(SpanBatch.of([a_call(1), a_call(2, start_ns=None), a_call(3, start_ns=None)], 1))
    assert (graph_of(store), calls_of(store)) == (["web > api (external) 1"], {None: 1})


@pytest.mark.usefixtures("tiny_sums")
def test_upkeep_whose_lock_was_lost_changes_nothing_beside_whoever_took_it_over(
    store: PostgreSQLStore, database: psycopg.Connection, url: str
) -> None:
    """The lock is of a connection that may break while the work, on another one, goes on."""
    store.maintain(KEEP_EVERYTHING, 0)
    store.write(SpanBatch.of([a_call(1), a_call(2)], 1))
    with psycopg.connect(url) as other, ThreadPoolExecutor(1) as thread:
        other.execute(sql.ALONE)
        late = thread.submit(store.maintain, KEEP_EVERYTHING, 2)
        wait_until(
            lambda: database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchall() != [(0,)],
            "the late one waits",
        )
        other.commit()
        with pytest.raises(StoreUnavailable, match="could not serialize access"):
            late.result()
    assert rows_of(database)["call_sums"] == 0
    store.maintain(KEEP_EVERYTHING, 3)
    assert calls_of(store) == {None: 2}
