"""The dependency graph of a time window: sums that upkeep keeps, and linking of what they do not cover.

The sums (`link_sums`) hold the calls of whole seconds, true for the commits that they know. Asked at a moment, the
graph is the sum of the whole seconds, plus what the traces of the cut seconds at the window's ends show, plus what
other commits changed: their traces as they are, less what the sums hold of them.
"""

import numpy as np

from storage.linking.change import Window, change_within
from storage.linking.linker import summed
from storage.linking.row_index import Ints
from storage.postgresql.link_sums import SECOND_NS, sums_between
from storage.postgresql.link_traces import (
    SLICE_TRACES,
    Moment,
    change_table,
    lows_of_commits,
    traces_started,
    whole_traces,
)
from storage.postgresql.session import Arrows
from storage.requests import DependencyLink

_NEVER: Window = (0, -1)
_LEAST_NS, _LARGEST_NS = -(2**63), 2**63 - 1

_SPANS_WITHIN = "SELECT count(*) AS spans FROM spans WHERE start_ns BETWEEN {first_ns:d} AND {last_ns:d} AND {visible}"
_SPANS_OF_NEWS = "SELECT coalesce(sum(spans), 0)::bigint AS spans FROM commits WHERE NOT is_known AND {visible}"
_FEW_SPANS = 200_000


def links(connection: Arrows, start_ns: int, end_ns: int, *, slice_traces: int = SLICE_TRACES) -> list[DependencyLink]:
    """SpanReader.dependencies, as of the moment of the connection's transaction."""
    start_ns, end_ns = max(start_ns, _LEAST_NS), min(end_ns, _LARGEST_NS)
    moment = Moment.of(connection)
    seconds = range(-(-start_ns // SECOND_NS), (end_ns + 1) // SECOND_NS)
    if not seconds or _is_quicker_without_sums(connection, moment, start_ns, end_ns):
        seconds = range(0)
    calls = sums_between(connection, seconds)
    counted = (seconds.start * SECOND_NS, seconds.stop * SECOND_NS - 1) if seconds else _NEVER
    asked = _asked(connection, moment, counted, (start_ns, end_ns))
    for spans in whole_traces(connection, moment, asked, slice_traces=slice_traces):
        if seconds:
            before = ~moment.are_news(spans.written) & ~np.isin(
                spans.trace_lows[spans.links["trace"].to_numpy()], moment.set_aside
            )
        else:
            before = np.zeros(len(spans.written), np.bool_)
        table = change_table(spans, before, np.ones(len(before), np.bool_))
        calls.update(change_within(table, counted, (start_ns, end_ns)))
    return summed((call, times) for call, times in calls.items() if times)


def _asked(connection: Arrows, moment: Moment, counted: Window, window: Window) -> Ints:
    """The low halves of the traces to link beside the sums of `counted`: sorted, distinct."""
    if counted == _NEVER:
        return traces_started(connection, moment, *window)
    cut = [(window[0], counted[0] - 1), (counted[1] + 1, window[1])]
    found = [traces_started(connection, moment, *part) for part in cut if part[0] <= part[1]]
    found.append(lows_of_commits(connection, moment, moment.news))
    if moment.set_aside.size:
        found.append(np.intersect1d(traces_started(connection, moment, *window), moment.set_aside))
    return np.unique(np.concatenate(found))


def _is_quicker_without_sums(connection: Arrows, moment: Moment, start_ns: int, end_ns: int) -> bool:
    """Whether the sums are so far behind that linking the window's own spans is less work: after an upgrade."""
    news = int(connection.fetch(_SPANS_OF_NEWS.format(visible=moment.visible))["spans"][0].as_py())
    if news <= _FEW_SPANS:
        return False
    within = connection.fetch(_SPANS_WITHIN.format(first_ns=start_ns, last_ns=end_ns, visible=moment.visible))
    return news > int(within["spans"][0].as_py())
