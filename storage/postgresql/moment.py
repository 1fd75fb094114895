"""What one transaction sees, and what the sums know of it.

All reads of one question see one moment, so what upkeep has not counted yet is what the table `commits` says of that
moment.
"""

from typing import NamedTuple

import numpy as np

from storage.latency_buckets import RELATIVE_ACCURACY
from storage.linking.row_index import Bools, Ints
from storage.linking.table import RULES
from storage.postgresql import sql
from storage.postgresql.session import Arrows

_CALL_RULES = 1
SUM_RULES = RULES * 1_000_000 + _CALL_RULES * 1_000 + round(RELATIVE_ACCURACY * 1000)
"""By which the sums are made: those of linking, how `call_sums` counts spans, and the buckets of durations."""

_STATE = "SELECT horizon_ns, first_written, sum_rules FROM upkeep"
_NEWS = "SELECT written FROM commits WHERE NOT is_known"
_SET_ASIDE = "SELECT trace_low FROM set_aside"


class Moment(NamedTuple):
    """What a transaction sees. are_ours: whether the sums were made by our rules; if not, nobody is to look at them.

    news: the numbers of the commits that the sums do not know; set_aside: low halves of the traces they leave out.
    """

    horizon_ns: int
    first_written: int
    are_ours: bool
    news: Ints
    set_aside: Ints

    @classmethod
    def of(cls, connection: Arrows) -> "Moment":
        """That of the connection's transaction."""
        horizon_ns, first_written, rules = (column[0].as_py() for column in connection.fetch(_STATE).columns)
        return cls(
            int(horizon_ns),
            int(first_written),
            rules == SUM_RULES,
            np.unique(connection.fetch(_NEWS)["written"].to_numpy() >> sql.COMMIT_BITS),
            connection.fetch(_SET_ASIDE)["trace_low"].to_numpy(),
        )

    @property
    def visible(self) -> str:
        """The SQL condition on a span that reads look at."""
        return f"received_ns >= {self.horizon_ns:d} AND written >= {self.first_written:d}"

    def in_commits(self, commits: Ints) -> str:
        """The SQL condition on a span that reads look at, in one of these commits."""
        if not commits.size:
            return "false"
        first_place, stop_place = int(commits.min()) << sql.COMMIT_BITS, (int(commits.max()) + 1) << sql.COMMIT_BITS
        return (
            f"written >= {first_place:d} AND written < {stop_place:d}"
            f" AND written >> {sql.COMMIT_BITS:d} = ANY({sql.bigints(commits.tolist())}) AND {self.visible}"
        )

    def are_news(self, written: Ints) -> Bools:
        """Whether the sums do not know the spans in these places."""
        return np.isin(written >> sql.COMMIT_BITS, self.news)
