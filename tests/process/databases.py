"""The databases that several processes of clew share, each a real server that a test may stop and start again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.servers.clickhouse import ClickHouseServer
from tests.servers.postgresql import PostgreSQLServer

NAMES = ("postgresql", "clickhouse")


class Database(Protocol):
    """A running server with one empty database. url: what clew is told."""

    url: str

    def stop(self) -> None:
        """End it as an operator would."""
        ...

    def kill(self) -> None:
        """End it as a power cut would, but for what the kernel still holds."""
        ...

    def start(self) -> None:
        """Start it again and wait until it answers."""
        ...


class _PostgreSQL:
    def __init__(self, server: PostgreSQLServer) -> None:
        self._server = server
        self.url = server.new_database()

    def stop(self) -> None:
        self._server.stop(signal.SIGINT)

    def kill(self) -> None:
        self._server.kill()

    def start(self) -> None:
        self._server.start()


class _ClickHouse:
    def __init__(self, server: ClickHouseServer) -> None:
        self._server = server
        self.url = server.url("default")

    def stop(self) -> None:
        self._server.kill()  # the listener of the wheel ends with its one statement, however it is asked

    def kill(self) -> None:
        self._server.kill()

    def start(self) -> None:
        self._server.start()


@contextmanager
def running_database(name: str, directory: Path) -> Iterator[Database]:
    """A server of that kind for one test or module; removed with all it holds when left."""
    if name == "postgresql":
        with PostgreSQLServer() as postgresql:
            yield _PostgreSQL(postgresql)
    else:
        with ClickHouseServer(directory) as clickhouse:
            yield _ClickHouse(clickhouse)
