"""An empty database a test, on the session's server, and stores over it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.postgresql.address import address_of
from storage.postgresql.store import PostgreSQLStore
from tests.servers.stores import POSTGRESQL_DATABASES

KEYS = ("http.host",)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield POSTGRESQL_DATABASES.url(tmp_path)
    POSTGRESQL_DATABASES.give_back(tmp_path)


def a_store(url: str) -> PostgreSQLStore:
    return PostgreSQLStore(address_of(url, "CLEW_STORAGE_URL"), KEYS)


@pytest.fixture
def store(url: str) -> Iterator[PostgreSQLStore]:
    with a_store(url) as opened:
        yield opened


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    """A look behind the store's back."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
