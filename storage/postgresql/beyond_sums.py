"""What has to be linked for the graph of a window beside the sums that upkeep keeps of it.

Sums of calls are true for the commits that they know, in whole buckets of time. What they do not cover are the traces
of the cut buckets at the window's ends, what other commits changed (their traces as they are, less what the sums hold
of them), and the traces that `link_sums` set aside.
"""

from typing import NamedTuple

import numpy as np

from storage.linking.change import Window
from storage.linking.row_index import Bools, Ints
from storage.postgresql.link_traces import Spans, lows_of_commits, lows_started
from storage.postgresql.moment import Moment
from storage.postgresql.session import Arrows

_NEVER: Window = (0, -1)

_SPANS_WITHIN = "SELECT count(*) AS spans FROM spans WHERE start_ns BETWEEN {first_ns:d} AND {last_ns:d} AND {visible}"
_SPANS_OF_NEWS = "SELECT coalesce(sum(spans), 0)::bigint AS spans FROM commits WHERE NOT is_known AND {visible}"
_FEW_SPANS = 200_000


class BeyondSums(NamedTuple):
    """summed: the buckets to take from the sums, none at times; counted: what they hold the calls of.

    lows: the low halves of the traces to link, sorted, distinct.
    """

    moment: Moment
    summed: range
    counted: Window
    lows: Ints

    @classmethod
    def of(cls, connection: Arrows, window: Window, bucket_ns: int) -> "BeyondSums":
        """What to add to the sums by `bucket_ns` for the graph of the window, as of the connection's transaction."""
        moment = Moment.of(connection)
        start_ns, end_ns = window
        buckets = range(-(-start_ns // bucket_ns), (end_ns + 1) // bucket_ns)
        if not buckets or not moment.are_ours or are_far_behind(connection, moment, window):
            return cls(moment, range(0), _NEVER, lows_started(connection, moment, *window))
        counted = (buckets.start * bucket_ns, buckets.stop * bucket_ns - 1)
        cut = [(start_ns, counted[0] - 1), (counted[1] + 1, end_ns)]
        found = [lows_started(connection, moment, *part) for part in cut if part[0] <= part[1]]
        found.append(lows_of_commits(connection, moment, moment.news))
        if moment.set_aside.size:
            found.append(np.intersect1d(lows_started(connection, moment, *window), moment.set_aside))
        return cls(moment, buckets, counted, np.unique(np.concatenate(found)))

    def are_summed(self, spans: Spans) -> Bools:
        """Whether the sums that are taken count these spans."""
        if not self.summed:
            return np.zeros(len(spans.written), np.bool_)
        set_aside = np.isin(spans.trace_lows[spans.links["trace"].to_numpy()], self.moment.set_aside)
        return ~self.moment.are_news(spans.written) & ~set_aside


def are_far_behind(connection: Arrows, moment: Moment, window: Window) -> bool:
    """Whether the sums are so far behind that counting the window's own spans is less work: after an upgrade."""
    news = int(connection.fetch(_SPANS_OF_NEWS.format(visible=moment.visible))["spans"][0].as_py())
    if news <= _FEW_SPANS:
        return False
    statement = _SPANS_WITHIN.format(first_ns=window[0], last_ns=window[1], visible=moment.visible)
    return news > int(connection.fetch(statement)["spans"][0].as_py())
