"""The schema of a store's file: Alembic's revisions, run on the store's own instance."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from storage.duckdb.instance import Instance
from storage.errors import DowngradeRefused, StoreConfigurationError
from storage.revisions import Revisions, SchemaState

_SCRIPTS = "migrations:duckdb"


def migrate(cursor: duckdb.DuckDBPyConnection, where: str) -> None:
    """Bring the file to the newest revision; nothing happens when it is there. `where` names the store in errors.

    Raises SchemaVersionError, with nothing changed, when the file's revision is not one of this clew's.
    """
    revisions = Revisions(_SCRIPTS, where)
    _changed(cursor, where, revisions.upgrade)


class DuckDBSchema:
    """A StoreSchema of the file at `path`, which is held by one process at a time: others get StoreUnavailable."""

    def __init__(self, path: Path, memory_limit_bytes: int) -> None:
        self._path = path
        self._memory_limit_bytes = memory_limit_bytes
        self._revisions = Revisions(_SCRIPTS, str(path))

    def state(self) -> SchemaState:
        """As StoreSchema.state."""
        if not self._path.exists():
            return self._revisions.state_of(None)
        return self._opened(self._state)

    def upgrade(self) -> SchemaState:
        """As StoreSchema.upgrade."""

        def upgraded(cursor: duckdb.DuckDBPyConnection) -> SchemaState:
            migrate(cursor, str(self._path))
            return self._state(cursor)

        return self._opened(upgraded)

    def downgrade(self, revision: str) -> SchemaState:
        """As StoreSchema.downgrade."""
        if not self._path.exists():
            raise DowngradeRefused(f"{self._path} does not exist, so there is nothing to bring back")

        def go_back(connection: sa.Connection) -> bool:
            self._revisions.downgrade(connection, revision)
            return True

        def downgraded(cursor: duckdb.DuckDBPyConnection) -> SchemaState:
            _changed(cursor, str(self._path), go_back)
            return self._state(cursor)

        return self._opened(downgraded)

    def _state(self, cursor: duckdb.DuckDBPyConnection) -> SchemaState:
        with _engine(cursor).connect() as connection:
            return self._revisions.state(connection)

    def _opened(self, work: Callable[[duckdb.DuckDBPyConnection], SchemaState]) -> SchemaState:
        instance = Instance(self._path, self._memory_limit_bytes)
        instance.open()
        try:
            with instance.cursor() as cursor:
                return work(cursor)
        finally:
            instance.close()


def _changed(cursor: duckdb.DuckDBPyConnection, where: str, change: Callable[[sa.Connection], bool]) -> None:
    """Run `change`, which says whether it changed anything, in one transaction."""
    try:
        with _engine(cursor).connect() as connection:
            if not change(connection):
                return
            connection.commit()
    except SQLAlchemyError as error:
        raise StoreConfigurationError(f"cannot set up the schema of {where}: {error}") from error
    # Log that defines tables is the kind whose replay has failed in DuckDB; so it does not stay in the log.
    cursor.execute("CHECKPOINT")


def _engine(cursor: duckdb.DuckDBPyConnection) -> sa.Engine:
    return sa.create_engine("duckdb://", creator=lambda: ConnectionWrapper(cursor), poolclass=StaticPool)
