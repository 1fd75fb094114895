"""The service graph of a time window, linked from the spans of its traces."""

import duckdb

from storage.duckdb.marks import Marks
from storage.duckdb.reader import traces_by_key
from storage.linking.graph import MINUTE_NS, graph_of_traces, whole_minutes
from storage.linking.link_span import link_span_of
from storage.requests import ServiceGraph
from storage.span import Span

_WITHIN = "SELECT DISTINCT trace_id[9:16] FROM spans WHERE start_ns BETWEEN $1 AND $2"


def graph(cursor: duckdb.DuckDBPyConnection, marks: Marks, start_ns: int, end_ns: int) -> ServiceGraph:
    """SpanReader.service_graph of the store behind `cursor`."""
    minutes = whole_minutes(start_ns, end_ns)
    first_ns, last_ns = minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1
    keys = [key for (key,) in cursor.execute(_WITHIN, [first_ns, last_ns]).fetchall()]
    traces = traces_by_key(cursor, marks, keys, strict=False).values()
    return graph_of_traces(
        [link_span_of(span) for span in trace] for trace in traces if first_ns <= _timestamp_ns(trace) <= last_ns
    )


def _timestamp_ns(trace: list[Span]) -> int:
    starts = [(span.start_ns, span.parent_span_id) for span in trace if span.start_ns is not None]
    return next((start_ns for start_ns, parent in starts if parent is None), min(start_ns for start_ns, _ in starts))
