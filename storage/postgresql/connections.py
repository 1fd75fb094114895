"""All connections to one database: kept while idle, thrown away once anything failed.

A connection that was idle may have died with the server that it led to. So whoever finds his first statement without
an answer gets a new one, once; that is how clew finds its way back after the database was restarted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock, get_ident
from typing import Protocol, TypeVar

import adbc_driver_manager as adbc
import psycopg
from psycopg import pq

from storage.errors import StorageError, StoreConfigurationError, StoreFull, StoreUnavailable
from storage.postgresql import sql
from storage.postgresql.address import EXPECTED, Address
from storage.postgresql.session import Arrows, Rows

MIN_VERSION = 14
_MAX_IDLE = 8
_DISK_FULL = "53100"

T = TypeVar("T")


class ConnectionLost(StoreUnavailable):
    """The connection broke under this call. What it had committed stays, and nothing else."""


class _Cancellable(Protocol):
    def cancel(self) -> None: ...
    def close(self) -> None: ...


C = TypeVar("C", bound=_Cancellable)


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
