"""PostgreSQL's revisions: what they build is what the store uses, and they can go back as long as nothing is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from storage.batch import SpanBatch
from storage.errors import DowngradeRefused
from storage.postgresql import metrics, sql
from storage.postgresql.address import address_of
from storage.postgresql.schema import PostgreSQLSchema
from storage.postgresql.store import PostgreSQLStore
from storage.requests import CallQuery, RetentionPolicy
from storage.span import Span, SpanKind
from tests.builders import DAY, HOUR, MS, TODAY_NS, a_half_truncated_trace, a_span, a_trace_id, a_zipkin_trace, exactly
from tests.contract.asking import found
from tests.contract.test_agreement import corpus
from tests.servers.stores import postgresql_server

KEEP_EVERYTHING = RetentionPolicy(max_age_ns=None, max_bytes=None)


@pytest.fixture
def url() -> str:
    return postgresql_server().new_database()


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def a_store(url: str) -> PostgreSQLStore:
    return PostgreSQLStore(address_of(url, "CLEW_STORAGE_URL"), ())


def schema_of(url: str) -> PostgreSQLSchema:
    return PostgreSQLSchema(address_of(url, "CLEW_STORAGE_URL"))


def config_of(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "migrations:postgresql")
    config.attributes["connection"] = connection
    return config


LINE = [str(script.revision) for script in reversed(list(ScriptDirectory.from_config(config_of()).walk_revisions()))]
EARLIER = LINE[:-1]


def objects(database: psycopg.Connection) -> set[str]:
    """What there is beside indexes: tables, sequences, functions."""
    return {
        name
        for (name,) in database.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'S') AND relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    }


def indexes(database: psycopg.Connection) -> set[tuple[str, str]]:
    """What is indexed how, of each table: the definitions without the names of the indexes."""
    found = database.execute("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    return {(table, definition.partition(" ON ")[2]) for table, definition in found}


def test_the_revisions_form_one_line() -> None:
    assert [int(revision) for revision in LINE] == list(range(1, len(LINE) + 1))


def test_the_spans_table_has_the_columns_that_are_written_and_read(url: str, database: psycopg.Connection) -> None:
    schema_of(url).upgrade()
    columns = database.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'spans'::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    ).fetchall()
    assert [name for (name,) in columns] == list(sql.COLUMNS)


def test_migrating_again_changes_nothing(url: str, database: psycopg.Connection) -> None:
    with a_store(url) as store:
        store.write(SpanBatch.of([a_span(1)]))
    assert schema_of(url).upgrade().is_current
    with a_store(url) as store:
        assert len(store.get_traces([a_trace_id(1)])) == 1


def test_every_revision_goes_back_to_nothing_and_forth_again(url: str, database: psycopg.Connection) -> None:
    schema_of(url).upgrade()
    built = objects(database)
    with sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        command.downgrade(config_of(connection), "base")
        connection.commit()
    assert objects(database) == {"alembic_version"}
    schema_of(url).upgrade()
    assert objects(database) == built


def test_partitions_go_with_their_table_on_the_way_back(url: str, database: psycopg.Connection) -> None:
    with a_store(url) as store:
        store.write(SpanBatch.of([a_span(1)]))
        store.maintain(KEEP_EVERYTHING, 1)
    with sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        command.downgrade(config_of(connection), "base")
        connection.commit()
    assert objects(database) == {"alembic_version"}


def test_a_downgrade_that_would_lose_spans_is_refused(url: str) -> None:
    with a_store(url) as store:
        store.write(SpanBatch.of([a_span(1)]))
    with pytest.raises(DowngradeRefused, match="would lose every span"):
        schema_of(url).downgrade("base")
    with a_store(url) as store:
        assert len(store.get_traces([a_trace_id(1)])) == 1


def test_migrations_are_found_from_any_folder(
    url: str, database: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    schema_of(url).upgrade()
    assert "spans" in objects(database)


def test_the_state_of_an_empty_database_is_asked_without_changing_it(url: str, database: psycopg.Connection) -> None:
    state = schema_of(url).state()
    assert (state.held, state.is_current) == (None, False)
    assert objects(database) == set()


def answers(store: PostgreSQLStore) -> list[object]:
    window = TODAY_NS - DAY, TODAY_NS + DAY
    services = tuple(store.services())
    calls = CallQuery(services, tuple(map(int, SpanKind)), TODAY_NS + HOUR, HOUR, 3, HOUR, by_operation=True)
    return [
        [exactly(trace) for trace in store.get_traces(IDS)],
        services,
        store.dependencies(*window),
        store.service_graph(*window),
        store.call_series(calls),
        store.statistics().spans,
        [sorted(found(store, **condition)) for condition in CONDITIONS],
    ]


def spans() -> list[Span]:
    return [*corpus(), *a_zipkin_trace(10_001), *a_half_truncated_trace(10_002)]


CONDITIONS: tuple[dict[str, Any], ...] = (
    {"service": "frontend", "duration_min_ns": MS},
    {"tags": {"error": None}},
    {"tags": {"http.status_code": "500"}},
)
IDS = list(dict.fromkeys(span.trace_id for span in spans()))


@pytest.mark.parametrize("are_known", [False, True])
@pytest.mark.parametrize("revision", EARLIER)
def test_a_store_of_an_earlier_revision_is_upgraded_with_its_spans_and_answers_before_and_after_its_upkeep(
    url: str, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, revision: str, are_known: bool
) -> None:
    """Whose sums, if it had them, were of all that it held or of none of it."""
    monkeypatch.setattr(metrics, "FEW_SPANS", -1)
    with a_store(url) as store:
        expected = written_in_two_parts(store, KEEP_EVERYTHING if are_known else None)
        assert all(found(store, **condition) for condition in CONDITIONS)
    built, indexed = objects(database), indexes(database)
    assert schema_of(url).downgrade(revision).held == revision
    assert indexes(database) != indexed

    with a_store(url) as store:
        assert answers(store) == expected
        store.maintain(KEEP_EVERYTHING, TODAY_NS)
        assert answers(store) == expected
    assert (objects(database), indexes(database)) == (built, indexed)
    assert database.execute("SELECT count(*) > 0 FROM edge_sums").fetchall() == [(True,)]


def test_revision_0001_has_sums_of_links_only_and_begins_all_sums_anew(url: str, database: psycopg.Connection) -> None:
    with a_store(url) as store:
        written_in_two_parts(store, KEEP_EVERYTHING)
    schema_of(url).downgrade("0001")
    assert not {"edges", "edge_sums", "call_operations", "call_sums"} & objects(database)
    assert database.execute("SELECT link_rules FROM upkeep").fetchall() == [(0,)]


def written_in_two_parts(store: PostgreSQLStore, maintained: RetentionPolicy | None) -> list[object]:
    for part in (spans()[::2], spans()[1::2]):
        store.write(SpanBatch.of(part, TODAY_NS + HOUR))
        if maintained:
            store.maintain(maintained, TODAY_NS + HOUR)
    return answers(store)
