"""The schema of a ClickHouse database: Alembic's revisions, which any number of processes may run at once.

ClickHouse has neither transactions over DDL nor locks. So the revisions are written to be run again over what is
there, after a failure half-way or by another process at the same time, and the table of the version merges equal rows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import clickhouse_connect.cc_sqlalchemy.alembic  # noqa: F401  # makes ClickHouse known to Alembic
import sqlalchemy as sa
from clickhouse_connect.dbapi.connection import Connection as DriverConnection
from clickhouse_connect.driver.exceptions import ClickHouseError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from storage.clickhouse.address import Address
from storage.clickhouse.cluster import Cluster, deployment_of
from storage.clickhouse.connection import Connection, explained
from storage.revisions import Revisions, SchemaState

_SCRIPTS = "migrations:clickhouse"
_VERSION_TABLE = "alembic_version"
_HAS_VERSION_TABLE = f"EXISTS TABLE {_VERSION_TABLE}"
_REVISION_SETTINGS: Mapping[str, Any] = {
    # A process that migrates at the same time may have written the same version.
    "final": 1,
    "mutations_sync": 2,
    # Each statement is done everywhere before the next one begins.
    "distributed_ddl_task_timeout": 300,
    "distributed_ddl_output_mode": "throw",
}


class ClickHouseSchema:
    """A StoreSchema of one database. In a cluster it is that of all servers, by way of the one at the address."""

    def __init__(self, address: Address, cluster: Cluster | None = None) -> None:
        self._address = address
        self._cluster = cluster
        self._revisions = Revisions(_SCRIPTS, address.where, deployment=deployment_of(cluster))

    def state(self) -> SchemaState:
        """As StoreSchema.state."""
        with self._connected() as connection:
            return self._state(connection)

    def upgrade(self) -> SchemaState:
        """As StoreSchema.upgrade; processes that do it at once all do it, which does no harm."""
        with self._connected() as connection:
            if self._state(connection).is_current:
                return self._state(connection)
            _make_version_table(connection, self._cluster)
            self._revisions.upgrade(connection)
            return self._state(connection)

    def downgrade(self, revision: str) -> SchemaState:
        """As StoreSchema.downgrade."""
        with self._connected() as connection:
            self._state(connection)
            self._revisions.downgrade(connection, revision)
            return self._state(connection)

    def _state(self, connection: sa.Connection) -> SchemaState:
        self._forget_older_versions(connection)
        return self._revisions.state(connection)

    def _forget_older_versions(self, connection: sa.Connection) -> None:
        """Of two versions the older one was to be deleted by a process that ended before it came to it."""
        if not connection.exec_driver_sql(_HAS_VERSION_TABLE).scalar():
            return
        held = set(connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalars())
        for older in self._revisions.older_of(held):
            connection.exec_driver_sql(f"ALTER TABLE {_VERSION_TABLE} DELETE WHERE version_num = '{older}'")

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        # By a connection of clew's own, for what it says when it cannot be had.
        Connection(self._address).probe()
        address = self._address
        engine = sa.create_engine(
            "clickhousedb://",
            creator=lambda: DriverConnection(
                host=address.host,
                port=address.port,
                username=address.user,
                password=address.password,
                database=address.database,
                secure=address.secure,
                interface="https" if address.secure else "http",
                autogenerate_session_id=False,
                **{f"ch_{name}": value for name, value in _REVISION_SETTINGS.items()},
            ),
            poolclass=StaticPool,
        )
        try:
            with engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, ClickHouseError) as error:
            raise explained(getattr(error, "orig", None) or error, address.where) from error
        finally:
            engine.dispose()


def _make_version_table(connection: sa.Connection, cluster: Cluster | None) -> None:
    on_cluster, engine = "", "ReplacingMergeTree"
    if cluster and cluster.replicated:
        on_cluster = f" ON CLUSTER '{cluster.name}'"
        # One table for all shards: the path says nothing of them.
        engine = (
            f"ReplicatedReplacingMergeTree('/clickhouse/tables/{{database}}/{_VERSION_TABLE}', '{{shard}}-{{replica}}')"
        )
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {_VERSION_TABLE}{on_cluster} (version_num String) "
        f"ENGINE = {engine} ORDER BY version_num"
    )
