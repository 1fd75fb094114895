"""ClickHouse's revisions: they build what the store uses, and a failure half-way is made good by running again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from clickhouse_connect.dbapi.connection import Connection as DriverConnection
from sqlalchemy.pool import StaticPool

from storage.batch import SPAN_SCHEMA, SpanBatch
from storage.clickhouse.address import Address, address_of
from storage.clickhouse.connection import Connection
from storage.clickhouse.schema import ClickHouseSchema
from storage.clickhouse.store import ClickHouseStore
from storage.errors import DowngradeRefused, SchemaVersionError, StoreUnavailable
from tests.builders import TODAY_NS, a_trace_id, a_zipkin_trace, exactly
from tests.servers.clickhouse import PASSWORD, USER
from tests.servers.clickhouse_databases import CLICKHOUSE_DATABASES, clickhouse_server

COLUMN_TYPES = {
    "trace_id": "FixedString(16)",
    "span_id": "UInt64",
    "kind": "UInt8",
    "attributes": "String",
    "tokens": "Array(UInt32)",
    "start_ns": "Nullable(Int64)",
    "service": "LowCardinality(Nullable(String))",
    "debug": "Bool",
}
HELD_TABLES = {"spans", "trace_buckets", "names", "resources", "dropped", "summed_buckets", "alembic_version"}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[Address]:
    """An own database, which never had a table."""
    yield address_of(CLICKHOUSE_DATABASES.url(tmp_path / "own", new=True), "TEST")
    CLICKHOUSE_DATABASES.forget(tmp_path / "own")


def ask(address: Address, statement: str) -> list[str]:
    return clickhouse_server().execute(statement.format(database=address.database)).splitlines()


def tables(address: Address) -> set[str]:
    return set(ask(address, "SELECT name FROM system.tables WHERE database = '{database}' AND NOT engine LIKE '%View'"))


def config_of(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:clickhouse")
    config.attributes["connection"] = connection
    return config


@contextmanager
def connected(address: Address) -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        "clickhousedb://",
        creator=lambda: DriverConnection(
            host=address.host, port=address.port, username=USER, password=PASSWORD, database=address.database
        ),
        poolclass=StaticPool,
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(config_of()).walk_revisions()][::-1]


def test_the_revisions_form_one_line() -> None:
    assert len(ScriptDirectory.from_config(config_of()).get_heads()) == 1


def test_an_empty_database_has_no_revision_and_looking_makes_nothing(address: Address) -> None:
    assert ClickHouseSchema(address).state().held is None
    assert tables(address) == set()


def test_the_spans_table_has_the_columns_of_the_schema(address: Address) -> None:
    assert ClickHouseSchema(address).upgrade().is_current
    rows = ask(
        address,
        "SELECT name, type FROM system.columns WHERE database = '{database}' AND table = 'spans'"
        " AND default_kind = '' ORDER BY position",
    )
    columns = dict(row.split("\t") for row in rows)
    assert list(columns) == [*SPAN_SCHEMA.names, "written"]
    for field in SPAN_SCHEMA:
        assert ("Nullable" in columns[field.name]) == field.nullable, field
        assert pa.types.is_string(field.type) == ("String" in columns[field.name]) or field.name == "trace_id", field
    assert {name: columns[name] for name in COLUMN_TYPES} == COLUMN_TYPES


def test_people_can_ask_for_attributes_by_their_keys(address: Address) -> None:
    with ClickHouseStore(address, ()) as store:
        store.write(SpanBatch.of(a_zipkin_trace(), TODAY_NS))
    found = ask(
        address,
        "SELECT trace, attr['http.path'], attr['clnt/finagle.version'] FROM {database}.spans"
        " WHERE has(mapKeys(attr), 'http.path') LIMIT 1",
    )
    assert found == [f'{a_trace_id(1).hex()}\t"/api"\t"6.45.0"']


def test_migrating_again_changes_nothing(address: Address) -> None:
    first = ClickHouseSchema(address).upgrade()
    built = ask(address, "SELECT name, create_table_query FROM system.tables WHERE database = '{database}' ORDER BY 1")
    assert ClickHouseSchema(address).upgrade() == first
    again = ask(address, "SELECT name, create_table_query FROM system.tables WHERE database = '{database}' ORDER BY 1")
    assert again == built


def test_many_processes_that_migrate_at_once_all_find_it_done(address: Address, tmp_path: Path) -> None:
    environment = os.environ | {"CLEW_STORAGE_URL": CLICKHOUSE_DATABASES.url(tmp_path / "own")}
    migrate = [sys.executable, "-m", "clew", "migrate", "up"]
    processes = [subprocess.Popen(migrate, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert len(set(said)) == 1
    with ClickHouseStore(address, ()) as store:
        store.write(SpanBatch.of(a_zipkin_trace(), TODAY_NS))
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([a_zipkin_trace()])


def test_a_process_that_finds_another_between_two_versions_looks_again(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = ClickHouseSchema._forget_older_versions
    meanwhile = iter(["INSERT INTO {database}.alembic_version VALUES ('0001'), ('0002')"])

    def forget_before_another_writes(schema: ClickHouseSchema, connection: Connection) -> None:
        forget(schema, connection)
        for statement in meanwhile:
            ask(address, statement)

    monkeypatch.setattr(ClickHouseSchema, "_forget_older_versions", forget_before_another_writes)
    assert ClickHouseSchema(address).upgrade().is_current
    assert next(meanwhile, None) is None, "nothing came between"


class Broken(Exception):
    """What a server that went away looks like to a revision."""


def statements_of(address: Address, revision: str, monkeypatch: pytest.MonkeyPatch, *, until: int | None) -> int:
    """Upgrade to the revision, breaking off before its statement number `until`; how many it ran."""
    ran = 0
    execute = op.execute

    def counting(statement: str) -> None:
        nonlocal ran
        if ran == until:
            raise Broken
        ran += 1
        execute(statement)

    with connected(address) as connection, monkeypatch.context() as patched:
        patched.setattr(op, "execute", counting)
        command.upgrade(config_of(connection), revision)
    return ran


@pytest.mark.parametrize("revision", revisions())
def test_a_revision_that_fails_at_any_statement_is_made_good_by_running_again(
    address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    whole = address_of(CLICKHOUSE_DATABASES.url(tmp_path / "whole"), "TEST")
    for earlier in revisions()[: revisions().index(revision)]:
        statements_of(whole, earlier, monkeypatch, until=None)
        statements_of(address, earlier, monkeypatch, until=None)
    for number in range(statements_of(whole, revision, monkeypatch, until=None)):
        with pytest.raises(Broken):
            statements_of(address, revision, monkeypatch, until=number)
    assert not ClickHouseSchema(address).state().is_current
    assert ClickHouseSchema(address).upgrade().is_current
    with ClickHouseStore(address, ()) as store:
        store.write(SpanBatch.of(a_zipkin_trace(), TODAY_NS))
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([a_zipkin_trace()])
        assert store.services() == ["backend", "frontend"]
    CLICKHOUSE_DATABASES.forget(tmp_path / "whole")


@pytest.mark.parametrize("revision", revisions())
def test_a_store_written_by_each_revision_is_read_whole_after_the_upgrade(
    address: Address, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    statements_of(address, revision, monkeypatch, until=None)
    trace = a_zipkin_trace()
    with connected(address) as connection:
        client = connection.connection.driver_connection.client  # type: ignore[union-attr]
        columns = set(ask(address, "SELECT name FROM system.columns WHERE database = '{database}' AND table = 'spans'"))
        rows = pa.Table.from_batches([SpanBatch.of(trace, TODAY_NS).records])
        rows = rows.append_column("written", pa.array(range(1, len(trace) + 1)))
        assert set(rows.column_names) <= columns
        client.insert_arrow("spans", rows)
    with ClickHouseStore(address, ("http.host",)) as store:
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([trace])
        assert store.services() == ["backend", "frontend"]
        assert len(store.dependencies(TODAY_NS, TODAY_NS)) == 2
        assert store.statistics().spans == 4


def test_a_version_that_was_left_beside_its_successor_is_forgotten(address: Address) -> None:
    head = ClickHouseSchema(address).upgrade().known
    clickhouse_server().execute(f"INSERT INTO {address.database}.alembic_version VALUES ('{head}')")
    assert ClickHouseSchema(address).state().held == head


def test_a_database_of_a_newer_revision_is_refused_by_name_and_left_untouched(address: Address) -> None:
    ClickHouseSchema(address).upgrade()
    ask(address, "TRUNCATE TABLE {database}.alembic_version")
    ask(address, "INSERT INTO {database}.alembic_version VALUES ('9999')")
    with pytest.raises(SchemaVersionError, match=r"has schema revision 9999, this clew knows up to \d+"):
        ClickHouseStore(address, ()).__enter__()
    assert ask(address, "SELECT * FROM {database}.alembic_version") == ["9999"]


def test_going_back_to_nothing_is_refused_because_every_span_would_be_lost(address: Address) -> None:
    ClickHouseSchema(address).upgrade()
    with pytest.raises(DowngradeRefused, match="would lose every span"):
        ClickHouseSchema(address).downgrade("base")
    assert tables(address) >= HELD_TABLES


def test_every_revision_goes_back_to_nothing_and_forth_again(address: Address) -> None:
    ClickHouseSchema(address).upgrade()
    built = tables(address)
    with connected(address) as connection:
        command.downgrade(config_of(connection), "base")
    assert tables(address) == {"alembic_version"}
    ClickHouseSchema(address).upgrade()
    assert tables(address) == built


def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_told(address: Address) -> None:
    away = address_of(f"clickhouse://{USER}:hidden@127.0.0.1:1/default", "TEST")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/default") as raised:
        ClickHouseSchema(away).state()
    assert "hidden" not in str(raised.value)
