"""From the store to traces as Jaeger shows them, one at a time: what all windows that speak OTLP ask."""

from collections.abc import Iterator, Sequence

from query.reconstruct.assembly import assemble
from query.reconstruct.summary import summarize
from query.reconstruct.trace import Trace
from query.settings import QuerySettings
from storage.contract import SpanReader
from storage.ids import TraceId, low_half
from storage.requests import TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary

_IDS_AT_ONCE = 20
"""Traces by id that are read and held at once, however many are asked for."""


class AssembledTraces:
    """Traces grouped and corrected as the settings say. Each method is lazy and for a reader thread."""

    def __init__(self, settings: QuerySettings) -> None:
        self._strict = settings.strict_trace_id
        self._max_skew_ns = settings.max_clock_skew_ns

    def by_ids(self, reader: SpanReader, trace_ids: Sequence[TraceId], *, raw: bool = False) -> Iterator[Trace]:
        """The traces of these ids that exist, in their order, each once."""
        ids = list({one if self._strict else low_half(one): one for one in trace_ids}.values())
        for start in range(0, len(ids), _IDS_AT_ONCE):
            found = reader.get_traces(ids[start : start + _IDS_AT_ONCE], strict=self._strict)
            yield from assembled(found, raw=raw, max_clock_skew_ns=self._max_skew_ns)

    def found(self, reader: SpanReader, query: TraceQuery, *, raw: bool = False) -> Iterator[Trace]:
        """The traces that the query finds, newest first."""
        found = reader.find_traces(query, strict=self._strict)
        yield from assembled(found, raw=raw, max_clock_skew_ns=self._max_skew_ns)

    def summaries(self, reader: SpanReader, query: TraceQuery) -> Iterator[TraceSummary]:
        """Summaries of the traces that the query finds, newest first.

        Where clocks are corrected they tell corrected times, for which the traces are needed.
        """
        if self._max_skew_ns:
            return (summarize(trace) for trace in self.found(reader, query))
        return iter(reader.find_trace_summaries(query, strict=self._strict))

    def ids_found(self, reader: SpanReader, query: TraceQuery) -> list[TraceId]:
        """The ids of the traces that the query finds, newest first; not strict: their low 64 bits."""
        return reader.find_trace_ids(query, strict=self._strict)


def assembled(found: list[list[Span]], *, raw: bool, max_clock_skew_ns: int) -> Iterator[Trace]:
    """The traces of these stored spans, one at a time, which leaves the list empty.

    Span objects outweigh what is made of them, so those of a trace are let go as soon as it is assembled.
    """
    found.reverse()
    while found:
        yield assemble(found.pop(), raw=raw, max_clock_skew_ns=max_clock_skew_ns)
