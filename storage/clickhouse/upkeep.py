"""Summing up the calls of buckets of time that nothing comes to any more: see `call_sums`.

Whichever process comes to it first does it. Each waits for a time of its own, so that it is mostly the same one, and
another only when that is gone; two that do the same do harm to nothing but the time they take.
"""

from collections.abc import Iterator, Mapping

from storage.clickhouse import call_sums, sql
from storage.clickhouse.bucket_states import BucketState, states_of
from storage.clickhouse.connection import Connection, Values
from storage.clickhouse.whole_traces import WINDOW_SPANS, windows_of

SETTLED_NS = 120 * 10**9
"""How long nothing has come to a bucket before it is worth summing up. Longer than a write is tried, so that its rows
are in all tables."""
MOST_PATIENCE_NS = 60 * 10**9
LOOK_INTERVAL_NS = 30 * 10**9
ROUND_SPANS = 1_000_000
"""About how many spans are summed up in one round: some three seconds of work."""
MOST_SPANS = 3_000_000
"""Of a bucket: a round has to end soon when clew does. The calls of a larger one are counted when asked for."""

_LATE_NS = 300 * 10**9
"""How late a round's look expects a span to be visible after its receipt, clocks that differ included."""
LEAVING_NS = 600 * 10**9
"""How far the mark of retention is from spans that it takes away soon: with each, their bucket's state changes."""

_RECEIVED = f"SELECT DISTINCT bucket FROM spans WHERE received_ns >= {{since_ns:Int64}} AND bucket > 0 AND {sql.HELD}"


class Upkeep:
    """The sums of one store, made by one process; used by one thread at a time.

    settings: those of an insert. patience_ns: for how long this process leaves a settled bucket to the others.
    """

    def __init__(self, connection: Connection, settings: Values, patience_ns: int) -> None:
        self._connection = connection
        self._settings = settings
        self._patience_ns = patience_ns
        self._looked_ns: int | None = None
        self._is_behind = False
        self._waiting: set[int] = set()

    def run(self, now_ns: int) -> None:
        """Sum up what can be, oldest first; of very much a part."""
        if not self._is_behind and self._looked_ns is not None and now_ns < self._looked_ns + LOOK_INTERVAL_NS:
            return
        ready = self._ready(now_ns)
        spans = 0
        for run in _runs(ready):
            if spans >= ROUND_SPANS:
                self._is_behind = True
                return
            self._sum_up({bucket: ready[bucket] for bucket in run}, now_ns)
            spans += sum(ready[bucket].spans for bucket in run)
        self._is_behind = False

    def _ready(self, now_ns: int) -> dict[int, BucketState]:
        """The buckets to sum up, rising; what has to wait is noted."""
        news = self._news(now_ns)
        states = states_of(self._connection, sorted(self._waiting | news))
        summed = call_sums.summed_of(self._connection, states)
        ((mark_ns, _),) = self._connection.rows(sql.DROPPED)
        wanted = {
            bucket: state
            for bucket, state in states.items()
            if bucket not in summed and _is_worth_it(state, int(mark_ns))
        }
        # The states of what they touch have changed, too.
        touched = {each for bucket in news if bucket in states for each in states[bucket].touched}
        self._waiting = wanted.keys() | {bucket for bucket in touched if bucket > 0}
        settled_ns = now_ns - SETTLED_NS - self._patience_ns
        return {bucket: state for bucket, state in wanted.items() if state.last_received_ns <= settled_ns}

    def _news(self, now_ns: int) -> set[int]:
        """The buckets of spans that this process has not heard of."""
        since_ns = -(2**63) if self._looked_ns is None else self._looked_ns - _LATE_NS
        self._looked_ns = now_ns
        return {bucket for (bucket,) in self._connection.rows(_RECEIVED, {"since_ns": since_ns})}

    def _sum_up(self, run: Mapping[int, BucketState], now_ns: int) -> None:
        whole = (min(run) * sql.BUCKET_NS, (max(run) + 1) * sql.BUCKET_NS - 1)
        sums = call_sums.sums_of(self._connection, list(windows_of(self._connection, whole)))
        call_sums.keep(self._connection, run, sums, now_ns, self._settings)


def _is_worth_it(state: BucketState, mark_ns: int) -> bool:
    is_staying = not mark_ns or state.first_received_ns >= mark_ns + LEAVING_NS
    return is_staying and state.spans <= MOST_SPANS


def _runs(buckets: Mapping[int, BucketState]) -> Iterator[list[int]]:
    """Rising buckets in runs without gaps, read together, of about WINDOW_SPANS."""
    run: list[int] = []
    for bucket, state in buckets.items():
        spans = sum(buckets[each].spans for each in run) + state.spans
        if run and (bucket != run[-1] + 1 or spans > WINDOW_SPANS):
            yield run
            run = []
        run.append(bucket)
    if run:
        yield run
