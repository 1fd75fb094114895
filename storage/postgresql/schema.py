"""The schema of a database: Alembic's revisions, run by one process at a time whoever else starts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from storage.errors import StoreConfigurationError, StoreFull
from storage.postgresql import segments
from storage.postgresql.address import Address
from storage.postgresql.connections import ConnectionLost, Connections
from storage.postgresql.session import Rows
from storage.revisions import Revisions, SchemaState

_SCRIPTS = "migrations:postgresql"
_LOCK = 0x636C6577
"""Of all who change a schema ("clew")."""


def migrate(connections: Connections, *, tag_index: bool = False) -> None:
    """Bring the database to the newest revision; nothing happens when it is there. tag_index: with an index on tags.

    Raises SchemaVersionError, with nothing changed, when the database's revision is not one of this clew's.
    """
    revisions = Revisions(_SCRIPTS, connections.address.where)
    with connections.rows() as rows:
        _changed(connections, rows, revisions.upgrade)
        segments.make_first(rows)
        if tag_index:
            segments.index_tags(rows)


class PostgreSQLSchema:
    """A StoreSchema of the database at an address."""

    def __init__(self, address: Address) -> None:
        self._connections = Connections(address)
        self._revisions = Revisions(_SCRIPTS, address.where)

    def state(self) -> SchemaState:
        """As StoreSchema.state."""
        with self._opened() as rows:
            return self._state(rows)

    def upgrade(self) -> SchemaState:
        """As StoreSchema.upgrade."""
        with self._opened() as rows:
            _changed(self._connections, rows, self._revisions.upgrade)
            return self._state(rows)

    def downgrade(self, revision: str) -> SchemaState:
        """As StoreSchema.downgrade."""

        with self._opened() as rows:
            _changed(self._connections, rows, lambda connection: self._revisions.downgrade(connection, revision))
            return self._state(rows)

    def _state(self, rows: Rows) -> SchemaState:
        with _in_transaction(rows) as connection:
            return self._revisions.state(connection)

    @contextmanager
    def _opened(self) -> Iterator[Rows]:
        self._connections.open()
        try:
            with self._connections.rows() as rows:
                yield rows
        finally:
            self._connections.close()


def _changed(connections: Connections, rows: Rows, change: Callable[[sa.Connection], bool | None]) -> None:
    """Run `change` in one transaction, while no other process changes the schema."""
    try:
        with _in_transaction(rows) as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            change(connection)
            connection.commit()
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(cause, psycopg.Error):
            explained = connections.explained(cause)
            if isinstance(explained, ConnectionLost | StoreFull):
                raise explained from error
        where = connections.address.where
        raise StoreConfigurationError(f"cannot set up the schema of {where}: {error}") from error


@contextmanager
def _in_transaction(rows: Rows) -> Iterator[sa.Connection]:
    rows.raw.autocommit = False
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: rows.raw, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if not rows.raw.closed:
            rows.raw.rollback()
            rows.raw.autocommit = True
