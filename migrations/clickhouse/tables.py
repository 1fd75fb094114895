"""How revisions define tables: on one server, or on every server of a cluster.

On one server a table is a MergeTree of that name. In a cluster each server has `<name>_local`, Replicated within its
shard, and `<name>`, the Distributed table over those of all shards; views feed the local tables of their own server.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import context, op

SETTINGS = (
    # Parts survive power loss once an insert or a merge has returned.
    "fsync_after_insert = 1",
    "fsync_part_directory = 1",
    "min_rows_to_fsync_after_merge = 1",
    # What an insert writes is one file to sync instead of 50 to 170: for 6000 spans 7 ms of syncing instead of 180.
    "min_bytes_for_full_part_storage = 134217728",
    "min_bytes_for_wide_part = 134217728",
    # So that what was merged away need not stay for the 8 minutes that ClickHouse gives the kernel to write.
    "old_parts_lifetime = 60",
    # A write that is tried again is known by its token for so many writes.
    "non_replicated_deduplication_window = 1000",
    "replicated_deduplication_window = 1000",
    # Absent names are NULL, and names are what the rows are sorted by.
    "allow_nullable_key = 1",
)
ONLY_REPLICATED = "replicated_"


@dataclass(frozen=True, slots=True)
class Deployment:
    """cluster: its name in the servers' configuration; None is one server.

    replicated: whether the servers have a Keeper, for ON CLUSTER and Replicated tables. Without, every server of the
    cluster is migrated by itself.
    """

    cluster: str | None = None
    replicated: bool = True

    @classmethod
    def of_context(cls) -> "Deployment":
        """What the caller of Alembic says."""
        return cls(**context.config.attributes.get("deployment", {}))

    @property
    def on_cluster(self) -> str:
        """To follow the name of what a statement defines."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster and self.replicated else ""

    def local(self, table: str) -> str:
        """The table that holds the rows of one server."""
        return f"{table}_local" if self.cluster else table


def create_table(name: str, columns: str, engine: str, layout: str, sharded_by: str = "rand()") -> None:
    """engine: MergeTree or one of its kin with its arguments. layout: PARTITION BY and ORDER BY."""
    for statement in table_statements(Deployment.of_context(), name, columns, engine, layout, sharded_by):
        op.execute(statement)


def create_view(name: str, into: str, select: str) -> None:
    """A view that puts what `select` makes of every block that is inserted into a table. `{spans}` is its source."""
    for statement in view_statements(Deployment.of_context(), name, into, select):
        op.execute(statement)


def drop(kind: str, names: Sequence[str]) -> None:
    """Drop tables or views that may be there. kind: TABLE or VIEW."""
    deployment = Deployment.of_context()
    for name in names:
        op.execute(f"DROP {kind} IF EXISTS {name}{deployment.on_cluster} SYNC")
        if kind == "TABLE" and deployment.cluster:
            op.execute(f"DROP TABLE IF EXISTS {deployment.local(name)}{deployment.on_cluster} SYNC")


def table_statements(
    deployment: Deployment, name: str, columns: str, engine: str, layout: str, sharded_by: str
) -> list[str]:
    """The DDL of `create_table`."""
    local, on_cluster = deployment.local(name), deployment.on_cluster
    settings = ", ".join(each for each in SETTINGS if on_cluster or not each.startswith(ONLY_REPLICATED))
    family, _, arguments = engine.rstrip(")").partition("(")
    if on_cluster:
        path = f"'/clickhouse/tables/{{shard}}/{{database}}/{local}', '{{replica}}'"
        family, arguments = f"Replicated{family}", f"{path}, {arguments}" if arguments else path
    statements = [
        f"CREATE TABLE IF NOT EXISTS {local}{on_cluster} ({columns})\n"
        f"ENGINE = {family}({arguments})\n{layout}\nSETTINGS {settings}"
    ]
    if deployment.cluster:
        statements.append(
            f"CREATE TABLE IF NOT EXISTS {name}{on_cluster} AS {local}\n"
            f"ENGINE = Distributed('{deployment.cluster}', currentDatabase(), '{local}', {sharded_by})"
        )
    return statements


def view_statements(deployment: Deployment, name: str, into: str, select: str) -> list[str]:
    """The DDL of `create_view`."""
    return [
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {name}{deployment.on_cluster} TO {deployment.local(into)} AS\n"
        f"{select.format(spans=deployment.local('spans'))}"
    ]
