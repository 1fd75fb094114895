"""A DuckDB store of every earlier revision, with data in it, is upgraded as it is opened, and all of it reads back."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy.pool import StaticPool

from storage.batch import COLUMN_NAMES, SpanBatch
from storage.contract import SpanStore
from storage.duckdb.schema import DuckDBSchema
from storage.duckdb.store import DuckDBStore
from storage.errors import DowngradeRefused
from storage.requests import CallQuery, RetentionPolicy
from storage.span import Span, SpanKind
from tests.builders import DAY, HOUR, TODAY_NS, a_half_truncated_trace, a_zipkin_trace, exactly
from tests.contract.asking import a_query
from tests.contract.test_agreement import corpus

MEMORY_BYTES = 2**28
FOR_GOOD = RetentionPolicy(max_age_ns=None, max_bytes=None)
RECEIVED_NS = TODAY_NS + HOUR
CONFIG = Config()
CONFIG.set_main_option("script_location", "migrations:duckdb")
LINE = [str(script.revision) for script in reversed(list(ScriptDirectory.from_config(CONFIG).walk_revisions()))]
EARLIER, HEAD = LINE[:-1], LINE[-1]


def spans() -> list[Span]:
    return [*corpus(), *a_zipkin_trace(10_001), *a_half_truncated_trace(10_002)]


def opened(path: Path) -> DuckDBStore:
    return DuckDBStore(path, MEMORY_BYTES, 0, ("k",))


def schema(path: Path) -> DuckDBSchema:
    return DuckDBSchema(path, MEMORY_BYTES)


def answers(store: SpanStore) -> dict[str, object]:
    """What the store has to say: every span, and every kind of question that side tables help with."""
    ids = list(dict.fromkeys(span.trace_id for span in spans()))
    services = store.services()
    calls = CallQuery(tuple(services), tuple(map(int, SpanKind)), TODAY_NS + HOUR, HOUR, 3, HOUR, quantile=0.9)
    return {
        "traces": [exactly(trace) for trace in store.get_traces(ids)],
        "found": sorted(store.find_trace_ids(a_query(tags={"error": None}))),
        "services": services,
        "operations": [store.operations(service) for service in services],
        "remote": [store.remote_services(service) for service in services],
        "values": store.tag_values("k"),
        "links": store.dependencies(TODAY_NS - DAY, TODAY_NS + DAY),
        "calls": store.call_series(calls),
        "spans": store.statistics().spans,
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The answers of a store that was never of another revision than today's."""
    with opened(tmp_path_factory.mktemp("today") / "clew.duckdb") as store:
        store.write(SpanBatch.of(spans(), RECEIVED_NS))
        return answers(store)


def written_today(path: Path) -> None:
    with opened(path) as store:
        store.write(SpanBatch.of(spans(), RECEIVED_NS))


def written_and_looked_after_today(path: Path) -> None:
    with opened(path) as store:
        store.write(SpanBatch.of(spans()[::2], RECEIVED_NS))
        store.maintain(FOR_GOOD, RECEIVED_NS)
        store.write(SpanBatch.of(spans()[1::2], RECEIVED_NS))
        store.maintain(FOR_GOOD, RECEIVED_NS)


@pytest.mark.parametrize("write", [written_today, written_and_looked_after_today])
@pytest.mark.parametrize("revision", EARLIER)
def test_a_store_brought_back_to_an_earlier_revision_and_opened_again_answers_as_before(
    tmp_path: Path, revision: str, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "clew.duckdb"
    write(path)
    with opened(path) as store:
        before = answers(store)
    assert schema(path).downgrade(revision).held == revision

    with opened(path) as store:
        assert answers(store) == before
        store.maintain(FOR_GOOD, RECEIVED_NS)
        assert answers(store) == before
    assert schema(path).state().is_current


@pytest.mark.parametrize("revision", EARLIER[1:])
def test_rows_that_were_written_at_an_earlier_revision_read_back_whole(
    tmp_path: Path, revision: str, expected: dict[str, object]
) -> None:
    path = tmp_path / "clew.duckdb"
    with duckdb.connect(str(path)) as database:
        engine = sa.create_engine("duckdb://", creator=lambda: ConnectionWrapper(database), poolclass=StaticPool)
        with engine.connect() as connection:
            CONFIG.attributes["connection"] = connection
            command.upgrade(CONFIG, revision)
            connection.commit()
        records = SpanBatch.of(spans(), RECEIVED_NS).records
        database.register("batch", records)
        database.execute(f"INSERT INTO spans (seq, {', '.join(COLUMN_NAMES)}) SELECT 1, * FROM batch")

    with opened(path) as store:
        assert answers(store) == expected


def test_no_earlier_revision_is_left_out() -> None:
    assert EARLIER[:3] == ["0001", "0002", "0003"][: len(EARLIER)]
    assert [int(revision) for revision in LINE] == list(range(1, len(LINE) + 1))


def test_going_back_below_the_first_revision_is_refused_and_loses_nothing(
    tmp_path: Path, expected: dict[str, object]
) -> None:
    path = tmp_path / "clew.duckdb"
    written_today(path)

    with pytest.raises(DowngradeRefused, match=r"going back below 0001 would lose every span. Nothing was changed"):
        schema(path).downgrade("base")

    assert schema(path).state().held == HEAD
    with opened(path) as store:
        assert answers(store) == expected


@pytest.mark.parametrize("revision", [HEAD, "9999", "head", "-1"])
def test_going_back_to_what_is_not_older_is_refused_with_what_could_be_asked(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "clew.duckdb"
    written_today(path)

    with pytest.raises(DowngradeRefused, match=rf"expected an older one \({', '.join([*EARLIER[::-1], 'base'])}\)"):
        schema(path).downgrade(revision)


def test_asking_for_the_state_makes_no_store(tmp_path: Path) -> None:
    path = tmp_path / "clew.duckdb"

    assert schema(path).state().held is None
    with pytest.raises(DowngradeRefused, match="does not exist"):
        schema(path).downgrade("base")
    assert list(tmp_path.iterdir()) == []
