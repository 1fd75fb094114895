"""Empty stores on the servers of this test session, one for each folder that asks.

A server is started when the first test wants it and ends with the session. A database that a test has left is emptied
for the next one, which takes a tenth of the time of making one.
"""

import atexit
from functools import cache
from pathlib import Path

import psycopg

from tests.servers.postgresql import PostgreSQLServer

_EMPTY = """
DO $$
DECLARE each regclass;
BEGIN
    FOR each IN SELECT oid FROM pg_class WHERE relname ~ '^spans_\\d+$' AND relkind = 'r'
        AND (relname <> 'spans_1' OR relhastriggers) LOOP
        EXECUTE format('DROP TABLE %s', each);
    END LOOP;
END $$;
TRUNCATE spans;
DELETE FROM commits; DELETE FROM texts; DELETE FROM new_names; DELETE FROM span_names; DELETE FROM tag_keys;
DELETE FROM tag_values; DELETE FROM link_sums; DELETE FROM edge_sums; DELETE FROM edges; DELETE FROM call_sums;
DELETE FROM call_operations; DELETE FROM set_aside; DELETE FROM segments; DELETE FROM upkeep;
INSERT INTO segments SELECT 1, now(), 0 FROM pg_class WHERE relname = 'spans_1';
INSERT INTO upkeep VALUES (-9223372036854775808, 0, 0);
ALTER SEQUENCE spans_written RESTART;
"""


@cache
def postgresql_server() -> PostgreSQLServer:
    """The server of this session. It forgets at power loss, and asks for no password, which saves time."""
    server = PostgreSQLServer(auth="trust", fsync="off", full_page_writes="off")
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


class PostgreSQLDatabases:
    """Databases for folders: the same folder gets the same one, until it is given back."""

    def __init__(self) -> None:
        self._used: dict[Path, str] = {}
        self._left: list[str] = []

    def url(self, folder: Path) -> str:
        """The URL of the folder's database, which is empty when it asks for the first time."""
        if folder not in self._used:
            self._used[folder] = self._left.pop() if self._left else postgresql_server().new_database()
        return self._used[folder]

    def give_back(self, folder: Path) -> None:
        """The folder's database, if it has one, is emptied; nobody uses it any more."""
        url = self._used.pop(folder, None)
        if url is None:
            return
        with psycopg.connect(url) as connection:
            made = connection.execute("SELECT to_regclass('spans')").fetchone()
            if made != (None,):
                connection.execute(_EMPTY)
        self._left.append(url)


POSTGRESQL_DATABASES = PostgreSQLDatabases()
