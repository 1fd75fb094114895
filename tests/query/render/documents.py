"""Documents whole, that are rendered in parts."""

from collections.abc import Iterable, Sequence

from query.render.zipkin_v2 import trace_document, traces_document
from storage.span import Span


def trace_json(spans: Iterable[Span]) -> bytes:
    """One trace as Zipkin v2 JSON."""
    return b"".join(trace_document(spans))


def traces_json(traces: Iterable[Sequence[Span]]) -> bytes:
    """A list of traces as Zipkin v2 JSON."""
    return b"".join(traces_document(traces))
