"""The write path: one Arrow insert, one transaction, one fsync a batch. Nothing of SQLAlchemy, no object per span."""

import pyarrow as pa

from storage.batch import SPAN_SCHEMA, SpanBatch
from storage.duckdb import sql
from storage.duckdb.disk import Disk
from storage.duckdb.instance import Instance, transaction
from storage.errors import StoreUnavailable

_SLACK_BYTES = 2**20


class Writer:
    """Writes batches, one thread at a time. `seq` numbers the commits, ever growing, also across restarts."""

    def __init__(self, instance: Instance, disk: Disk) -> None:
        self._instance = instance
        self._disk = disk
        self._last_seq: int | None = None

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write: when it returns, the log that holds the batch is synced to disk."""
        if not len(batch):
            return
        self._disk.require_room()
        seq = self._next_seq()
        try:
            self._insert(seq, batch)
        except StoreUnavailable as error:
            if not self._holds(seq):
                raise self._disk.explain(error, batch.records.nbytes + _SLACK_BYTES) from error
        self._last_seq = seq

    def _next_seq(self) -> int:
        last = self._last_seq
        # Until this write is known to be stored or not, nobody knows which number is the last.
        self._last_seq = None
        if last is None:
            with self._instance.cursor() as cursor:
                (last,) = cursor.execute(sql.LAST_SEQ).fetchall()[0]
        return int(last) + 1

    def _insert(self, seq: int, batch: SpanBatch) -> None:
        # The statement finds `records` by this name. A stream, a table and a bare C stream were measured alike.
        records = pa.RecordBatchReader.from_batches(SPAN_SCHEMA, [batch.records])
        with self._instance.cursor() as cursor, transaction(cursor):
            cursor.execute(sql.INSERT_SPANS, [seq]).fetchnumpy()
        del records

    def _holds(self, seq: int) -> bool:
        """A checkpoint that fails on a full disk fails the commit that set it off, after that commit is durable."""
        with self._instance.cursor() as cursor:
            (rows,) = cursor.execute(sql.HAS_SEQ, [seq]).fetchall()[0]
        return bool(rows)
