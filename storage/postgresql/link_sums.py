"""Calls between services, summed up by the second, the minute and the hour of their traces' timestamps.

All three are changed in one transaction with `commits.is_known`, which says of which commits the sums know, so they are
true for exactly the spans of those that are visible. Counts of zero are removed.

A trace that keeps growing (a client that uses one id for all it does) would be linked anew in every round. Once it is
large it is taken out of the sums and noted in `set_aside`: whoever asks links it then.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from storage.linking.change import traces_larger_before, without_traces
from storage.linking.graph_change import change_of_sums
from storage.linking.graph_table import Sums
from storage.linking.linker import Call
from storage.linking.row_index import Bools
from storage.linking.table import BUCKET_CALLS
from storage.postgresql import nul, sql
from storage.postgresql.link_traces import Spans, change_of
from storage.postgresql.session import Arrows, Rows
from storage.postgresql.texts import digest
from storage.postgresql.time_parts import parts_of

SECOND_NS = 10**9
_LENGTHS_S = (1, 60, 3600)
RELINKED_SPANS = 2_000
"""A larger trace is set aside when it changes: linking it takes 2 ms, ten times that if its spans are repeated."""

_CHANGED = pa.schema([*BUCKET_CALLS, pa.field("pair", pa.binary())])
_MAKE_CHANGED = """
CREATE TEMP TABLE changed (bucket bigint, parent text, child text, calls bigint, errors bigint, pair bytea)
ON COMMIT DROP
"""
_ADD = """
INSERT INTO link_sums
SELECT {length_s}, floor(bucket::numeric / {length_s})::bigint AS bucket, pair, min(parent), min(child),
    sum(calls)::bigint, sum(errors)::bigint
FROM changed GROUP BY 2, 3 HAVING sum(calls) <> 0 OR sum(errors) <> 0 ORDER BY 2, 3
ON CONFLICT (length_s, bucket, pair) DO UPDATE
SET calls = link_sums.calls + excluded.calls, errors = link_sums.errors + excluded.errors
"""
_FORGET_EMPTY = """
DELETE FROM link_sums WHERE calls = 0 AND errors = 0 AND length_s = {length_s}
    AND bucket IN (SELECT floor(bucket::numeric / {length_s})::bigint FROM changed WHERE calls < 0)
"""
_SET_ASIDE = "INSERT INTO set_aside SELECT unnest({lows}) ON CONFLICT DO NOTHING"
_TAKE_BACK = "DELETE FROM set_aside WHERE NOT EXISTS (SELECT FROM spans WHERE spans.trace_low = set_aside.trace_low)"
_PART = """
SELECT parent, child, sum(calls)::bigint AS calls, sum(errors)::bigint AS errors FROM link_sums
WHERE length_s = {length_s:d} AND bucket >= {first:d} AND bucket < {stop:d} GROUP BY pair, parent, child
"""


def sums_between(connection: Arrows, seconds: range) -> Counter[Call]:
    """The calls that the sums hold of the traces of these seconds since the epoch."""
    calls: Counter[Call] = Counter()
    for length_s, buckets in parts_of(seconds, _LENGTHS_S):
        found = connection.fetch(_PART.format(length_s=length_s, first=buckets.start, stop=buckets.stop))
        for parent, child, times, errors in zip(*(column.to_pylist() for column in found.columns), strict=True):
            ends = nul.plain(parent), nul.plain(child)
            calls[Call(*ends, True)] += errors
            calls[Call(*ends, False)] += times - errors
    return calls


def change_by_spans(connection: Arrows, spans: Spans, before: Bools, after: Bools) -> Sums:
    """What to add to the sums of links and of the service graph when other ones of these spans count than before."""
    change = change_of(connection, spans, before, after)
    large = traces_larger_before(change.table, RELINKED_SPANS)
    if large.size:
        connection.execute(_SET_ASIDE.format(lows=sql.bigints(spans.trace_lows[large].tolist())))
        change = change._replace(table=without_traces(change.table, large))
    return change_of_sums(change.table, SECOND_NS, change.describe)


def take_dropped_back(rows: Rows) -> None:
    """Forget that traces were set aside of which nothing is held any more."""
    rows.change(_TAKE_BACK)


def add(connection: Arrows, changes: Iterable[pa.Table]) -> None:
    """Add BUCKET_CALLS of seconds to the sums, in the caller's transaction."""
    change = pa.concat_tables([BUCKET_CALLS.empty_table(), *changes])
    if not change.num_rows:
        return
    parents, children = (change[end].combine_chunks().dictionary_encode() for end in ("parent", "child"))
    names = [[nul.stored(name) for name in ends.dictionary.to_pylist()] for ends in (parents, children)]
    # A pair has many rows, one a second.
    pairs, place = np.unique(
        parents.indices.to_numpy().astype(np.int64) * len(names[1]) + children.indices.to_numpy(), return_inverse=True
    )
    digests = [
        digest(f"{names[0][pair // len(names[1])]}\0{names[1][pair % len(names[1])]}") for pair in pairs.tolist()
    ]
    ends = [
        pa.array(each, pa.string()).take(codes.indices) for each, codes in zip(names, (parents, children), strict=True)
    ]
    columns = [change["bucket"], *ends, change["calls"], change["errors"], pa.array(digests).take(pa.array(place))]
    connection.execute(_MAKE_CHANGED)
    connection.ingest("changed", pa.table(columns, schema=_CHANGED), temporary=True)
    for length_s in _LENGTHS_S:
        connection.execute(_ADD.format(length_s=length_s))
        connection.execute(_FORGET_EMPTY.format(length_s=length_s))
    connection.execute("DROP TABLE changed")
