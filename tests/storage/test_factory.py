"""From a URL to a store."""

from pathlib import Path

import pytest

from storage.batch import SpanBatch
from storage.clickhouse.schema import ClickHouseSchema
from storage.clickhouse.store import ClickHouseStore
from storage.duckdb.store import DuckDBStore
from storage.duckdb.temporary import TemporaryDuckDBStore
from storage.errors import StoreConfigurationError
from storage.factory import open_archive, open_store, schemas_of
from storage.memory import MemoryStore
from storage.settings import StorageSettings
from tests.builders import TODAY_NS, a_span, a_trace_id


def settings_of(url: str) -> StorageSettings:
    return StorageSettings.model_validate({"url": url})


def test_memory_is_the_memory_store() -> None:
    assert isinstance(open_store(settings_of("memory:")), MemoryStore)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///./data/clew.duckdb", "data/clew.duckdb"),
        ("duckdb:///clew.duckdb", "clew.duckdb"),
        ("duckdb:////var/lib/clew.duckdb", "/var/lib/clew.duckdb"),
        ("duckdb:///with%20space.duckdb", "with space.duckdb"),
    ],
)
def test_a_duckdb_url_names_its_file_with_three_slashes_relative_with_four_absolute(url: str, path: str) -> None:
    store = open_store(settings_of(url))
    assert isinstance(store, DuckDBStore)
    assert store.path == Path(path)


def test_nothing_is_opened_by_asking_for_a_store(tmp_path: Path) -> None:
    open_store(settings_of(f"duckdb:///{tmp_path}/sub/clew.duckdb"))
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_store_keeps_its_spans_to_itself_and_leaves_nothing_behind() -> None:
    store = open_store(settings_of("duckdb:temporary"))
    assert isinstance(store, TemporaryDuckDBStore)
    folder = store.path.parent
    assert not folder.exists()

    with store:
        store.write(SpanBatch.of([a_span(1, 1)], TODAY_NS))
        assert len(store.get_traces([a_trace_id(1)])) == 1
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.exists()


@pytest.mark.parametrize("url", ["", "clew.duckdb", "sqlite:///x", "memory:here", "memory://x"])
def test_an_unknown_store_is_refused_and_the_known_ones_are_named(url: str) -> None:
    with pytest.raises(
        StoreConfigurationError, match="CLEW_STORAGE_URL: expected duckdb:///PATH, postgresql://"
    ) as told:
        open_store(settings_of(url))
    assert "clickhouse://USER:PASSWORD@HOST/DATABASE or memory:, got " in str(told.value)


def test_what_is_refused_is_not_shown_when_it_may_have_a_password_in_it() -> None:
    with pytest.raises(StoreConfigurationError) as told:
        open_store(settings_of("mysql://user:hidden@host/db"))
    assert str(told.value).endswith("got one that begins with 'mysql'")


def test_a_url_of_clickhouse_is_its_store_and_its_schema_with_the_cluster_that_is_set() -> None:
    settings = StorageSettings.model_validate({"url": "clickhouse://host/db", "clickhouse_cluster": "main"})
    assert isinstance(open_store(settings), ClickHouseStore)
    [schema] = schemas_of(settings)
    assert isinstance(schema, ClickHouseSchema)


def test_an_archive_in_the_stores_own_database_is_refused() -> None:
    settings = archive_settings("clickhouse://a:b@host/db", "clickhouses://c:d@host/db")
    with pytest.raises(StoreConfigurationError, match="CLEW_ARCHIVE_URL: expected another database"):
        open_archive(settings)


@pytest.mark.parametrize("url", ["duckdb:", "duckdb:///", "duckdb://host/x", "duckdb:///x?threads=2", "duckdb:///x#y"])
def test_a_duckdb_url_without_just_a_path_is_refused(url: str) -> None:
    with pytest.raises(StoreConfigurationError, match="expected duckdb:///PATH, got"):
        open_store(settings_of(url))


def archive_settings(url: str, archive_url: str) -> StorageSettings:
    return StorageSettings.model_validate({"url": url, "archive_url": archive_url, "autocomplete_keys": ("k",)})


def test_without_a_url_there_is_no_archive() -> None:
    assert open_archive(archive_settings("memory:", "")) is None


def test_an_archive_is_a_store_of_its_own(tmp_path: Path) -> None:
    archive = open_archive(archive_settings(f"duckdb:///{tmp_path}/a", f"duckdb:///{tmp_path}/b"))

    assert isinstance(archive, DuckDBStore)
    assert archive.path == tmp_path / "b"


def test_an_archive_in_the_stores_own_file_is_refused(tmp_path: Path) -> None:
    settings = archive_settings(f"duckdb:///{tmp_path}/a", f"duckdb:///{tmp_path}/x/../a")

    with pytest.raises(StoreConfigurationError, match="CLEW_ARCHIVE_URL: expected another file than CLEW_STORAGE_URL"):
        open_archive(settings)


def test_an_unknown_archive_is_blamed_on_its_own_setting() -> None:
    with pytest.raises(StoreConfigurationError, match=r"CLEW_ARCHIVE_URL: expected duckdb:///PATH, .* got 'x'"):
        open_archive(archive_settings("memory:", "x"))
