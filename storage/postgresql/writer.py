"""The write path: one binary COPY of the batch into the partition that is open, and one commit. No object per span.

Several processes write at once and know nothing of each other. When the connection breaks while a commit is under way,
its outcome is asked for, by the number of the transaction and by what it wrote, so that a batch is neither lost nor
stored twice.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.batch import SpanBatch
from storage.errors import StoreUnavailable
from storage.postgresql import sql
from storage.postgresql.columns import BatchColumns, Ints
from storage.postgresql.connections import ConnectionLost, Connections
from storage.postgresql.segments import partition
from storage.postgresql.session import Arrows
from storage.postgresql.texts import Numbers

_COMMIT_ROWS = 1 << sql.COMMIT_BITS
_NAMED_AGAIN_NS = 60 * 10**9
"""A name is noted again when it was noted so long before. Retention shorter than that may forget it too early, until
upkeep has seen the span."""
_MAX_REMEMBERED = 200_000
_COMMITTED, _ABORTED = "committed", "aborted"

_NAME = ("service_id", "name_id", "kind", "remote_service_id")
_NEW_NAMES = pa.schema(
    [(name, pa.int16() if name == "kind" else pa.int64()) for name in (*_NAME, "received_ns", "written")]
)


class _Unsettled(NamedTuple):
    """A batch whose commit was asked for, its transaction, and of one of its spans the place and the ids."""

    batch: SpanBatch
    transaction: str
    place: int
    trace_low: int
    span_id: int


class Writer:
    """Writes batches, one thread at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._numbers = Numbers(connections)
        self._named: dict[tuple[int, ...], int] = {}
        self._unsettled: _Unsettled | None = None

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write: when it returns, the server's log that holds the batch is synced to disk.

        When StoreUnavailable is raised because not even the outcome of a commit could be asked, the batch may be
        stored; the same batch given again is then not stored a second time.
        """
        if not len(batch):
            return
        if self._unsettled is not None and self._was_stored_after_all(batch):
            return
        try:
            self._attempt(batch, fresh=False)
        except ConnectionLost:
            # An idle connection may have been dead all along.
            if not self._is_stored():
                self._attempt(batch, fresh=True)

    def _attempt(self, batch: SpanBatch, *, fresh: bool) -> None:
        with self._connections.arrows(fresh=fresh) as connection:
            self._write(connection, batch)

    def _write(self, connection: Arrows, batch: SpanBatch) -> None:
        columns = BatchColumns(batch)
        for rows in _slices(len(batch)):
            next_place = connection.fetch(sql.NEXT_PLACE)
            place = int(next_place["place"][0].as_py())
            segment = place >> sql.SEGMENT_BITS
            numbers = self._numbers.of(columns.texts(), segment)
            table = columns.table(place + np.arange(len(batch), dtype=np.int64) - rows.start, numbers)
            table = table.slice(rows.start, len(rows))
            connection.ingest(partition(segment), table)
            self._note_names(connection, table)
            for received_ns, spans in _counted(table):
                connection.execute(sql.ADD_COMMIT.format(place=place, received_ns=received_ns, spans=spans))
        ids = (table[name][0].as_py() for name in ("trace_low", "span_id"))
        self._unsettled = _Unsettled(batch, str(next_place["transaction"][0]), place, *ids)
        connection.commit()
        self._unsettled = None

    def _note_names(self, connection: Arrows, table: pa.Table) -> None:
        """Note the names that this process has not seen lately; upkeep knows of all others."""
        groups = names_of(table)
        if len(self._named) > _MAX_REMEMBERED:
            self._named.clear()
        news = []
        for *name, received_ns, written in zip(*(column.to_pylist() for column in groups.columns), strict=True):
            key = tuple(name)
            if received_ns >= self._named.get(key, received_ns - _NAMED_AGAIN_NS) + _NAMED_AGAIN_NS:
                news.append((*key, received_ns, written))
        if news:
            connection.ingest("new_names", pa.table(list(zip(*news, strict=True)), schema=_NEW_NAMES))
            self._named.update((row[:4], row[4]) for row in news)

    def _was_stored_after_all(self, batch: SpanBatch) -> bool:
        assert self._unsettled is not None
        is_the_same = self._unsettled.batch is batch
        return self._is_stored() and is_the_same

    def _is_stored(self) -> bool:
        """Whether the transaction whose connection broke was committed. ConnectionLost when that cannot be asked."""
        if self._unsettled is None:
            return False
        # What was noted may have gone with the transaction.
        self._named.clear()
        with self._connections.rows(fresh=True) as rows:
            asked = {name: getattr(self._unsettled, name) for name in ("transaction", "place", "trace_low", "span_id")}
            ((outcome,),) = rows.fetch(sql.OUTCOME, asked)
        if outcome not in (_COMMITTED, _ABORTED):
            raise StoreUnavailable(
                f"{self._connections.address.where} has not ended the last write, its connection broke; retry"
            )
        self._unsettled = None
        return bool(outcome == _COMMITTED)


def names_of(spans: pa.Table) -> pa.Table:
    """The distinct names among rows of the table `spans`, as `new_names` takes them: 0 for none."""
    groups = spans.group_by([*_NAME], use_threads=False).aggregate([("received_ns", "max"), ("written", "max")])
    columns = [pc.fill_null(column, pa.scalar(0, column.type)) for column in groups.columns]
    return pa.table(columns, schema=_NEW_NAMES)


def _slices(rows: int) -> Iterator[range]:
    for first in range(0, rows, _COMMIT_ROWS):
        yield range(first, min(first + _COMMIT_ROWS, rows))


def _counted(table: pa.Table) -> Iterator[tuple[int, int]]:
    """How many spans were received when."""
    received: Ints = table["received_ns"].to_numpy()
    moments, spans = np.unique(received, return_counts=True)
    yield from zip(moments.tolist(), spans.tolist(), strict=True)
