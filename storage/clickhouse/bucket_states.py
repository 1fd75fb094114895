"""What the calls of a bucket of time depend on, in a few bytes.

A bucket's calls are those of the traces whose timestamp lies in it. They depend on all spans of all traces with a span
that starts there, in whichever bucket those are: so on the spans of every bucket that one of these traces touches, and
on which they touch. Spans are never changed. More of them make more rows; of what retention let go the earliest time of
receipt is behind the mark, so that less spans, and as many others afterwards, have a later earliest one.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from storage.clickhouse import sql
from storage.clickhouse.connection import Connection
from storage.linking.table import RULES

_MANY_BUCKETS = 100
"""So many have most traces, which are read in half the time when they need not be looked for first."""

_THEIRS = "WHERE trace_low IN (SELECT trace_low FROM trace_buckets WHERE bucket IN ({buckets}))"
_TOUCHED = """
-- Of each bucket: a hash of its traces and of where they have spans, and all buckets where they have.
SELECT bucket, sum(trace), groupUniqArrayArray(touched) FROM (
    SELECT groupUniqArray(bucket) AS touched, cityHash64(trace_low, arraySort(touched)) AS trace
    FROM trace_buckets {theirs} GROUP BY trace_low
) ARRAY JOIN touched AS bucket
WHERE bucket IN ({buckets}) GROUP BY bucket
"""
_HELD = f"""
SELECT bucket, count(), min(received_ns), max(received_ns) FROM spans
WHERE bucket IN ({{buckets}}) AND {sql.HELD} GROUP BY bucket
"""


class BucketState(NamedTuple):
    """key: 16 bytes; while they are the same, so are the calls. spans: how many are in the bucket, at least one.

    touched: the buckets that its traces touch, itself included. first_received_ns, last_received_ns: of all there.
    """

    key: bytes
    spans: int
    first_received_ns: int
    last_received_ns: int
    touched: Collection[int]


class _Held(NamedTuple):
    spans: int
    first_received_ns: int
    last_received_ns: int


def states_of(connection: Connection, buckets: Collection[int]) -> dict[int, BucketState]:
    """The states of those of the buckets that hold spans, by rising bucket."""
    if not buckets:
        return {}
    numbers = _numbers(buckets)
    theirs = "" if len(buckets) > _MANY_BUCKETS else _THEIRS.format(buckets=numbers)
    found = connection.rows(_TOUCHED.format(theirs=theirs, buckets=numbers))
    all_touched = set(buckets).union(*(touched for _, _, touched in found))
    counted = connection.rows(_HELD.format(buckets=_numbers(all_touched)))
    held = {bucket: _Held(*of_bucket) for bucket, *of_bucket in counted}
    ((_, rewritten),) = connection.rows(sql.DROPPED)
    return {
        bucket: _state(held[bucket].spans, int(rewritten), traces, sorted(touched), held)
        for bucket, traces, touched in sorted(found, key=lambda row: int(row[0]))
        if bucket in held
    }


def _state(spans: int, rewritten: int, traces: int, touched: Sequence[int], held: Mapping[int, _Held]) -> BucketState:
    """rewritten: the mark of what was deleted though it was received after the mark of receipt."""
    theirs = [(bucket, held[bucket]) for bucket in touched if bucket in held]
    told = [(bucket, each.spans, each.first_received_ns) for bucket, each in theirs]
    text = repr((RULES, rewritten, traces, told))
    return BucketState(
        blake2b(text.encode(), digest_size=16).digest(),
        spans,
        min(each.first_received_ns for _, each in theirs),
        max(each.last_received_ns for _, each in theirs),
        touched,
    )


def _numbers(buckets: Collection[int]) -> str:
    return ", ".join(map(str, buckets))
