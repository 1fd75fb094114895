"""The service graph of a time window: the sums that are kept of its buckets, the rest linked from narrow columns."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from storage.clickhouse.call_sums import graph_calls_of
from storage.clickhouse.connection import Connection
from storage.clickhouse.whole_traces import Window, graph_table, windows_of
from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.linking.graph_counts import graph_of_counts
from storage.linking.graph_table import graph_calls_of_table
from storage.requests import ServiceGraph


def graph(connection: Connection, start_ns: int, end_ns: int) -> ServiceGraph:
    """As SpanReader.service_graph."""
    minutes = whole_minutes(start_ns, end_ns)
    asked = (minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1)
    kept = graph_calls_of(connection, asked)
    return graph_of_counts(pa.concat_tables([kept.calls, *_calls(connection, kept.rest)]))


def _calls(connection: Connection, parts: Sequence[Window]) -> Iterator[pa.Table]:
    for part in parts:
        for window in windows_of(connection, part):
            traces = graph_table(connection, window)
            yield graph_calls_of_table(traces.spans, *window, traces.describe)
