"""Dropping the oldest spans: exactly, by a mark that every read looks past, and from the disk, by whole partitions.

A DELETE in ClickHouse rewrites what stays. So retention moves the marks of `dropped`, and drops a partition (the spans
received in three hours) once all of it lies before them. Any process may do so at any time; the marks only grow.
"""

from collections.abc import Sequence

from storage.clickhouse import sql
from storage.clickhouse.cluster import Cluster
from storage.clickhouse.connection import Connection
from storage.requests import RetentionPolicy

_PARTITIONED = ("spans", "trace_buckets", "summed_buckets", "link_sums", "graph_sums")
_SEEN = ("names", "resources")
_LOW_WATER = 0.9


class Retention:
    """Applies a RetentionPolicy to one store."""

    def __init__(self, connection: Connection, cluster: Cluster | None) -> None:
        self._connection = connection
        self._parts = "system.parts"
        self._suffix, self._on_cluster = "", ""
        if cluster:
            self._parts = f"clusterAllReplicas('{cluster.name}', system.parts)"
            self._suffix = "_local"
            self._on_cluster = f" ON CLUSTER '{cluster.name}'" if cluster.replicated else ""

    def apply(self, policy: RetentionPolicy, now_ns: int) -> int:
        """Drop what the policy lets go; how many spans that was."""
        dropped = 0
        if policy.max_age_ns is not None:
            dropped += self._drop_received_before(now_ns - policy.max_age_ns)
            self._drop_partitions()
        if policy.max_bytes is not None:
            dropped += self._drop_beyond(policy.max_bytes)
        return dropped

    def used_bytes(self) -> int:
        """What the parts in use take on disk, of all replicas; not what was merged away in the last minute."""
        statement = f"""
            SELECT sum(bytes_on_disk) FROM {self._parts} WHERE active AND database = currentDatabase()
        """
        return int(self._connection.rows(statement)[0][0])

    def _drop_received_before(self, end_ns: int) -> int:
        received_ns, _ = self._marks()
        if end_ns <= received_ns:
            return 0
        gone = self._connection.rows(sql.RECEIVED_BETWEEN, {"first_ns": received_ns, "end_ns": end_ns})[0][0]
        if gone or end_ns % sql.PARTITION_NS == 0:
            self._set_marks(end_ns, 0)
        return int(gone)

    def _drop_partitions(self) -> None:
        """Give back the room of the partitions of which nothing is held, and forget the names that went with them."""
        received_ns, written = self._marks()
        gone = [number for number in self._partitions() if (number + 1) * sql.PARTITION_NS <= received_ns]
        for number in gone:
            for table in _PARTITIONED:
                self._alter(table, f"DROP PARTITION {number}")
        if gone:
            for table in _SEEN:
                self._alter(table, f"DELETE WHERE last_received_ns < {received_ns} OR last_written < {written}")

    def _drop_beyond(self, max_bytes: int) -> int:
        """Drop the oldest partitions, and of a last one that is too large by itself the spans written first."""
        dropped = 0
        for number in self._partitions()[:-1]:
            if self.used_bytes() <= max_bytes:
                return dropped
            dropped += self._drop_received_before((number + 1) * sql.PARTITION_NS)
            self._drop_partitions()
        used = self.used_bytes()
        return dropped + (self._drop_first_written(1 - max_bytes * _LOW_WATER / used) if used > max_bytes else 0)

    def _drop_first_written(self, share: float) -> int:
        """Delete this share of all spans, those written first. It rewrites the others: for small stores only."""
        ((spans, end),) = self._connection.rows(
            "SELECT count() * {share:Float64}, quantileExact({share:Float64})(written) FROM spans", {"share": share}
        )
        if spans < 1:
            return 0
        ((gone,),) = self._connection.rows(
            f"SELECT count() FROM spans WHERE written < {{end:Int64}} AND {sql.HELD}", {"end": int(end)}
        )
        self._set_marks(0, int(end))
        self._alter("spans", f"DELETE WHERE written < {int(end)}")
        return int(gone)

    def _partitions(self) -> Sequence[int]:
        """The numbers of the partitions of spans, oldest first."""
        statement = f"""
            SELECT DISTINCT toInt64(partition) AS number FROM {self._parts}
            WHERE active AND database = currentDatabase() AND table = 'spans{self._suffix}' ORDER BY number
        """
        return [number for (number,) in self._connection.rows(statement)]

    def _marks(self) -> tuple[int, int]:
        received_ns, written = self._connection.rows(sql.DROPPED)[0]
        return int(received_ns), int(written)

    def _set_marks(self, received_ns: int, written: int) -> None:
        marks = {"received_ns": received_ns, "written": written}
        self._connection.execute(sql.DROP_BEFORE, marks, {"distributed_foreground_insert": 1})

    def _alter(self, table: str, change: str) -> None:
        self._connection.execute(
            f"ALTER TABLE {table}{self._suffix}{self._on_cluster} {change}", settings={"mutations_sync": 1}
        )
