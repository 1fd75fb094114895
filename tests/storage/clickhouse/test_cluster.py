"""Two servers with the spans sharded over them by trace, over TCP; and the DDL of a cluster with a Keeper, as text.

The wheel's server has neither DDL ON CLUSTER nor Replicated tables. So here each server is migrated by itself, and its
local tables are plain; what a cluster with replicas is told instead is held by a snapshot, and has not been run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from migrations.clickhouse.tables import Deployment, table_statements, view_statements
from storage.batch import SpanBatch
from storage.clickhouse import whole_traces
from storage.clickhouse.address import address_of
from storage.clickhouse.cluster import Cluster
from storage.clickhouse.connection import Connection
from storage.clickhouse.retention import Retention
from storage.clickhouse.schema import ClickHouseSchema
from storage.clickhouse.store import ClickHouseStore
from storage.clickhouse.writer import Writer
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from storage.requests import DependencyLink, RetentionPolicy
from storage.span import Span
from tests.builders import DAY, MS, SECOND, TODAY_NS, a_half_truncated_trace, a_trace_id, a_zipkin_trace, exactly
from tests.contract.asking import a_query
from tests.contract.test_agreement import corpus, random_query
from tests.contract.test_call_series import a_call, a_call_query
from tests.servers.clickhouse import ClickHouseServer
from tests.servers.ports import free_ports
from tests.storage.clickhouse.test_writer import LosingAnswers

SHARDED = Cluster("bench", replicated=False)
SUMS = ("summed_buckets", "link_sums", "graph_sums")
TABLES = ("spans", "trace_buckets", "names", "resources", "dropped", *SUMS)


@dataclass(frozen=True)
class Shards:
    """Two servers that know each other as the cluster `bench`."""

    servers: list[ClickHouseServer]

    def held(self, table: str = "spans") -> list[int]:
        """How many rows each of them has."""
        return [int(server.execute(f"SELECT count() FROM {table}_local")) for server in self.servers]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClickHouseServer]]:
    ports = free_ports(2)
    folder = tmp_path_factory.mktemp("cluster")
    with (
        ClickHouseServer(folder / "one", shards=ports, tcp_port=ports[0]) as one,
        ClickHouseServer(folder / "two", shards=ports, tcp_port=ports[1]) as two,
    ):
        yield [one, two]


@pytest.fixture
def shards(servers: list[ClickHouseServer]) -> Iterator[Shards]:
    # First both, for a Distributed table asks the other server for its own.
    for server in servers:
        ClickHouseSchema(address_of(server.url(), "TEST"), SHARDED).upgrade()
    yield Shards(servers)
    for server in servers:
        for table in TABLES:
            server.execute(f"TRUNCATE TABLE {table}_local")


@pytest.fixture
def store(shards: Shards) -> Iterator[ClickHouseStore]:
    with ClickHouseStore(address_of(shards.servers[0].url(), "TEST"), ("http.host",), SHARDED) as opened:
        yield opened


@pytest.fixture
def other(shards: Shards, store: ClickHouseStore) -> Iterator[ClickHouseStore]:
    """The same store by way of the other server."""
    with ClickHouseStore(address_of(shards.servers[1].url(), "TEST"), ("http.host",), SHARDED) as opened:
        yield opened


def many_traces(count: int = 200) -> list[Span]:
    return [span for n in range(1, count + 1) for span in a_zipkin_trace(n, start_ns=TODAY_NS + n * MS)]


def test_each_trace_is_whole_on_one_shard_and_each_shard_has_its_share(store: ClickHouseStore, shards: Shards) -> None:
    spans = many_traces()
    store.write(SpanBatch.of(spans, TODAY_NS))
    assert sum(shards.held()) == len(spans)
    assert min(shards.held()) > len(spans) / 4
    spread = "SELECT count(DISTINCT trace_id) FROM spans_local"
    assert sum(int(server.execute(spread)) for server in shards.servers) == 200


def test_traces_are_read_whole_by_way_of_either_server(store: ClickHouseStore, other: ClickHouseStore) -> None:
    store.write(SpanBatch.of(many_traces(50), TODAY_NS))
    asked = [a_trace_id(n) for n in range(1, 51)]
    expected = exactly([a_zipkin_trace(n, start_ns=TODAY_NS + n * MS) for n in range(1, 51)])
    for each in (store, other):
        assert exactly(each.get_traces(asked)) == expected
        assert exactly([each.get_traces([trace_id])[0] for trace_id in asked]) == expected


def test_a_trace_whose_id_was_truncated_on_its_way_is_on_one_shard(store: ClickHouseStore, shards: Shards) -> None:
    for n in range(1, 9):
        store.write(SpanBatch.of(a_half_truncated_trace(n), TODAY_NS))
        assert exactly(store.get_traces([a_trace_id(n)], strict=False)) == exactly([a_half_truncated_trace(n)])
    assert store.dependencies(TODAY_NS - DAY, TODAY_NS + DAY)[0].call_count == 8
    for server in shards.servers:
        halves = "SELECT count(DISTINCT substring(trace_id, 9)), count(DISTINCT trace_id) FROM spans_local"
        low, whole = server.execute(halves).split()
        assert int(whole) == 2 * int(low)


@pytest.mark.parametrize("strict", [True, False])
def test_searches_over_shards_give_what_the_reference_gives(store: ClickHouseStore, strict: bool) -> None:
    spans = corpus()
    reference = MemoryStore(len(spans), ())
    for first in range(0, len(spans), 100):
        batch = SpanBatch.of(spans[first : first + 100], TODAY_NS)
        store.write(batch)
        reference.write(batch)
    for seed in range(25):
        query = random_query(Random(seed))
        assert exactly(store.find_traces(query, strict=strict)) == exactly(reference.find_traces(query, strict=strict))
        expected = reference.find_trace_summaries(query, strict=strict)
        assert store.find_trace_summaries(query, strict=strict) == expected
    assert store.services() == reference.services()
    for service in reference.services():
        assert store.operations(service, ignore_case=True) == reference.operations(service, ignore_case=True)
        assert store.remote_services(service) == reference.remote_services(service)
    window = (TODAY_NS, TODAY_NS + 10 * SECOND)
    assert store.dependencies(*window) == reference.dependencies(*window)
    assert store.service_graph(*window) == reference.service_graph(*window)
    assert store.statistics().spans == len(spans)


def test_calls_of_both_shards_add_up(store: ClickHouseStore) -> None:
    store.write(SpanBatch.of([a_call(n, at_ns=n) for n in range(1, 101)], TODAY_NS))
    assert store.call_series(a_call_query())[0].calls == (100, 0, 0)


def test_a_write_that_is_tried_again_is_stored_once_on_every_shard(store: ClickHouseStore, shards: Shards) -> None:
    connection = LosingAnswers(address_of(shards.servers[0].url(), "TEST"))
    connection.open()
    connection.lost = 2
    writer, batch = Writer(connection, SHARDED), SpanBatch.of(many_traces(), TODAY_NS)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            writer.write(batch)
    writer.write(batch)
    assert sum(shards.held()) == len(batch)
    writer.write(batch)
    assert sum(shards.held()) == 2 * len(batch)


def test_what_only_one_shard_had_stored_is_made_whole_when_the_write_is_tried_again(
    store: ClickHouseStore, shards: Shards
) -> None:
    batch = SpanBatch.of(many_traces(), TODAY_NS)
    shards.servers[1].execute("RENAME TABLE spans_local TO spans_away")
    with pytest.raises(StoreUnavailable):
        store.write(batch)
    shards.servers[1].execute("RENAME TABLE spans_away TO spans_local")
    store.write(batch)
    assert sum(shards.held()) == len(batch)
    assert store.dependencies(TODAY_NS - DAY, TODAY_NS + DAY) == [
        DependencyLink("backend", "db", 200, 200),
        DependencyLink("frontend", "backend", 200),
    ]


def test_a_shard_that_is_away_makes_reads_and_writes_unavailable(tmp_path: Path) -> None:
    ports = free_ports(2)
    with (
        ClickHouseServer(tmp_path / "one", shards=ports, tcp_port=ports[0]) as one,
        ClickHouseServer(tmp_path / "two", shards=ports, tcp_port=ports[1]) as two,
    ):
        for server in (one, two):
            ClickHouseSchema(address_of(server.url(), "TEST"), SHARDED).upgrade()
        with ClickHouseStore(address_of(one.url(), "TEST"), (), SHARDED) as store:
            batch = SpanBatch.of(many_traces(20), TODAY_NS)
            two.kill()
            with pytest.raises(StoreUnavailable):
                store.find_traces(a_query())
            with pytest.raises(StoreUnavailable):
                store.write(batch)
            two.start()
            store.write(batch)
            assert store.statistics().spans == len(batch)


def test_what_retention_lets_go_is_out_of_sight_on_every_shard(store: ClickHouseStore, other: ClickHouseStore) -> None:
    store.write(SpanBatch.of(many_traces(40), TODAY_NS - 2 * DAY))
    store.write(SpanBatch.of(many_traces(10), TODAY_NS))
    assert store.maintain(RetentionPolicy(DAY, None), TODAY_NS) == 40 * 4
    for each in (store, other):
        assert each.statistics().spans == 10 * 4
        assert len(each.find_traces(a_query())) == 10


def test_what_is_summed_up_over_shards_is_what_the_reference_counts(
    store: ClickHouseStore, other: ClickHouseStore, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = many_traces(100)
    reference = MemoryStore(len(spans), ())
    for each in (store, reference):
        each.write(SpanBatch.of(spans, TODAY_NS))
    store.maintain(RetentionPolicy(None, None), TODAY_NS + DAY)
    assert sum(shards.held("summed_buckets")) == 1
    monkeypatch.delattr(whole_traces, "_LINK_ROWS")
    window = (TODAY_NS - DAY, TODAY_NS + DAY)
    for each in (store, other):
        assert each.dependencies(*window) == reference.dependencies(*window)
        assert each.service_graph(*window) == reference.service_graph(*window)


def statements(deployment: Deployment) -> str:
    columns = "trace_id FixedString(16)"
    table = table_statements(
        deployment, "spans", columns, "MergeTree", "ORDER BY trace_id", "cityHash64(substring(trace_id, 9))"
    )
    version = table_statements(deployment, "dropped", "x Int64", "ReplacingMergeTree", "ORDER BY x", "rand()")
    return "\n;\n".join([*table, *version, *view_statements(deployment, "v", "names", "SELECT 1 FROM {spans}")])


KEEPER_DDL = """\
CREATE TABLE IF NOT EXISTS spans_local ON CLUSTER 'main' (trace_id FixedString(16))
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/spans_local', '{replica}')
ORDER BY trace_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, \
min_bytes_for_full_part_storage = 134217728, min_bytes_for_wide_part = 134217728, \
old_parts_lifetime = 60, non_replicated_deduplication_window = 1000, replicated_deduplication_window = 1000, \
allow_nullable_key = 1
;
CREATE TABLE IF NOT EXISTS spans ON CLUSTER 'main' AS spans_local
ENGINE = Distributed('main', currentDatabase(), 'spans_local', cityHash64(substring(trace_id, 9)))
;
CREATE TABLE IF NOT EXISTS dropped_local ON CLUSTER 'main' (x Int64)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/dropped_local', '{replica}')
ORDER BY x
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, \
min_bytes_for_full_part_storage = 134217728, min_bytes_for_wide_part = 134217728, \
old_parts_lifetime = 60, non_replicated_deduplication_window = 1000, replicated_deduplication_window = 1000, \
allow_nullable_key = 1
;
CREATE TABLE IF NOT EXISTS dropped ON CLUSTER 'main' AS dropped_local
ENGINE = Distributed('main', currentDatabase(), 'dropped_local', rand())
;
CREATE MATERIALIZED VIEW IF NOT EXISTS v ON CLUSTER 'main' TO names_local AS
SELECT 1 FROM spans_local"""


def test_a_cluster_with_a_keeper_gets_replicated_tables_on_all_its_servers() -> None:
    assert statements(Deployment("main")) == KEEPER_DDL


def test_one_server_gets_plain_tables() -> None:
    told = statements(Deployment())
    assert all(word not in told for word in ("ON CLUSTER", "Replicated", "Distributed", "_local", ", replicated"))


class Listening(Connection):
    """A connection to nobody: it remembers what it was to execute, and has one partition, long let go, to tell of."""

    def __init__(self) -> None:
        super().__init__(address_of("clickhouse://nowhere", "TEST"))
        self.told: list[str] = []

    def execute(self, statement: str, values: object = None, settings: object = None) -> None:
        self.told.append(statement)

    def rows(self, statement: str, values: object = None) -> list[list[int]]:
        return [[7]] if "system.parts" in statement else [[TODAY_NS, 5]] if "before_" in statement else [[0]]


def test_a_cluster_with_a_keeper_drops_partitions_on_all_its_servers() -> None:
    connection = Listening()
    Retention(connection, Cluster("main")).apply(RetentionPolicy(max_age_ns=1, max_bytes=None), TODAY_NS)
    assert connection.told == [
        "ALTER TABLE spans_local ON CLUSTER 'main' DROP PARTITION 7",
        "ALTER TABLE trace_buckets_local ON CLUSTER 'main' DROP PARTITION 7",
        *(f"ALTER TABLE {table}_local ON CLUSTER 'main' DROP PARTITION 7" for table in SUMS),
        f"ALTER TABLE names_local ON CLUSTER 'main' DELETE WHERE last_received_ns < {TODAY_NS} OR last_written < 5",
        f"ALTER TABLE resources_local ON CLUSTER 'main' DELETE WHERE last_received_ns < {TODAY_NS} OR last_written < 5",
    ]


def test_a_write_to_replicas_waits_for_the_majority_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    connection = Listening()
    monkeypatch.setattr(connection, "insert", lambda table, rows, settings: told.append(dict(settings)))
    Writer(connection, Cluster("main")).write(SpanBatch.of([a_zipkin_trace()[0]], TODAY_NS))
    Writer(connection, SHARDED).write(SpanBatch.of([a_zipkin_trace()[0]], TODAY_NS))
    assert [settings.get("insert_quorum") for settings in told] == ["auto", None]
    assert [settings["distributed_foreground_insert"] for settings in told] == [1, 1]
