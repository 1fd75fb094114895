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
from sqlalchemy.pool import StaticPool

from storage.batch import SPAN_SCHEMA, SpanBatch
from storage.duckdb.schema import migrate
from storage.duckdb.store import DuckDBStore
from storage.errors import SchemaVersionError
from tests.builders import a_span, a_trace_id

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
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(SchemaVersionError, match=r"clew.duckdb has schema revision 9999, this clew knows up to \d+"):
        DuckDBStore(path, 2**28, 0, ()).__enter__()
    assert hashlib.sha256(path.read_bytes()).digest() == before
    with duckdb.connect(str(path)) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '0001'")
    with DuckDBStore(path, 2**28, 0, ()) as store:
        assert len(store.get_traces([a_trace_id(1)])) == 1
