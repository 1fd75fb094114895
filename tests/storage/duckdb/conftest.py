"""A store of one test's own, in a file of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.duckdb.store import DuckDBStore
from tests.servers.duckdb_files import empty_duckdb

MEMORY_LIMIT_BYTES = 256 * 2**20

StoreMaker = Callable[..., DuckDBStore]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clew.duckdb"


@pytest.fixture
def make_store(path: Path) -> StoreMaker:
    """`make_store()`: a store on `path`, not yet entered."""

    def make(*, min_free_bytes: int = 0, autocomplete_keys: tuple[str, ...] = ()) -> DuckDBStore:
        return DuckDBStore(path, MEMORY_LIMIT_BYTES, min_free_bytes, autocomplete_keys)

    return make


@pytest.fixture
def store(make_store: StoreMaker, path: Path) -> Iterator[DuckDBStore]:
    empty_duckdb(path)
    with make_store() as opened:
        yield opened
