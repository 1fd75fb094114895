"""The write path: one Arrow block a batch, which ClickHouse stores whole or not at all, and syncs before it answers.

Nobody knows whether a write that broke off was stored. So each has a token, under which ClickHouse stores only one
block; a batch that is written again after a failure keeps its token.
"""

import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import numpy as np
import pyarrow as pa

from storage.batch import SpanBatch
from storage.clickhouse import sql
from storage.clickhouse.cluster import Cluster
from storage.clickhouse.connection import Connection

WRITE_TIMEOUT_S = 60
_SETTINGS: Mapping[str, object] = {
    # The view's blocks have tokens of their own: what a broken write did not come to is made up for by the next.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "async_insert": 0,
    # The block is neither cut nor joined with another on its way to the disk.
    "max_insert_block_size": 2**31,
    "min_insert_block_size_rows": 0,
    "min_insert_block_size_bytes": 0,
    "max_execution_time": WRITE_TIMEOUT_S,
}
_CLUSTER_SETTINGS: Mapping[str, object] = {
    # Every shard has its part before the answer comes, and the majority of its replicas do.
    "distributed_foreground_insert": 1,
    "insert_quorum": "auto",
    "insert_quorum_parallel": 1,
}
_QUORUM = "insert_quorum"


def settings_of_inserts(cluster: Cluster | None) -> Mapping[str, object]:
    """By which an insert has reached the servers that it must when it returns."""
    if not cluster:
        return {}
    return {
        name: value for name, value in _CLUSTER_SETTINGS.items() if cluster.replicated or not name.startswith(_QUORUM)
    }


class Writer:
    """Writes batches, one thread at a time. `written` numbers the rows by the clock, ever growing in one store."""

    def __init__(
        self, connection: Connection, cluster: Cluster | None, wall_clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._connection = connection
        self._settings = {**_SETTINGS, **settings_of_inserts(cluster)}
        self._wall_clock_ns = wall_clock_ns
        self._next_written: int | None = None
        self._unsure: tuple[SpanBatch, str] | None = None

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write: when it returns, the block is synced to disk (in a cluster, on every shard)."""
        if not len(batch):
            return
        token = self._token_for(batch)
        rows = self._numbered(batch)
        self._unsure = (batch, token)
        self._connection.insert("spans", rows, {**self._settings, "insert_deduplication_token": token})
        self._unsure = None

    def _token_for(self, batch: SpanBatch) -> str:
        if self._unsure is not None and self._unsure[0] is batch:
            return self._unsure[1]
        return str(uuid4())

    def _numbered(self, batch: SpanBatch) -> pa.Table:
        if self._next_written is None:
            (last,) = self._connection.rows(sql.LAST_WRITTEN)[0]
            self._next_written = int(last) + 1
        first = max(self._next_written, self._wall_clock_ns())
        self._next_written = first + len(batch)
        numbers = pa.array(np.arange(first, first + len(batch), dtype=np.int64))
        return pa.Table.from_batches([batch.records]).append_column("written", numbers)
