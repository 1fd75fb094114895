"""From settings to a store: the one place that knows which stores there are."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from storage.contract import SpanStore
from storage.duckdb.store import DuckDBStore
from storage.duckdb.temporary import TemporaryDuckDBStore
from storage.errors import StoreConfigurationError
from storage.memory import MemoryStore
from storage.settings import TEMPORARY, StorageSettings


def open_store(settings: StorageSettings) -> SpanStore:
    """The store that `settings.url` names, not yet entered: nothing is read or written before that.

    Raises StoreConfigurationError for a URL that names no store.
    """
    parts = urlsplit(settings.url)
    if parts.scheme == "memory" and not (parts.netloc or parts.path):
        return MemoryStore(settings.memory_max_spans, settings.autocomplete_keys, settings.memory_max_traces)
    if parts.scheme == "duckdb":
        rest = (int(settings.memory_limit_bytes), int(settings.min_free_bytes), settings.autocomplete_keys)
        return TemporaryDuckDBStore(*rest) if settings.url == TEMPORARY else DuckDBStore(_path_of(settings.url), *rest)
    raise StoreConfigurationError(f"CLEW_STORAGE_URL: expected duckdb:///PATH or memory:, got {settings.url!r}")


def _path_of(url: str) -> Path:
    """`duckdb:///./data/x` is relative, `duckdb:////var/x` absolute, as SQLAlchemy writes file URLs."""
    parts = urlsplit(url)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path or parts.query or parts.fragment:
        raise StoreConfigurationError(f"CLEW_STORAGE_URL: expected duckdb:///PATH, got {url!r}")
    return Path(path)
