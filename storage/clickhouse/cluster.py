"""How the store is spread: on one server, or over the shards and replicas of a cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that the servers' configuration names. See `migrations.clickhouse.tables` for what it changes.

    replicated: whether they have a Keeper, as every cluster with replicas has. Without, each server is migrated apart,
    and drops its own partitions.
    """

    name: str
    replicated: bool = True


def deployment_of(cluster: Cluster | None) -> dict[str, object]:
    """As the revisions read it."""
    return {} if cluster is None else {"cluster": cluster.name, "replicated": cluster.replicated}
