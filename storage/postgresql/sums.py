"""All sums that upkeep keeps: of links and of the service graph (`link_sums`), and of calls (`call_sums`).

They change in one transaction with `commits.is_known`, so they are true for exactly the spans of the commits that are
known, at any moment that a transaction sees.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from storage.linking.graph_table import Sums
from storage.linking.row_index import Bools, Ints
from storage.postgresql import call_sums, graph_sums, link_sums, sql
from storage.postgresql.call_scan import empty_name
from storage.postgresql.link_traces import Spans, lows_of_commits, lows_where, spans_where, whole_traces
from storage.postgresql.moment import SUM_RULES, Moment
from storage.postgresql.session import Arrows, Rows

_RULES = "SELECT sum_rules FROM upkeep"
_FORGET_ALL = (
    "DELETE FROM link_sums",
    "DELETE FROM edge_sums",
    "DELETE FROM edges",
    "DELETE FROM call_sums",
    "DELETE FROM call_operations",
    "DELETE FROM set_aside",
    "UPDATE segments SET spans = 0",
    "UPDATE commits SET is_known = false",
    f"UPDATE upkeep SET sum_rules = {SUM_RULES:d}",
)


def forget_sums_of_other_rules(rows: Rows) -> None:
    """Begin anew when the sums were made by other rules than this clew's; nothing is known of any commit then."""
    if rows.fetch(_RULES) != [(SUM_RULES,)]:
        with rows.transaction():
            for statement in _FORGET_ALL:
                rows.change(statement)


def count_commits(connection: Arrows, moment: Moment, commits: Ints) -> Iterator[pa.Table]:
    """Add these commits to the sums. In the caller's transaction, of which the moment is, so they are its news.

    Gives their spans, as the rows of Spans, in some tables; the sums have changed when the last was taken.
    """
    lows = lows_of_commits(connection, moment, commits)
    changes = _Changes(connection)
    for spans in whole_traces(connection, moment, np.setdiff1d(lows, moment.set_aside)):
        before = ~moment.are_news(spans.written)
        new = np.isin(spans.written >> sql.COMMIT_BITS, commits)
        changes.link(spans, before, before | new)
        yield changes.count(spans.rows.filter(pa.array(new)))
    aside = np.intersect1d(lows, moment.set_aside)
    if aside.size:
        condition = f"trace_low = ANY({sql.bigints(aside.tolist())}) AND {moment.in_commits(commits)}"
        yield changes.count(spans_where(connection, condition))
    changes.add()


def discount(connection: Arrows, moment: Moment, gone: str, horizon_ns: int, first_written: int) -> None:
    """Take what the marks will pass out of the sums; in the transaction that moves the marks.

    gone: the SQL condition on the spans that these marks leave behind.
    """
    going = f"{gone} AND {moment.visible}"
    lows = lows_where(connection, going)
    changes = _Changes(connection)
    for spans in whole_traces(connection, moment, np.setdiff1d(lows, moment.set_aside)):
        before = ~moment.are_news(spans.written)
        after = before & (spans.received_ns >= horizon_ns) & (spans.written >= first_written)
        changes.link(spans, before, after)
        changes.count(spans.rows.filter(pa.array(before & ~after)))
    aside = np.intersect1d(lows, moment.set_aside)
    if aside.size:
        rows = spans_where(connection, f"trace_low = ANY({sql.bigints(aside.tolist())}) AND {going}")
        changes.count(rows.filter(pa.array(~moment.are_news(rows["written"].to_numpy()))))
    changes.add(sign=-1)
    graph_sums.forget_uncalled(connection)
    call_sums.forget_uncalled(connection)


class _Changes:
    """What is to be added to all sums."""

    def __init__(self, connection: Arrows) -> None:
        self._connection = connection
        self._empty_name = empty_name(connection)
        self._linked: list[Sums] = []
        self._calls: list[pa.Table] = []

    def link(self, spans: Spans, before: Bools, after: Bools) -> None:
        """Note what changes when other ones of these spans count than before."""
        self._linked.append(link_sums.change_by_spans(self._connection, spans, before, after))

    def count(self, rows: pa.Table) -> pa.Table:
        """Note the calls among these rows of Spans; the same rows."""
        self._calls.append(call_sums.calls_of(rows, self._empty_name))
        return rows

    def add(self, sign: int = 1) -> None:
        """Add all of it. sign: of the calls, which were counted as they are."""
        link_sums.add(self._connection, [change.links for change in self._linked])
        graph_sums.add(self._connection, [change.graph for change in self._linked])
        call_sums.add(self._connection, self._calls, sign)
