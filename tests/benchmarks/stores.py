"""The stores that are measured side by side: embedded, or with a real server of the tests' launchers beside clew."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from storage.settings import StorageSettings
from tests.servers.clickhouse import ClickHouseServer
from tests.servers.postgresql import PostgreSQLServer

NAMES = ("duckdb", "postgresql", "clickhouse")
_POSTGRESQL = {
    "shared_buffers": "2GB",
    "max_wal_size": "4GB",
    "wal_compression": "lz4",
    "jit": "off",
    "autovacuum_naptime": "1min",
}
"""What a machine with 8 GB is given. fsync and synchronous_commit stay on: an acknowledged span is on disk."""


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class MeasuredStore:
    """A store of its own for one measurement. folder: where all its files are. pids: its server's process, if any.

    restart: ends the server and starts it again; for an embedded store nothing, as clew itself is that.
    """

    name: str
    url: str
    folder: Path
    pids: Callable[[], Sequence[int]] = tuple
    restart: Callable[[], None] = _nothing

    @property
    def settings(self) -> StorageSettings:
        """What opens it."""
        return StorageSettings.model_validate({"CLEW_STORAGE_URL": self.url})

    def files(self) -> Iterator[Path]:
        """Every file that holds a part of it. A server may remove one before it is looked at."""
        for folder, _, names in os.walk(self.folder):  # goes on where a folder was removed meanwhile
            yield from (Path(folder, name) for name in names if name != "clew.log")

    def disk_bytes(self) -> int:
        """What its files take, but for PostgreSQL's log, which is as large as it is allowed to be."""
        total = 0
        for path in self.files():
            if "pg_wal" in path.parts:
                continue
            try:
                total += path.stat().st_blocks * 512
            except FileNotFoundError:  # a server removed it between listing and looking
                continue
        return total


@contextmanager
def measured_store(name: str, directory: Path) -> Iterator[MeasuredStore]:
    """The store of that kind for a clew over this directory; its server runs until left. An embedded one stays there,
    what a server holds is gone then."""
    directory = directory.resolve()
    if name == "postgresql":
        with PostgreSQLServer(**_POSTGRESQL) as postgresql:

            def restart() -> None:
                postgresql.stop(SIGINT)
                postgresql.start()

            url = postgresql.new_database()
            yield MeasuredStore(name, url, postgresql.folder, lambda: [postgresql.process.pid], restart)
    elif name == "clickhouse":
        with ClickHouseServer(directory / "clickhouse") as clickhouse:

            def restart_clickhouse() -> None:
                clickhouse.kill()
                clickhouse.start()

            yield MeasuredStore(
                name, clickhouse.url(), directory / "clickhouse", lambda: [clickhouse.process.pid], restart_clickhouse
            )
    else:
        yield MeasuredStore(name, f"duckdb:///{directory}/clew.duckdb", directory)
