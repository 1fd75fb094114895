"""Empty stores on the ClickHouse server of this test session, one for each folder that asks.

The server is started when the first test wants it and ends with the session. A database that a test has left is
emptied for the next one, which takes a fraction of the time of making one.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from uuid import uuid4

from tests.servers.clickhouse import ClickHouseServer

_MEMORY = Path("/dev/shm")
"""Syncing to it costs nothing: what is tested here is what clew says, not the disk."""
_MIN_FREE_BYTES = 2**30
_FILLED = """
SELECT DISTINCT table FROM system.parts WHERE active AND database = '{database}' AND table <> 'alembic_version'
"""


@cache
def clickhouse_server() -> ClickHouseServer:
    """The server of this session, with its data in a folder that goes with it."""
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MIN_FREE_BYTES
    folder = Path(tempfile.mkdtemp(prefix="clew-clickhouse-", dir=_MEMORY if in_memory else None))
    server = ClickHouseServer(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server.start()
    atexit.register(server.kill)
    return server


class ClickHouseDatabases:
    """Databases for folders: the same folder gets the same one, until it is given back."""

    def __init__(self) -> None:
        self._used: dict[Path, str] = {}
        self._left: list[str] = []

    def url(self, folder: Path, *, new: bool = False) -> str:
        """The URL of the folder's database, which is empty when it asks for the first time.

        new: a database that never had a table, either.
        """
        if folder not in self._used:
            self._used[folder] = self._left.pop() if self._left and not new else self._new()
        return clickhouse_server().url(self._used[folder])

    def give_back(self, folder: Path) -> None:
        """The folder's database, if it has one, is emptied; nobody uses it any more."""
        database = self._used.pop(folder, None)
        if database is None:
            return
        server = clickhouse_server()
        for table in server.execute(_FILLED.format(database=database)).split():
            server.execute(f"TRUNCATE TABLE {database}.{table}")
        self._left.append(database)

    def forget(self, folder: Path) -> None:
        """The folder's database is dropped: its tables are not what a store makes of an empty one."""
        clickhouse_server().execute(f"DROP DATABASE {self._used.pop(folder)} SYNC")

    def _new(self) -> str:
        name = f"clew_{uuid4().hex}"
        clickhouse_server().execute(f"CREATE DATABASE {name}")
        return name


CLICKHOUSE_DATABASES = ClickHouseDatabases()
