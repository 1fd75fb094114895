"""From settings to a store: the one place that knows which stores there are.

A store is imported when it is asked for: the drivers of all of them take more than 100 MB of memory.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import ByteSize

from storage.clickhouse.address import SCHEMES as CLICKHOUSE
from storage.clickhouse.address import address_of as clickhouse_address_of
from storage.clickhouse.cluster import Cluster
from storage.contract import SpanStore
from storage.errors import StoreConfigurationError
from storage.memory import MemoryStore
from storage.revisions import StoreSchema
from storage.settings import TEMPORARY, StorageSettings

_POSTGRESQL = ("postgresql", "postgres")
_ARCHIVE_MEMORY = ByteSize(64 * 2**20)
"""An archive is small and seldom asked."""


def open_store(settings: StorageSettings) -> SpanStore:
    """The store that `settings.url` names, not yet entered: nothing is read or written before that.

    Raises StoreConfigurationError for a URL that names no store.
    """
    return _store_at(settings, "CLEW_STORAGE_URL")


def schemas_of(settings: StorageSettings) -> list[StoreSchema]:
    """The schemas of the store that `settings.url` names and of the archive; none of stores that begin empty each time.

    Nothing is read or written before they are asked. Raises StoreConfigurationError as `open_store`.
    """
    urls = {"CLEW_STORAGE_URL": settings.url, "CLEW_ARCHIVE_URL": settings.archive_url}
    found = (_schema_at(url, variable, settings) for variable, url in urls.items() if url)
    return [schema for schema in found if schema is not None]


def _schema_at(url: str, variable: str, settings: StorageSettings) -> StoreSchema | None:
    if urlsplit(url).scheme == "duckdb" and url != TEMPORARY:
        from storage.duckdb.schema import DuckDBSchema

        return DuckDBSchema(_path_of(url, variable), int(settings.memory_limit_bytes))
    if urlsplit(url).scheme in _POSTGRESQL:
        from storage.postgresql.address import address_of
        from storage.postgresql.schema import PostgreSQLSchema

        return PostgreSQLSchema(address_of(url, variable))
    if urlsplit(url).scheme in CLICKHOUSE:
        from storage.clickhouse.schema import ClickHouseSchema

        return ClickHouseSchema(clickhouse_address_of(url, variable), _cluster(settings))
    _store_at(settings.model_copy(update={"url": url}), variable)
    return None


def open_archive(settings: StorageSettings) -> SpanStore | None:
    """The store that `settings.archive_url` names, as `open_store`; None when it is not set.

    Raises StoreConfigurationError also when it is the file or the database of `settings.url`.
    """
    if not settings.archive_url:
        return None
    if settings.archive_url.startswith("duckdb:") and _same_file(settings.archive_url, settings.url):
        raise StoreConfigurationError(
            f"CLEW_ARCHIVE_URL: expected another file than CLEW_STORAGE_URL's, got {settings.archive_url!r}"
        )
    if _same_database(settings.archive_url, settings.url):
        raise StoreConfigurationError("CLEW_ARCHIVE_URL: expected another database than CLEW_STORAGE_URL's")
    changes = {"url": settings.archive_url, "memory_limit_bytes": _ARCHIVE_MEMORY, "autocomplete_keys": ()}
    return _store_at(settings.model_copy(update=changes), "CLEW_ARCHIVE_URL")


def _store_at(settings: StorageSettings, variable: str) -> SpanStore:
    parts = urlsplit(settings.url)
    if parts.scheme == "memory" and not (parts.netloc or parts.path):
        return MemoryStore(settings.memory_max_spans, settings.autocomplete_keys, settings.memory_max_traces)
    if parts.scheme == "duckdb":
        from storage.duckdb.store import DuckDBStore
        from storage.duckdb.temporary import TemporaryDuckDBStore

        rest = (int(settings.memory_limit_bytes), int(settings.min_free_bytes), settings.autocomplete_keys)
        if settings.url == TEMPORARY:
            return TemporaryDuckDBStore(*rest)
        return DuckDBStore(_path_of(settings.url, variable), *rest)
    if parts.scheme in _POSTGRESQL:
        from storage.postgresql.address import address_of
        from storage.postgresql.store import PostgreSQLStore

        return PostgreSQLStore(
            address_of(settings.url, variable), settings.autocomplete_keys, tag_index=settings.postgresql_tag_index
        )
    if parts.scheme in CLICKHOUSE:
        from storage.clickhouse.store import ClickHouseStore

        address = clickhouse_address_of(settings.url, variable)
        return ClickHouseStore(address, settings.autocomplete_keys, _cluster(settings))
    # A URL with an @ has a password in it, as like as not.
    shown = f"one that begins with {parts.scheme!r}" if "@" in settings.url else repr(settings.url)
    raise StoreConfigurationError(
        f"{variable}: expected duckdb:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE, "
        f"clickhouse://USER:PASSWORD@HOST/DATABASE or memory:, got {shown}"
    )


def _cluster(settings: StorageSettings) -> Cluster | None:
    return Cluster(settings.clickhouse_cluster) if settings.clickhouse_cluster else None


def _same_file(url: str, other: str) -> bool:
    if TEMPORARY in (url, other) or not other.startswith("duckdb:"):
        return False
    return _path_of(url, "CLEW_ARCHIVE_URL").resolve() == _path_of(other, "CLEW_STORAGE_URL").resolve()


def _same_database(url: str, other: str) -> bool:
    schemes = {urlsplit(url).scheme, urlsplit(other).scheme}
    if schemes <= set(CLICKHOUSE):
        here, there = clickhouse_address_of(url, "CLEW_ARCHIVE_URL"), clickhouse_address_of(other, "CLEW_STORAGE_URL")
        return (here.host, here.database) == (there.host, there.database)
    if not schemes <= set(_POSTGRESQL):
        return False
    from storage.postgresql.address import address_of

    return address_of(url, "CLEW_ARCHIVE_URL").where == address_of(other, "CLEW_STORAGE_URL").where


def _path_of(url: str, variable: str) -> Path:
    """`duckdb:///./data/x` is relative, `duckdb:////var/x` absolute, as SQLAlchemy writes file URLs."""
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or parts.query or parts.fragment:
        raise StoreConfigurationError(f"{variable}: expected duckdb:///PATH, got {url!r}")
    return Path(path)
