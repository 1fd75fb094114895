"""The service graph of a time window, linked from the narrow columns of its traces."""

from collections.abc import Iterator

import pyarrow as pa

from storage.clickhouse.connection import Connection
from storage.clickhouse.whole_traces import Window, graph_table, windows_of
from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.linking.graph_counts import graph_of_counts
from storage.linking.graph_table import GRAPH_CALLS, graph_calls_of_table
from storage.requests import ServiceGraph


def graph(connection: Connection, start_ns: int, end_ns: int) -> ServiceGraph:
    """As SpanReader.service_graph."""
    minutes = whole_minutes(start_ns, end_ns)
    asked = (minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1)
    return graph_of_counts(pa.concat_tables([GRAPH_CALLS.empty_table(), *_calls(connection, asked)]))


def _calls(connection: Connection, asked: Window) -> Iterator[pa.Table]:
    for window in windows_of(connection, asked):
        traces = graph_table(connection, window)
        yield graph_calls_of_table(traces.spans, *window, traces.describe)
