"""DuckDB's revisions: what they build is what the store uses, they can go back, and a newer file is left alone."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from duckdb_sqlalchemy import ConnectionWrapper
from msgspec.structs import replace
from sqlalchemy.pool import StaticPool

from storage.attributes import key_set
from storage.batch import COLUMN_NAMES, SPAN_SCHEMA, SpanBatch
from storage.duckdb.schema import migrate
from storage.duckdb.store import DuckDBStore
from storage.errors import SchemaVersionError
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind
from tests.builders import a_span, a_span_id, a_trace_id
from tests.contract.asking import a_query

DUCKDB_TYPES = {
    pa.binary(16): "BLOB",
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int64(): "BIGINT",
    pa.uint64(): "UBIGINT",
    pa.uint32(): "UINTEGER",
    pa.uint16(): "USMALLINT",
    pa.uint8(): "UTINYINT",
    pa.list_(pa.uint32()): "UINTEGER[]",
}


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def config_of(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:duckdb")
    config.attributes["connection"] = connection
    return config


def tables(database: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def test_the_revisions_form_one_line() -> None:
    assert len(ScriptDirectory.from_config(config_of()).get_heads()) == 1


def test_the_spans_table_has_the_columns_of_the_schema_in_their_order(database: duckdb.DuckDBPyConnection) -> None:
    migrate(database.cursor(), "a test")
    columns = database.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns()"
        " WHERE table_name = 'spans' ORDER BY column_index"
    ).fetchall()
    assert columns[0] == ("seq", "BIGINT", False)
    assert columns[1:] == [(field.name, DUCKDB_TYPES[field.type], field.nullable) for field in SPAN_SCHEMA]


def test_no_table_has_a_key_or_an_index(database: duckdb.DuckDBPyConnection) -> None:
    migrate(database.cursor(), "a test")
    assert database.execute("SELECT * FROM duckdb_indexes()").fetchall() == []
    kinds = database.execute("SELECT DISTINCT constraint_type FROM duckdb_constraints()").fetchall()
    assert kinds == [("NOT NULL",)]


def test_migrating_again_changes_nothing(database: duckdb.DuckDBPyConnection) -> None:
    migrate(database.cursor(), "a test")
    database.execute("UPDATE upkeep SET watermark = 7")
    migrate(database.cursor(), "a test")
    assert database.execute("SELECT watermark FROM upkeep").fetchall() == [(7,)]


def test_every_revision_goes_back_to_nothing_and_forth_again(database: duckdb.DuckDBPyConnection) -> None:
    migrate(database.cursor(), "a test")
    built = tables(database)
    engine = sa.create_engine("duckdb://", creator=lambda: ConnectionWrapper(database.cursor()), poolclass=StaticPool)
    with engine.connect() as connection:
        command.downgrade(config_of(connection), "base")
        connection.commit()
    assert tables(database) == {"alembic_version"}
    migrate(database.cursor(), "a test")
    assert tables(database) == built


def written_by_revision_0001(path: Path, rows: list[dict[str, object]]) -> None:
    with duckdb.connect(str(path)) as database:
        engine = sa.create_engine("duckdb://", creator=lambda: ConnectionWrapper(database), poolclass=StaticPool)
        with engine.connect() as connection:
            command.upgrade(config_of(connection), "0001")
            connection.commit()
        for row in rows:
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO spans ({', '.join(row)}) VALUES ({marks})", list(row.values()))


REVISION_0001_SPAN: dict[str, object] = {
    "seq": 1,
    "trace_id": a_trace_id(1),
    "span_id": 1,
    "kind": 2,
    "status_code": 0,
    "protocol": 1,
    "attributes": "{}",
    "attribute_keys": "",
    "tokens": [],
    "resource": "{}",
    "flags": 0,
    "dropped_attributes": 0,
    "dropped_events": 0,
    "dropped_links": 0,
    "resource_dropped_attributes": 0,
    "scope_dropped_attributes": 0,
    "debug": False,
    "shared": False,
    "received_ns": 1,
}


def test_a_store_written_by_revision_0001_keeps_what_hardly_any_span_has(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    rare = {
        "scope_name": "lib",
        "scope_attributes": '{"ratio":1.0,"raw":{"$b":"AAE="}}',
        "scope_schema_url": 'https://scope/"1"',
        "scope_dropped_attributes": 4,
        "resource_schema_url": "https://resource",
        "resource_dropped_attributes": 5,
        "dropped_attributes": 1,
        "dropped_events": 2,
        "dropped_links": 3,
        "local_ipv6": "::1",
        "remote_ipv6": "::2",
    }
    plain = REVISION_0001_SPAN
    written_by_revision_0001(
        path, [plain, plain | {"seq": 2, "span_id": 2, "dropped_links": 9}, plain | {"seq": 3, "span_id": 3} | rare]
    )
    with DuckDBStore(path, 2**28, 0, ()) as store:
        [[first, second, third]] = store.get_traces([a_trace_id(1)])
    assert first == Span(a_trace_id(1), a_span_id(1), kind=SpanKind.SERVER, protocol=Protocol(1))
    assert second == replace(first, span_id=a_span_id(2), dropped_links=9)
    assert third == replace(
        first,
        span_id=a_span_id(3),
        scope=Scope("lib", "", {"ratio": 1.0, "raw": b"\x00\x01"}, 4, 'https://scope/"1"'),
        resource=Resource({}, 5, "https://resource"),
        dropped_attributes=1,
        dropped_events=2,
        dropped_links=3,
        local=Endpoint(ipv6="::1"),
        remote=Endpoint(ipv6="::2"),
    )


def test_a_store_written_by_revision_0001_is_searched_by_tags_of_events_links_and_scopes(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    sent = a_span(
        1,
        attributes={"a": "1"},
        events=(Event(1, "e", {"b": "1", "c": "1"}), Event(2, "f"), Event(3, "g", {"b": "2"})),
        links=(Link(a_trace_id(9), a_span_id(9), attributes={"d": "1"}),),
        scope=Scope("s", attributes={"e": "1"}),
    )
    stored = dict(zip(COLUMN_NAMES, next(SpanBatch.of([sent]).rows()), strict=True))
    row = REVISION_0001_SPAN | {name: stored[name] for name in ("start_ns", "attributes", "events", "links", "tokens")}
    row |= {"attribute_keys": key_set(["a"]), "scope_attributes": '{"e":"1"}'}
    written_by_revision_0001(path, [row])
    with DuckDBStore(path, 2**28, 0, ()) as store:
        found = [bool(store.find_traces(a_query(tags={key: "1"}))) for key in "abcde"]
    assert found == [True] * 5
    with duckdb.connect(str(path)) as database:
        [(keys,)] = database.execute("SELECT attribute_keys FROM spans").fetchall()
    assert keys == stored["attribute_keys"]


def test_migrations_are_found_from_any_folder(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    migrate(database.cursor(), "a test")
    assert "spans" in tables(database)


def test_a_store_of_a_newer_revision_is_refused_by_name_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"
    with DuckDBStore(path, 2**28, 0, ()) as store:
        store.write(SpanBatch.of([a_span(1)]))
    with duckdb.connect(str(path)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    head = ScriptDirectory.from_config(config_of()).get_current_head()
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(SchemaVersionError, match=r"clew.duckdb has schema revision 9999, this clew knows up to \d+"):
        DuckDBStore(path, 2**28, 0, ()).__enter__()
    assert hashlib.sha256(path.read_bytes()).digest() == before
    with duckdb.connect(str(path)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = ?", [head])
    with DuckDBStore(path, 2**28, 0, ()) as store:
        assert len(store.get_traces([a_trace_id(1)])) == 1
