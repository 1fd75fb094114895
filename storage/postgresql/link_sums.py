"""Calls between services, summed up by the second, the minute and the hour of their traces' timestamps.

All three are changed in one transaction with `commits.is_known`, which says of which commits the sums know, so they are
true for exactly the spans of those that are visible. Counts of zero are removed.

A trace that keeps growing (a client that uses one id for all it does) would be linked anew in every round. Once it is
large it is taken out of the sums and noted in `set_aside`: whoever asks links it then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from storage.linking.change import change_by_bucket, traces_larger_before, without_traces
from storage.linking.linker import Call
from storage.linking.row_index import Bools, Ints
from storage.linking.table import BUCKET_CALLS, RULES
from storage.postgresql import nul, sql
from storage.postgresql.link_traces import Moment, Spans, change_table, whole_traces
from storage.postgresql.session import Arrows, Rows
from storage.postgresql.texts import digest

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
_RULES = "SELECT link_rules FROM upkeep"
_FORGET_ALL = (
    "DELETE FROM link_sums",
    "DELETE FROM set_aside",
    "UPDATE segments SET spans = 0",
    "UPDATE commits SET is_known = false",
    f"UPDATE upkeep SET link_rules = {RULES:d}",
)
_PART = """
SELECT parent, child, sum(calls)::bigint AS calls, sum(errors)::bigint AS errors FROM link_sums
WHERE length_s = {length_s:d} AND bucket >= {first:d} AND bucket < {stop:d} GROUP BY pair, parent, child
"""


def sums_between(connection: Arrows, seconds: range) -> Counter[Call]:
    """The calls that the sums hold of the traces of these seconds since the epoch."""
    calls: Counter[Call] = Counter()
    for length_s, buckets in _parts(seconds):
        found = connection.fetch(_PART.format(length_s=length_s, first=buckets.start, stop=buckets.stop))
        for parent, child, times, errors in zip(*(column.to_pylist() for column in found.columns), strict=True):
            ends = nul.plain(parent), nul.plain(child)
            calls[Call(*ends, True)] += errors
            calls[Call(*ends, False)] += times - errors
    return calls


def _parts(seconds: range) -> list[tuple[int, range]]:
    """How these seconds are put together: of hours, minutes beside them, and seconds beside those."""
    before, minutes, after = _cut(seconds, 60)
    before_hours, hours, after_hours = _cut(minutes, 60)
    parts = [(3600, hours), (60, before_hours), (60, after_hours), (1, before), (1, after)]
    return [part for part in parts if part[1]]


def _cut(buckets: range, size: int) -> tuple[range, range, range]:
    """These buckets as those before, the larger buckets of `size` each that they have whole, and those after."""
    whole = range(-(-buckets.start // size), buckets.stop // size)
    if not whole:
        return buckets, range(0), range(0)
    return range(buckets.start, whole.start * size), whole, range(whole.stop * size, buckets.stop)


def forget_sums_of_other_rules(rows: Rows) -> None:
    """Begin anew when the sums were made by other rules than this clew's; nothing is known of any commit then."""
    if rows.fetch(_RULES) != [(RULES,)]:
        with rows.transaction():
            for statement in _FORGET_ALL:
                rows.change(statement)


def count_commits(connection: Arrows, moment: Moment, lows: Ints, commits: Ints) -> None:
    """Add these commits to the sums, whose spans are of the traces with these low halves. In the caller's transaction.

    moment: of that transaction, so that the commits are among its news. lows: sorted, distinct.
    """
    counted = np.setdiff1d(lows, moment.set_aside)
    _add(connection, _with_large_set_aside(connection, _counted(connection, moment, counted, commits)))


def discount(connection: Arrows, moment: Moment, lows: Ints, horizon_ns: int, first_written: int) -> None:
    """Take what the marks will pass out of the sums: spans of these traces; in the transaction that moves the marks."""
    tables = []
    for spans in whole_traces(connection, moment, np.setdiff1d(lows, moment.set_aside)):
        before = ~moment.are_news(spans.written)
        after = before & (spans.received_ns >= horizon_ns) & (spans.written >= first_written)
        tables.append(change_by_bucket(change_table(spans, before, after), SECOND_NS))
    _add(connection, tables)


def take_dropped_back(rows: Rows) -> None:
    """Forget that traces were set aside of which nothing is held any more."""
    rows.change(_TAKE_BACK)


def _counted(connection: Arrows, moment: Moment, lows: Ints, commits: Ints) -> Iterator[tuple[Spans, Bools, Bools]]:
    for spans in whole_traces(connection, moment, lows):
        before = ~moment.are_news(spans.written)
        yield spans, before, before | np.isin(spans.written >> sql.COMMIT_BITS, commits)


def _with_large_set_aside(connection: Arrows, slices: Iterable[tuple[Spans, Bools, Bools]]) -> Iterator[pa.Table]:
    for spans, before, after in slices:
        table = change_table(spans, before, after)
        large = traces_larger_before(table, RELINKED_SPANS)
        if large.size:
            connection.execute(_SET_ASIDE.format(lows=sql.bigints(spans.trace_lows[large].tolist())))
            table = without_traces(table, large)
        yield change_by_bucket(table, SECOND_NS)


def _add(connection: Arrows, tables: Iterable[pa.Table]) -> None:
    """Add changes, as BUCKET_CALLS of seconds."""
    change = pa.concat_tables([BUCKET_CALLS.empty_table(), *tables])
    if not change.num_rows:
        return
    parents, children = ([nul.stored(name) for name in change[end].to_pylist()] for end in ("parent", "child"))
    pairs = [digest(f"{parent}\0{child}") for parent, child in zip(parents, children, strict=True)]
    columns = [change["bucket"], parents, children, change["calls"], change["errors"], pairs]
    connection.execute(_MAKE_CHANGED)
    connection.ingest("changed", pa.table(columns, schema=_CHANGED), temporary=True)
    for length_s in _LENGTHS_S:
        connection.execute(_ADD.format(length_s=length_s))
        connection.execute(_FORGET_EMPTY.format(length_s=length_s))
    connection.execute("DROP TABLE changed")
