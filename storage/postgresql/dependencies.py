"""The dependency graph of a window: sums that upkeep keeps, and linking of what they do not cover (`beyond_sums`)."""

import numpy as np

from storage.linking.change import change_within
from storage.linking.linker import summed
from storage.postgresql.beyond_sums import BeyondSums
from storage.postgresql.link_sums import SECOND_NS, sums_between
from storage.postgresql.link_traces import SLICE_TRACES, change_of, whole_traces
from storage.postgresql.session import Arrows
from storage.requests import DependencyLink
from storage.times import clamped_ns


def links(connection: Arrows, start_ns: int, end_ns: int, *, slice_traces: int = SLICE_TRACES) -> list[DependencyLink]:
    """SpanReader.dependencies, as of the moment of the connection's transaction."""
    window = clamped_ns(start_ns), clamped_ns(end_ns)
    beyond = BeyondSums.of(connection, window, SECOND_NS)
    calls = sums_between(connection, beyond.summed)
    for spans in whole_traces(connection, beyond.moment, beyond.lows, slice_traces=slice_traces):
        now = np.ones(len(spans.written), np.bool_)
        change = change_of(connection, spans, beyond.are_summed(spans), now)
        calls.update(change_within(change.table, beyond.counted, window))
    return summed((call, times) for call, times in calls.items() if times)
