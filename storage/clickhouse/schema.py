"""The schema of a ClickHouse database: Alembic's revisions, which any number of processes may run at once.

ClickHouse has neither transactions over DDL nor locks. So the revisions are written to be run again over what is
there, after a failure half-way or by another process at the same time, and the table of the version merges equal rows.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import clickhouse_connect.cc_sqlalchemy.alembic  # noqa: F401  # makes ClickHouse known to Alembic
import sqlalchemy as sa
from alembic.util import CommandError
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
_SETTINGS: Mapping[str, Any] = {
    # A process that migrates at the same time may have written the same version.
    "final": 1,
    "mutations_sync": 2,
    # Each statement is done everywhere before the next one begins.
    "distributed_ddl_task_timeout": 300,
    "distributed_ddl_output_mode": "throw",
}
_ATTEMPTS = 20
_ATTEMPT_INTERVAL_S = 0.5
"""Longer than another process takes from a version to the next, ten seconds in all."""


class ClickHouseSchema:
    """A StoreSchema of one database. In a cluster it is that of all servers, by way of the one at the address."""

    def __init__(self, address: Address, cluster: Cluster | None = None) -> None:
        self._address = address
        self._cluster = cluster
        self._revisions = Revisions(_SCRIPTS, address.where, deployment=deployment_of(cluster))

    def state(self) -> SchemaState:
        """As StoreSchema.state."""
        with self._asking() as connection:
            return self.state_by(connection)

    def upgrade(self) -> SchemaState:
        """As StoreSchema.upgrade; processes that do it at once all do it, which does no harm."""
        with self._asking() as connection:
            return self.upgrade_by(connection)

    def downgrade(self, revision: str) -> SchemaState:
        """As StoreSchema.downgrade."""
        with self._asking() as connection:
            self._forget_older_versions(connection)
            with self._changing() as changing:
                self._revisions.downgrade(changing, revision)
            return self.state_by(connection)

    def state_by(self, connection: Connection) -> SchemaState:
        """`state` by a connection that is open."""
        versions = _versions(connection)
        held = sorted(set(versions).difference(self._revisions.older_of(versions)))
        return self._revisions.state_of(", ".join(held) or None)

    def upgrade_by(self, connection: Connection) -> SchemaState:
        """`upgrade` by a connection that is open."""
        for attempt in range(1, _ATTEMPTS + 1):
            if self.state_by(connection).is_current:
                break
            _make_version_table(connection, self._cluster)
            self._forget_older_versions(connection)
            try:
                with self._changing() as changing:
                    self._revisions.upgrade(changing)
            except CommandError:
                # Alembic reads the versions once more, and another process may have written its own meanwhile.
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_ATTEMPT_INTERVAL_S)
        return self.state_by(connection)

    def _forget_older_versions(self, connection: Connection) -> None:
        """Of two versions the older one was to be deleted by a process that ended before it came to it."""
        for older in self._revisions.older_of(_versions(connection)):
            connection.execute(f"ALTER TABLE {_VERSION_TABLE} DELETE WHERE version_num = '{older}'", settings=_SETTINGS)

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        connection = Connection(self._address)
        connection.open()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
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
                **{f"ch_{name}": value for name, value in _SETTINGS.items()},
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


def _versions(connection: Connection) -> list[str]:
    if not connection.rows(f"EXISTS TABLE {_VERSION_TABLE}")[0][0]:
        return []
    return [version for (version,) in connection.rows(f"SELECT DISTINCT version_num FROM {_VERSION_TABLE}")]


def _make_version_table(connection: Connection, cluster: Cluster | None) -> None:
    on_cluster, engine = "", "ReplacingMergeTree"
    if cluster and cluster.replicated:
        on_cluster = f" ON CLUSTER '{cluster.name}'"
        # One table for all shards: the path says nothing of them.
        path = f"/clickhouse/tables/{{database}}/{_VERSION_TABLE}"
        engine = f"ReplicatedReplacingMergeTree('{path}', '{{shard}}-{{replica}}')"
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {_VERSION_TABLE}{on_cluster} (version_num String) "
        f"ENGINE = {engine} ORDER BY version_num",
        settings=_SETTINGS,
    )
