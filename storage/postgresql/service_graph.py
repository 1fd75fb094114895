"""The service graph of a time window, linked from the spans of its traces."""

from collections.abc import Iterator

from storage.linking.graph import MINUTE_NS, graph_of_traces, whole_minutes
from storage.linking.link_span import LinkSpan, link_span_of
from storage.postgresql import sql
from storage.postgresql.connections import Rows
from storage.postgresql.reader import marks_of, traces_by_key
from storage.postgresql.texts import KnownTexts
from storage.requests import ServiceGraph
from storage.span import Span

_TRACES_AT_ONCE = 1000


def graph(rows: Rows, texts: KnownTexts, start_ns: int, end_ns: int) -> ServiceGraph:
    """SpanReader.service_graph."""
    minutes = whole_minutes(start_ns, end_ns)
    first_ns, last_ns = minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1
    marks = marks_of(rows)
    window = {"first_ns": max(first_ns, -(2**63)), "last_ns": min(last_ns, 2**63 - 1)}
    lows = [low for (low,) in rows.fetch(sql.TRACES_STARTED, sql.visible(window, marks))]

    def traces() -> Iterator[list[LinkSpan]]:
        for first in range(0, len(lows), _TRACES_AT_ONCE):
            keys = [low.to_bytes(8, "big", signed=True) for low in lows[first : first + _TRACES_AT_ONCE]]
            for trace in traces_by_key(rows, texts, marks, keys, strict=False).values():
                if first_ns <= _timestamp_ns(trace) <= last_ns:
                    yield [link_span_of(span) for span in trace]

    return graph_of_traces(traces())


def _timestamp_ns(trace: list[Span]) -> int:
    starts = [(span.start_ns, span.parent_span_id) for span in trace if span.start_ns is not None]
    return next((start_ns for start_ns, parent in starts if parent is None), min(start_ns for start_ns, _ in starts))
