"""One ClickHouse server over HTTP: statements, Arrow in and out, errors in clew's terms, and the end of a long read.

The client keeps no state on the server, so threads share it, and a restarted server is found again by the next call.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import Any
from uuid import uuid4

import clickhouse_connect
import pyarrow as pa
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from clickhouse_connect.driver.httputil import get_pool_manager

from storage.clickhouse.address import EXPECTED, Address
from storage.errors import StorageError, StoreConfigurationError, StoreFull, StoreUnavailable

MIN_VERSION = (25, 8)
"""The oldest release that is supported; clew's own tests run on 26.9."""
CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 300
"""How long to wait for bytes of an answer before its server counts as gone."""

_MAX_CONNECTIONS = 32
_REFUSED = {
    81: "there is no such database",
    192: "the user is not known there",
    193: "the password is wrong",
    516: "the user or the password is wrong",
    497: "the user lacks a right that clew needs",
}
"""Server errors (src/Common/ErrorCodes.cpp) that no waiting cures."""
_NO_ROOM = {243, 74, 75}
"""NOT_ENOUGH_SPACE, and that a file could not be read or written, which is what a full disk says first."""

_SETTINGS = {
    # In a cluster: traces and their buckets are on the same shard.
    "distributed_product_mode": "local",
    # Thousands of trace ids are written into the texts of some queries.
    "max_query_size": 64 * 2**20,
}

Values = Mapping[str, Any]


class Connection:
    """A ClickHouse server and one database of it. Constructing connects to nothing; `open` does, `close` ends it."""

    def __init__(self, address: Address) -> None:
        self.where = address.where
        self._address = address
        self._client: Client | None = None
        self._running: dict[int, str] = {}

    def open(self) -> None:
        """Connect. StoreUnavailable: nobody answers. StoreConfigurationError: we are refused, or it is too old."""
        client = self._connected()
        version = str(client.server_version)
        if tuple(int(part) for part in version.split(".")[:2]) < MIN_VERSION:
            client.close()
            wanted = ".".join(map(str, MIN_VERSION))
            raise StoreConfigurationError(f"{self.where}: expected ClickHouse {wanted} or newer, got {version}")
        self._client = client

    def close(self) -> None:
        """End the idle connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def client(self) -> Client:
        """The driver's client. StorageError when the connection is not open."""
        if self._client is None:
            raise StorageError(f"the store {self.where} is not open")
        return self._client

    def execute(self, statement: str, values: Values | None = None, settings: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives nothing."""
        with self._asking() as query_id:
            settings = {**(settings or {}), "query_id": query_id}
            self.client.command(statement, parameters=dict(values or {}), settings=settings)

    def rows(self, statement: str, values: Values | None = None) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT as plain values. Parameters are written {name:Type}, or %(name)s."""
        with self._asking() as query_id:
            answer = self.client.query(statement, parameters=dict(values or {}), settings={"query_id": query_id})
            return answer.result_rows

    def table(self, statement: str, values: Values | None = None) -> pa.Table:
        """The rows of a SELECT as an Arrow table."""
        # Otherwise what fails half-way would be a broken stream instead of an error.
        settings = {"wait_end_of_query": 1}
        with self._asking() as query_id:
            return self.client.query_arrow(
                statement, parameters=dict(values or {}), settings={**settings, "query_id": query_id}, use_strings=True
            )

    def insert(self, table: str, rows: pa.Table, settings: Mapping[str, Any]) -> None:
        """Insert the rows as one block, columns by name."""
        with self._asking():
            self.client.insert_arrow(table, rows, settings=dict(settings))

    def interrupt(self, thread_id: int) -> None:
        """End the statement that this thread waits for, if it waits for one."""
        query_id = self._running.get(thread_id)
        if query_id is not None:
            # What cannot be ended ends by itself; whoever asks for this has his own call to fail.
            with suppress(StoreUnavailable), self._wrapped():
                self.client.command("KILL QUERY WHERE query_id = {id:String} ASYNC", parameters={"id": query_id})

    @contextmanager
    def _asking(self) -> Iterator[str]:
        """The id of a statement that `interrupt` can end. What the driver raises inside comes out in clew's terms."""
        thread_id, query_id = get_ident(), f"clew-{uuid4()}"
        self._running[thread_id] = query_id
        try:
            with self._wrapped():
                yield query_id
        finally:
            self._running.pop(thread_id, None)

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except ClickHouseError as error:
            raise explained(error, self.where) from error
        except (urllib3.exceptions.HTTPError, OSError, pa.ArrowInvalid) as error:
            raise StoreUnavailable(f"{self.where} broke off: {error}") from error

    def _connected(self) -> Client:
        address = self._address
        with self._wrapped():
            return clickhouse_connect.get_client(
                host=address.host,
                port=address.port,
                username=address.user,
                password=address.password,
                database=address.database,
                secure=address.secure,
                interface="https" if address.secure else "http",
                compress="lz4",
                connect_timeout=CONNECT_TIMEOUT_S,
                send_receive_timeout=ANSWER_TIMEOUT_S,
                autogenerate_session_id=False,
                # Not form_encode_query_params: a field of a form is refused beyond 128 KiB, and so would be long texts.
                query_limit=0,
                settings=_SETTINGS,
                pool_mgr=get_pool_manager(maxsize=_MAX_CONNECTIONS, num_pools=1),
            )


def explained(error: BaseException, where: str) -> StorageError:
    """The driver's error in clew's terms."""
    code = error.code if isinstance(error, Error) else None
    text = str(error).partition("\n")[0]
    if code in _REFUSED:
        return StoreConfigurationError(f"{where}: {_REFUSED[code]}; expected {EXPECTED}")
    if code in _NO_ROOM:
        return StoreFull(f"{where} has no room: {text}")
    return StoreUnavailable(f"{where} failed: {text}")
