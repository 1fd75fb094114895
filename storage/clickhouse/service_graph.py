"""The service graph of a time window, linked from the spans of its traces."""

from collections.abc import Iterator

from storage.clickhouse.connection import Connection
from storage.clickhouse.reader import traces_by_low
from storage.clickhouse.whole_traces import Window, lows_started, windows_of
from storage.linking.graph import MINUTE_NS, graph_of_traces, whole_minutes
from storage.linking.link_span import link_span_of
from storage.requests import ServiceGraph
from storage.span import Span


def graph(connection: Connection, start_ns: int, end_ns: int) -> ServiceGraph:
    """As SpanReader.service_graph."""
    minutes = whole_minutes(start_ns, end_ns)
    asked = (minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1)
    return graph_of_traces([link_span_of(span) for span in trace] for trace in _traces(connection, asked))


def _traces(connection: Connection, asked: Window) -> Iterator[list[Span]]:
    for window in windows_of(connection, asked):
        for trace in traces_by_low(connection, lows_started(connection, window)).values():
            if window[0] <= _timestamp_ns(trace) <= window[1]:
                yield trace


def _timestamp_ns(trace: list[Span]) -> int:
    starts = [(span.start_ns, span.parent_span_id) for span in trace if span.start_ns is not None]
    return next((start_ns for start_ns, parent in starts if parent is None), min(start_ns for start_ns, _ in starts))
