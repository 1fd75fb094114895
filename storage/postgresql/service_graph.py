"""The service graph of a time window: sums that upkeep keeps, and linking of what they do not cover (`beyond_sums`)."""

import numpy as np
import pyarrow as pa

from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.linking.graph_change import graph_change_within
from storage.linking.graph_counts import graph_of_counts
from storage.postgresql.beyond_sums import BeyondSums
from storage.postgresql.graph_sums import sums_between
from storage.postgresql.link_traces import SLICE_TRACES, change_of, whole_traces
from storage.postgresql.session import Arrows
from storage.requests import ServiceGraph
from storage.times import clamped_ns


def graph(connection: Arrows, start_ns: int, end_ns: int, *, slice_traces: int = SLICE_TRACES) -> ServiceGraph:
    """SpanReader.service_graph, as of the moment of the connection's transaction."""
    minutes = whole_minutes(start_ns, end_ns)
    window = clamped_ns(minutes.start * MINUTE_NS), clamped_ns(minutes.stop * MINUTE_NS - 1)
    beyond = BeyondSums.of(connection, window, MINUTE_NS)
    calls = [sums_between(connection, beyond.summed)]
    for spans in whole_traces(connection, beyond.moment, beyond.lows, slice_traces=slice_traces):
        change = change_of(connection, spans, beyond.are_summed(spans), np.ones(len(spans.written), np.bool_))
        calls.append(graph_change_within(change.table, beyond.counted, window, change.describe))
    return graph_of_counts(pa.concat_tables(calls))
