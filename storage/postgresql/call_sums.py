"""Calls of each service and operation, summed up by the minute, ten minutes and hour of their start, with durations.

They change at the same commits and in the same transactions as the other sums. `call_operations` numbers what is
counted apart: for each service and kind ALL its calls, each NAMED operation, and the REST. A service has at most
MOST_OPERATIONS named ones, or ids in its span names would make a row a span; what comes beyond is counted with the
rest, and stays there: nothing more of that service and kind is named while the rest has calls. So no call was ever
counted otherwise than it would be now, and retention takes each off where it was counted.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.latency_buckets import bucket_numbers
from storage.linking.row_index import Ints
from storage.postgresql import histograms, sql
from storage.postgresql.histograms import Calls, Kept
from storage.postgresql.session import Arrows
from storage.span import StatusCode

MINUTE_NS = 60 * 10**9
MOST_OPERATIONS = 1000
"""Of a service, a name once for each kind."""
OPERATIONS = Kept("call_sums", "operation", (1, 10, 60), lambda minute, minutes: -(-minute // minutes))
"""Periods are numbered by their ends, for the windows of a CallQuery are closed there."""

ALL, NAMED, REST = 0, 1, 2
"""The `part` of a service's calls of one kind that a row of call_operations stands for."""

_OF_SERVICES = """
SELECT operation, part, service_id, kind::bigint AS kind, name_id FROM call_operations
WHERE service_id = ANY({services})
"""
_LARGEST = "SELECT coalesce(max(operation), 0) AS operation FROM call_operations"
_NEW_OPERATIONS = pa.schema(
    [
        ("operation", pa.int64()),
        ("part", pa.int16()),
        ("service_id", pa.int64()),
        ("kind", pa.int16()),
        ("name_id", pa.int64()),
    ]
)
_FORGET_UNCALLED = f"""
DELETE FROM call_operations WHERE operation NOT IN (
    SELECT operation FROM {OPERATIONS.table} WHERE minutes = {OPERATIONS.minutes[-1]})
"""

_BY = ["service_id", "kind", "name_id", "minute", "bucket"]
COUNTED_SPANS = pa.schema([(name, pa.int64()) for name in (*_BY, "calls", "errors")])
"""Spans that are calls, by the numbers of service, kind and name (0 for none), the minute's number and the bucket."""

Named = tuple[int, int, int]
"""Numbers of service, kind and name."""


def calls_of(rows: pa.Table, empty_name: int) -> pa.Table:
    """COUNTED_SPANS of rows with the columns of Spans. empty_name: the number that is as none."""
    rows = rows.filter(pc.and_(rows["start_ns"].is_valid(), rows["service_id"].is_valid()))
    start_ns, duration_ns = rows["start_ns"].to_numpy(), rows["duration_ns"].fill_null(0).to_numpy()
    name = rows["name_id"].fill_null(0).to_numpy()
    columns = [
        rows["service_id"],
        rows["kind"].cast(pa.int64()),
        np.where(name == empty_name, 0, name),
        start_ns // MINUTE_NS + (start_ns % MINUTE_NS > 0),
        bucket_numbers(duration_ns).astype(np.int64),
        pc.equal(rows["status_code"], int(StatusCode.ERROR)).cast(pa.int64()),
    ]
    spans = pa.table(columns, names=[*_BY, "errors"])
    found = spans.group_by(_BY, use_threads=False).aggregate([("errors", "count"), ("errors", "sum")])
    return found.rename_columns(COUNTED_SPANS.names).cast(COUNTED_SPANS)


def add(connection: Arrows, counted: Iterable[pa.Table], sign: int = 1) -> None:
    """Add COUNTED_SPANS to the sums, times `sign`, in the caller's transaction."""
    found = pa.concat_tables([COUNTED_SPANS.empty_table(), *counted]).combine_chunks()
    if not found.num_rows:
        return
    service, kind, name, minute, bucket, calls, errors = (column.to_numpy() for column in found.columns)
    first, place = _distinct(service, kind, name)
    named = list(zip(*(column[first].tolist() for column in (service, kind, name)), strict=True))
    times = np.zeros(len(named), np.int64)
    np.add.at(times, place, calls)
    of_named = _operations_of(connection, named, times)
    operation = np.concatenate([of_named.own[place], of_named.whole[place]])
    both = (np.tile(column, 2) for column in (minute, bucket, sign * calls, sign * errors))
    histograms.add(connection, OPERATIONS, Calls(operation, *both))


def forget_uncalled(connection: Arrows) -> None:
    """Forget the operations that no sum counts calls of, in the caller's transaction."""
    connection.execute(_FORGET_UNCALLED)


def _distinct(*columns: Ints) -> tuple[Ints, Ints]:
    """A row of each distinct one, and which of them each row is."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, code = np.unique(column, return_inverse=True)
        codes = codes * len(values) + code
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return first, place


class _OfNamed(NamedTuple):
    """The operation that the calls of each name are counted as, and that of all calls of its service and kind."""

    own: Ints
    whole: Ints


def _operations_of(connection: Arrows, named: list[Named], times: Ints) -> _OfNamed:
    """times: how often each was called; of those that are new the most called are named, while there is room."""
    services = sorted({service for service, _, _ in named})
    found = connection.fetch(_OF_SERVICES.format(services=sql.bigints(services)))
    operations = _Operations(
        zip(*(column.to_pylist() for column in found.columns), strict=True),
        int(connection.fetch(_LARGEST)["operation"][0].as_py()),
    )
    own, whole = np.zeros((2, len(named)), np.int64)
    for place in np.lexsort((np.arange(len(named)), -times)).tolist():
        service, kind, _ = named[place]
        own[place] = operations.of_name(named[place])
        whole[place] = operations.number(ALL, (service, kind, 0))
    if operations.new:
        columns = list(zip(*operations.new, strict=True))
        connection.ingest("call_operations", pa.table(columns, schema=_NEW_OPERATIONS))
    return _OfNamed(own, whole)


class _Operations:
    """What some services have in call_operations. new: the rows that it lacks."""

    def __init__(self, rows: Iterable[tuple[int, int, int, int, int]], largest: int) -> None:
        self._numbers: dict[tuple[int, Named], int] = {}
        self._held: Counter[int] = Counter()
        self._largest = largest
        self.new: list[tuple[int, int, int, int, int]] = []
        for operation, part, service, kind, name in rows:
            self._numbers[part, (service, kind, name)] = operation
            self._held[service] += part == NAMED

    def of_name(self, named: Named) -> int:
        """That of its own, else the rest's; of its own from now on, if there is room."""
        service, kind, _ = named
        if (own := self._numbers.get((NAMED, named))) is not None:
            return own
        rest = (service, kind, 0)
        if (REST, rest) in self._numbers or self._held[service] >= MOST_OPERATIONS:
            return self.number(REST, rest)
        self._held[service] += 1
        return self.number(NAMED, named)

    def number(self, part: int, named: Named) -> int:
        """The operation with this part and names, which is new if there is none."""
        if (part, named) not in self._numbers:
            self._largest += 1
            self._numbers[part, named] = self._largest
            self.new.append((self._largest, part, *named))
        return self._numbers[part, named]
