"""One connection to the database, in the two forms that clew needs: rows by psycopg, Arrow by ADBC."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import psycopg
import pyarrow as pa
from adbc_driver_manager import dbapi

from storage.postgresql.address import Address

_SESSION = (
    # Compiling a plan pays for queries of seconds; of ours it made some ten times slower.
    "SET jit = off",
    "SET TIME ZONE 'UTC'",
    # The default is that of discs that turn: with it a rare span of one service was looked for among those of all.
    "SET random_page_cost = 1.1",
    # A statement asked often would be planned for any values: the newest of any service by a tag took 2 s, not 40 ms.
    "SET plan_cache_mode = force_custom_plan",
    # What is acknowledged is on disk, whatever the server's default is.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class _KeptDatabase(dbapi._SharedDatabase):
    """What ADBC knows of a database. Reading the catalogue of types takes 60 ms, so it outlives its connections."""

    def __init__(self, uri: str) -> None:
        self.kept = adbc_driver_postgresql.connect(uri)
        super().__init__(self.kept)


@lru_cache(maxsize=8)
def _adbc_database(uri: str) -> _KeptDatabase:
    return _KeptDatabase(uri)


class Rows:
    """A connection that gives rows; every statement commits by itself unless it runs inside `transaction`."""

    def __init__(self, address: Address) -> None:
        self._connection = psycopg.connect(address.uri, autocommit=True)
        for statement in _SESSION:
            self._connection.execute(statement)

    @property
    def version(self) -> int:
        """The server's, as 150018."""
        return self._connection.info.server_version

    @property
    def raw(self) -> psycopg.Connection[tuple[Any, ...]]:
        """psycopg's own, for SQLAlchemy to stand on."""
        return self._connection

    def fetch(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement. Its parameters are written %s or %(name)s."""
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def change(self, statement: str, values: Any = None) -> int:
        """Run one statement; how many rows it changed."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement.encode(), values)
            return cursor.rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is executed inside, all of it or, when an exception leaves, none."""
        with self._connection.transaction():
            yield

    def cancel(self) -> None:
        self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        self._connection.close()


class Arrows:
    """A connection that gives and takes Arrow tables, in a transaction that `commit` or `rollback` ends."""

    def __init__(self, address: Address) -> None:
        database = _adbc_database(address.uri)
        self._connection = dbapi.Connection(database, adbc.AdbcConnection(database.kept))
        try:
            for statement in _SESSION:
                self.execute(statement)
            self.commit()
        except BaseException:
            self.close()
            raise

    def execute(self, statement: str) -> None:
        """Run one statement whose rows nobody wants."""
        with self._connection.cursor() as cursor:
            # `cursor.execute` would make it the query of a COPY.
            cursor.adbc_statement.set_sql_query(statement)
            cursor.adbc_statement.execute_update()

    def fetch(self, statement: str) -> pa.Table:
        """The rows of one query. ADBC reads them by COPY, which takes no parameters: only numbers are written in."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def ingest(self, table: str, data: pa.Table, *, temporary: bool = False) -> None:
        """Append all rows by a binary COPY. Columns are found by name; each must have the very type of the table's."""
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, data, mode="append", temporary=temporary)

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def cancel(self) -> None:
        self._connection.adbc_cancel()

    def close(self) -> None:
        with suppress(adbc.Error):
            self._connection.close()
