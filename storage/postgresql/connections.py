"""Connections to one database: rows by psycopg, Arrow by ADBC; kept while idle, thrown away once anything failed.

A connection that was idle may have died with the server that it led to. So whoever finds his first statement without
an answer gets a new one, once; that is how clew finds its way back after the database was restarted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Lock, get_ident
from typing import Any, Protocol, TypeVar

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import psycopg
import pyarrow as pa
from adbc_driver_manager import dbapi
from psycopg import pq

from storage.errors import StorageError, StoreConfigurationError, StoreFull, StoreUnavailable
from storage.postgresql import sql
from storage.postgresql.address import EXPECTED, Address

MIN_VERSION = 14
_MAX_IDLE = 8
_DISK_FULL = "53100"
_SESSION = (
    # Compiling a plan pays for queries of seconds; of ours it made some ten times slower.
    "SET jit = off",
    "SET TIME ZONE 'UTC'",
    # The default is that of discs that turn: with it a rare span of one service was looked for among those of all.
    "SET random_page_cost = 1.1",
    # What is acknowledged is on disk, whatever the server's default is.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)

T = TypeVar("T")


class ConnectionLost(StoreUnavailable):
    """The connection broke under this call. What it had committed stays, and nothing else."""


class _Cancellable(Protocol):
    def cancel(self) -> None: ...
    def close(self) -> None: ...


C = TypeVar("C", bound=_Cancellable)


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


class _KeptDatabase(dbapi._SharedDatabase):
    """What ADBC knows of a database. Reading the catalogue of types takes 60 ms, so it outlives its connections."""

    def __init__(self, uri: str) -> None:
        self.kept = adbc_driver_postgresql.connect(uri)
        super().__init__(self.kept)


@lru_cache(maxsize=8)
def _adbc_database(uri: str) -> _KeptDatabase:
    return _KeptDatabase(uri)


class Connections:
    """All connections of one store. Constructing connects to nothing; `open` lets it, `close` ends it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = Lock()
        self._is_open = False
        self._rows: _Idle[Rows] = _Idle(lambda: Rows(address))
        self._arrows: _Idle[Arrows] = _Idle(lambda: Arrows(address))
        self._reading: dict[int, tuple[_Cancellable, list[bool]]] = {}

    def open(self) -> None:
        """Let the store be used, once the server was seen to be one that can be.

        Raises StoreUnavailable when no server answers, StoreConfigurationError when it refuses us or is too old.
        """
        try:
            rows = Rows(self.address)
        except psycopg.Error as error:
            raise self._why_not_connected(error) from error
        version, (encoding,) = rows.version, rows.fetch("SHOW server_encoding")[0]
        self._rows.give_back(rows)
        self._is_open = True
        if version < MIN_VERSION * 10_000 or encoding != "UTF8":
            self.close()
            raise StoreConfigurationError(
                f"{self.address.where}: expected PostgreSQL {MIN_VERSION} or newer and a database in UTF8, "
                f"got version {version // 10_000} and {encoding}"
            )

    def close(self) -> None:
        """End all idle connections; those in use end when they are given back."""
        self._is_open = False
        self._forget_idle()

    @contextmanager
    def rows(self, *, fresh: bool = False) -> Iterator[Rows]:
        """A connection for rows, for one thread. What the driver raises inside comes out as StoreUnavailable."""
        with self._taken(self._rows, fresh) as connection:
            yield connection

    @contextmanager
    def arrows(self, *, fresh: bool = False) -> Iterator[Arrows]:
        """A connection for Arrow, as `rows`; a transaction that is still open at the end is rolled back."""
        with self._taken(self._arrows, fresh) as connection:
            yield connection
            connection.rollback()

    def read(self, work: Callable[[Rows], T], may_repeat: Callable[[], bool] = lambda: True) -> T:
        """`work(connection)`, which `interrupt` can end; once more on a new connection when the first one was dead.

        may_repeat: whether that may be, asked when it is to.
        """
        return self._twice(lambda fresh: self._read(self._rows, work, fresh), may_repeat)

    def read_arrow(self, work: Callable[[Arrows], T]) -> T:
        """As `read`, in one transaction that sees one moment and is rolled back."""

        def of_one_moment(connection: Arrows) -> T:
            connection.execute(sql.OF_ONE_MOMENT)
            found = work(connection)
            connection.rollback()
            return found

        return self._twice(lambda fresh: self._read(self._arrows, of_one_moment, fresh), lambda: True)

    def interrupt(self, thread_id: int) -> None:
        """Cancel the statement that this thread's read runs; its connection serves nobody else afterwards."""
        with self._lock:
            reading = self._reading.get(thread_id)
            if reading is not None:
                connection, spoilt = reading
                spoilt[0] = True
                with suppress(psycopg.Error, adbc.Error):
                    connection.cancel()

    def _twice(self, attempt: Callable[[bool], T], may_repeat: Callable[[], bool]) -> T:
        try:
            return attempt(False)
        except ConnectionLost:
            if not may_repeat():
                raise
            return attempt(True)

    def _read(self, idle: "_Idle[C]", work: Callable[[C], T], fresh: bool) -> T:
        thread_id = get_ident()
        spoilt = [False]
        with self._taken(idle, fresh, spoilt) as connection:
            with self._lock:
                self._reading[thread_id] = (connection, spoilt)
            try:
                return work(connection)
            finally:
                with self._lock:
                    del self._reading[thread_id]

    @contextmanager
    def _taken(self, idle: "_Idle[C]", fresh: bool, spoilt: Sequence[bool] = (False,)) -> Iterator[C]:
        if not self._is_open:
            raise StorageError(f"the store {self.address.where} is not open")
        try:
            connection = idle.new() if fresh else idle.take()
        except (psycopg.Error, adbc.Error) as error:
            raise StoreUnavailable(f"cannot connect to {self.address.where}: {_text(error)}") from error
        good = False
        try:
            yield connection
            good = not spoilt[0]
        except (psycopg.Error, adbc.Error) as error:
            explained = self.explained(error)
            if isinstance(explained, ConnectionLost):
                self._forget_idle()
            raise explained from error
        finally:
            if good and self._is_open:
                idle.give_back(connection)
            else:
                connection.close()

    def _forget_idle(self) -> None:
        for idle in (self._rows, self._arrows):
            idle.clear()

    def explained(self, error: psycopg.Error | adbc.Error) -> StoreUnavailable:
        """The store's own exception for a driver's."""
        state = error.sqlstate
        message = f"{self.address.where} failed: {_text(error)}"
        if state == _DISK_FULL:
            return StoreFull(message)
        # Class 57P: the server ends our session; 08: the connection; without a state there was no answer at all.
        if not state or state.startswith(("57P", "08")):
            return ConnectionLost(message)
        return StoreUnavailable(message)

    def _why_not_connected(self, error: psycopg.Error) -> StorageError:
        message = f"cannot connect to {self.address.where}: {_text(error)}"
        if pq.PGconn.ping(self.address.uri.encode()) == pq.Ping.OK:
            # A server is there, takes connections, and will not have this one: it will not later, either.
            return StoreConfigurationError(f"{message}; expected user, password and database as in {EXPECTED}")
        return StoreUnavailable(message)


class _Idle(list[C]):
    """Connections of one kind that nobody uses."""

    def __init__(self, connect: Callable[[], C]) -> None:
        super().__init__()
        self.new = connect
        self._lock = Lock()

    def take(self) -> C:
        """The one used last, or a new one."""
        with self._lock:
            if self:
                return self.pop()
        return self.new()

    def give_back(self, connection: C) -> None:
        with self._lock:
            if len(self) < _MAX_IDLE:
                self.append(connection)
                return
        connection.close()

    def clear(self) -> None:
        with self._lock:
            while self:
                self.pop().close()


def _text(error: Exception) -> str:
    return " ".join(str(error).split())
