"""Opening a store: what is refused, and several processes at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from storage.batch import SpanBatch
from storage.errors import SchemaVersionError, StorageError, StoreConfigurationError, StoreUnavailable
from storage.postgresql.address import address_of
from storage.postgresql.store import PostgreSQLStore
from tests.builders import a_span, a_trace_id
from tests.servers.postgresql import PostgreSQLServer
from tests.servers.stores import postgresql_server
from tests.storage.postgresql.conftest import KEYS, a_store


def test_a_server_that_does_not_answer_may_answer_later() -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot connect to postgresql://127\.0\.0\.1:1/clew"):
        a_store("postgresql://127.0.0.1:1/clew").__enter__()


def test_a_database_that_is_not_there_is_a_wrong_setting() -> None:
    with pytest.raises(StoreConfigurationError, match='database "nowhere" does not exist'):
        a_store(postgresql_server().url("nowhere")).__enter__()


def test_a_wrong_password_is_a_wrong_setting_and_stays_secret() -> None:
    with PostgreSQLServer() as server:
        url = server.url().replace("secret", "guessed")
        with pytest.raises(StoreConfigurationError, match="password authentication failed") as refusal:
            a_store(url).__enter__()
        assert "guessed" not in str(refusal.value)


def test_a_database_in_another_encoding_is_refused(database: psycopg.Connection) -> None:
    database.execute("DROP DATABASE IF EXISTS latin")
    database.execute("CREATE DATABASE latin ENCODING latin1 LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreConfigurationError, match="expected PostgreSQL 14 or newer and a database in UTF8"):
        a_store(postgresql_server().url("latin")).__enter__()


def test_a_store_of_a_newer_clew_is_left_alone(url: str, database: psycopg.Connection) -> None:
    with a_store(url):
        pass
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(SchemaVersionError, match="revision 9999"):
            a_store(url).__enter__()
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    finally:
        database.execute("UPDATE alembic_version SET version_num = '0001'")


def test_a_user_who_may_not_make_tables_is_told_so(url: str, database: psycopg.Connection) -> None:
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    for statement in ("DROP SCHEMA public CASCADE", "DROP ROLE IF EXISTS visitor", "CREATE ROLE visitor LOGIN"):
        database.execute(statement.encode())
    try:
        visitor = PostgreSQLStore(address_of(url.replace("clew:", "visitor:", 1), "X"), KEYS)
        with pytest.raises(StoreConfigurationError, match=f"cannot set up the schema of postgresql://.*{name}"):
            visitor.__enter__()
    finally:
        database.execute("CREATE SCHEMA public")


def test_a_store_that_is_not_open_answers_nothing(url: str) -> None:
    with pytest.raises(StorageError, match="is not open"):
        a_store(url).services()


def test_several_processes_may_start_on_an_empty_database_at_once() -> None:
    url = postgresql_server().new_database()
    together = Barrier(4)

    def start(number: int) -> None:
        together.wait()
        with a_store(url) as store:
            store.write(SpanBatch.of([a_span(number)]))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(4)))
    with a_store(url) as store:
        assert len(store.get_traces([a_trace_id(number) for number in range(4)])) == 4


def test_a_commit_waits_for_the_disk_even_where_the_server_would_not(url: str, database: psycopg.Connection) -> None:
    name = psycopg.sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))
    database.execute(psycopg.sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    try:
        with a_store(url) as store:
            connections = store._connections
            with connections.arrows() as arrows, connections.rows() as rows:
                asked = "SELECT current_setting('synchronous_commit') AS answer"
                assert arrows.fetch(asked)["answer"].to_pylist() == ["on"]
                assert rows.fetch(asked) == [("on",)]
    finally:
        database.execute(psycopg.sql.SQL("ALTER DATABASE {} RESET synchronous_commit").format(name))
