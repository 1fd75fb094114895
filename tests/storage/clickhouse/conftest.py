"""A database of its own for each test, on the session's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.clickhouse.address import Address, address_of
from storage.clickhouse.store import ClickHouseStore
from tests.servers.clickhouse_databases import CLICKHOUSE_DATABASES


@pytest.fixture
def address(tmp_path: Path) -> Iterator[Address]:
    """A database whose tables the test may break."""
    yield address_of(CLICKHOUSE_DATABASES.url(tmp_path), "TEST")
    CLICKHOUSE_DATABASES.forget(tmp_path)


@pytest.fixture
def store(address: Address) -> Iterator[ClickHouseStore]:
    with ClickHouseStore(address, ()) as opened:
        yield opened
