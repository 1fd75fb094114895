"""Sums of links and of the service graph: whatever comes, goes and is repeated, they answer as linking from scratch
does, with several processes over one database; and they are what is read."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings

from storage.batch import SpanBatch
from storage.clickhouse import sql, upkeep, whole_traces
from storage.clickhouse.address import Address, address_of
from storage.clickhouse.call_sums import graph_calls_of, links_of
from storage.clickhouse.connection import Connection
from storage.clickhouse.store import ClickHouseStore
from storage.linking.change import Window
from storage.linking.graph import graph_of_traces, whole_minutes
from storage.linking.link_span import link_span_of
from storage.linking.linker import link_traces
from storage.requests import RetentionPolicy
from storage.span import Span, SpanKind
from tests.builders import HOUR, a_span
from tests.contract.test_dependencies_agreement import trace_timestamp_ns
from tests.contract.test_service_graph import outline
from tests.servers.clickhouse_databases import CLICKHOUSE_DATABASES, clickhouse_server
from tests.storage.duckdb.lives import HOUR_STARTS_NS, KEEP_EVERYTHING, MINUTE, Step
from tests.storage.duckdb.test_graph_sums import GRAPH_WINDOWS, described_steps
from tests.storage.duckdb.test_link_sums import IDS, WINDOWS

SUMS = ("summed_buckets", "link_sums", "graph_sums")
WHOLE = (HOUR_STARTS_NS - HOUR, HOUR_STARTS_NS + 30 * HOUR - 1)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bucket is summed up at once, whatever may still come, some rounds and runs of a few spans each."""
    monkeypatch.setattr(upkeep, "SETTLED_NS", 0)
    monkeypatch.setattr(upkeep, "LOOK_INTERVAL_NS", 0)
    monkeypatch.setattr(upkeep, "LEAVING_NS", 0)
    monkeypatch.setattr(upkeep, "ROUND_SPANS", 6)
    monkeypatch.setattr(upkeep, "WINDOW_SPANS", 4)


@contextmanager
def two_processes() -> Iterator[list[ClickHouseStore]]:
    """Over an empty database for each example of a property; neither is patient."""
    folder = Path("an example")
    address = address_of(CLICKHOUSE_DATABASES.url(folder), "TEST")
    with ExitStack() as opened:
        yield [opened.enter_context(impatient(address)) for _ in range(2)]
    CLICKHOUSE_DATABASES.give_back(folder)


def impatient(address: Address) -> ClickHouseStore:
    store = ClickHouseStore(address, ())
    store._upkeep._patience_ns = 0
    return store


def from_scratch(store: ClickHouseStore, window: Window, wanted: range) -> list[list[Span]]:
    """The traces of a window, by the number of their nanosecond or minute."""
    length_ns = MINUTE if wanted == whole_minutes(*window) else 1
    return [
        trace
        for trace in store.get_traces(IDS, strict=False)
        if (at_ns := trace_timestamp_ns(trace)) is not None and at_ns // length_ns in wanted
    ]


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("eager")
@settings(max_examples=10, deadline=None)
@given(described_steps())
def test_graphs_are_those_of_linking_from_scratch_all_the_life_of_a_store(steps: list[Step[Window]]) -> None:
    with two_processes() as stores:
        for now, step in enumerate(steps, 1):
            one, other = stores if now % 2 else stores[::-1]
            one.write(SpanBatch.of(step.spans, now))
            if step.maintained:
                other.maintain(RetentionPolicy(step.max_age, None), now)
            for window in [step.asked, *WINDOWS, *GRAPH_WINDOWS]:
                linked = from_scratch(one, window, range(window[0], window[1] + 1))
                assert one.dependencies(*window) == link_traces([*map(link_span_of, trace)] for trace in linked)
                linked = from_scratch(one, window, whole_minutes(*window))
                assert one.service_graph(*window) == graph_of_traces([*map(link_span_of, trace)] for trace in linked)


@pytest.fixture
def store(address: Address) -> Iterator[ClickHouseStore]:
    with impatient(address) as opened:
        yield opened


@pytest.fixture
def connection(store: ClickHouseStore, address: Address) -> Connection:
    opened = Connection(address)
    opened.open()
    return opened


def a_call(trace: int, span: int = 1, start_ns: int = HOUR_STARTS_NS, parent: int | None = None) -> Span:
    """A client of a host from which nobody reports."""
    attributes = {"server.address": "api"}
    return a_span(
        trace, span, kind=SpanKind.CLIENT, service="web", start_ns=start_ns, attributes=attributes, parent=parent
    )


def write(store: ClickHouseStore, *spans: Span, received_ns: int = 1) -> None:
    store.write(SpanBatch.of(spans, received_ns))


def graph_of(store: ClickHouseStore) -> list[str]:
    return outline(store.service_graph(*WHOLE))


def is_summed_up(connection: Connection, at_ns: int = HOUR_STARTS_NS) -> bool:
    """Whether a moment of WHOLE is in a bucket whose sums are those of its spans."""
    return not any(begin_ns <= at_ns <= end_ns for begin_ns, end_ns in graph_calls_of(connection, WHOLE).rest)


@pytest.mark.usefixtures("eager")
def test_what_is_summed_up_is_answered_without_linking_a_span(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, a_call(1), a_call(2), a_call(3, start_ns=HOUR_STARTS_NS + 9 * HOUR))
    store.maintain(KEEP_EVERYTHING, 1)
    monkeypatch.delattr(whole_traces, "_GRAPH_ROWS")
    assert graph_of(store) == ["web > api (external) 3"]


@pytest.mark.usefixtures("eager")
def test_a_span_that_comes_late_makes_the_sums_of_its_bucket_those_of_nothing(
    store: ClickHouseStore, connection: Connection
) -> None:
    write(store, a_call(1))
    store.maintain(KEEP_EVERYTHING, 1)
    assert is_summed_up(connection)
    write(store, a_call(2), received_ns=2)
    assert not is_summed_up(connection)
    assert graph_of(store) == ["web > api (external) 2"]
    store.maintain(KEEP_EVERYTHING, 2)
    assert is_summed_up(connection)
    assert graph_of(store) == ["web > api (external) 2"]


@pytest.mark.usefixtures("eager")
def test_a_late_span_of_a_trace_counts_in_the_bucket_of_the_trace_though_it_starts_in_another(
    store: ClickHouseStore,
) -> None:
    write(store, a_call(1))
    store.maintain(KEEP_EVERYTHING, 1)
    write(store, a_call(1, 2, HOUR_STARTS_NS + 2 * sql.BUCKET_NS, parent=1), received_ns=2)
    answer = store.service_graph(HOUR_STARTS_NS, HOUR_STARTS_NS + sql.BUCKET_NS - 1)
    store.maintain(KEEP_EVERYTHING, 2)
    assert store.service_graph(HOUR_STARTS_NS, HOUR_STARTS_NS + sql.BUCKET_NS - 1) == answer
    write(store, a_call(1, 3, HOUR_STARTS_NS + 2 * sql.BUCKET_NS, parent=2), received_ns=3)
    write(store, a_call(1, 4, HOUR_STARTS_NS + 2 * sql.BUCKET_NS, parent=1), received_ns=3)
    found = store.service_graph(HOUR_STARTS_NS, HOUR_STARTS_NS + sql.BUCKET_NS - 1)
    assert outline(found) == ["web > api (external) 2"]


@pytest.mark.usefixtures("eager")
def test_sums_that_two_processes_made_count_once(store: ClickHouseStore, address: Address) -> None:
    write(store, a_call(1))
    with impatient(address) as other:
        other.maintain(KEEP_EVERYTHING, 1)
        clickhouse_server().execute(f"RENAME TABLE {address.database}.summed_buckets TO {address.database}.away")
        clickhouse_server().execute(f"CREATE TABLE {address.database}.summed_buckets AS {address.database}.away")
        store.maintain(KEEP_EVERYTHING, 1)
        clickhouse_server().execute(
            f"INSERT INTO {address.database}.summed_buckets SELECT * FROM {address.database}.away"
        )
        assert graph_of(store) == ["web > api (external) 1"]


@pytest.mark.usefixtures("eager")
def test_sums_whose_rows_are_not_all_there_are_not_taken(store: ClickHouseStore, address: Address) -> None:
    write(store, a_call(1), a_call(2))
    store.maintain(KEEP_EVERYTHING, 1)
    clickhouse_server().execute(f"TRUNCATE TABLE {address.database}.graph_sums")
    assert graph_of(store) == ["web > api (external) 2"]


@pytest.mark.usefixtures("eager")
def test_sums_go_from_the_disk_with_the_spans_that_were_received_before(
    store: ClickHouseStore, address: Address
) -> None:
    write(store, a_call(1))
    store.maintain(KEEP_EVERYTHING, 1)
    assert all(rows_of(address, table) for table in SUMS[::2])
    store.maintain(RetentionPolicy(0, None), sql.PARTITION_NS)
    assert [rows_of(address, table) for table in SUMS] == [0, 0, 0]


def rows_of(address: Address, table: str) -> int:
    return int(clickhouse_server().execute(f"SELECT count() FROM {address.database}.{table}"))


@pytest.mark.usefixtures("eager")
def test_buckets_of_before_1970_which_no_one_asks_the_sums_of_are_not_summed_up(
    store: ClickHouseStore, address: Address
) -> None:
    write(store, a_call(1), a_call(1, 2, start_ns=0), a_call(1, 3, start_ns=-HOUR))
    for now_ns in (1, 2):
        store.maintain(KEEP_EVERYTHING, now_ns)
    assert rows_of(address, "summed_buckets") == 1


def test_a_bucket_that_spans_still_come_to_is_left_alone(store: ClickHouseStore, address: Address) -> None:
    received_ns = HOUR_STARTS_NS
    write(store, a_call(1), received_ns=received_ns)
    store.maintain(KEEP_EVERYTHING, received_ns + upkeep.SETTLED_NS - 1)
    assert rows_of(address, "summed_buckets") == 0
    store.maintain(KEEP_EVERYTHING, received_ns + upkeep.SETTLED_NS + upkeep.LOOK_INTERVAL_NS)
    assert rows_of(address, "summed_buckets") == 1


def test_a_bucket_that_retention_is_about_to_take_from_is_left_alone(store: ClickHouseStore, address: Address) -> None:
    write(store, a_call(1), received_ns=HOUR_STARTS_NS - HOUR)
    write(store, a_call(2), received_ns=HOUR_STARTS_NS)
    now_ns = HOUR_STARTS_NS + HOUR
    store.maintain(RetentionPolicy(HOUR, None), now_ns)
    assert rows_of(address, "summed_buckets") == 0
    assert graph_of(store) == ["web > api (external) 1"]


def test_a_bucket_too_large_for_a_round_is_left_alone(
    store: ClickHouseStore, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MOST_SPANS", 1)
    write(store, a_call(1), a_call(2), a_call(3, start_ns=HOUR_STARTS_NS + HOUR))
    store.maintain(KEEP_EVERYTHING, HOUR_STARTS_NS)
    assert rows_of(address, "summed_buckets") == 1
    assert graph_of(store) == ["web > api (external) 3"]


def test_what_the_links_of_a_window_leave_are_the_parts_beside_whole_summed_buckets(
    store: ClickHouseStore, connection: Connection
) -> None:
    write(store, *(a_call(n, start_ns=HOUR_STARTS_NS + n * sql.BUCKET_NS) for n in range(1, 6)))
    store.maintain(KEEP_EVERYTHING, HOUR_STARTS_NS)
    asked = (HOUR_STARTS_NS + sql.BUCKET_NS + 1, HOUR_STARTS_NS + 4 * sql.BUCKET_NS)
    assert links_of(connection, asked).rest == [
        (asked[0], HOUR_STARTS_NS + 2 * sql.BUCKET_NS - 1),
        (asked[1], asked[1]),
    ]
