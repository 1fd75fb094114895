"""Reading two stores as one: a trace that was archived is found by id when the store has let it go."""

from collections.abc import Sequence

from storage.contract import Accepts, SpanReader
from storage.ids import TraceId, low_half
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary


class ReaderWithArchive:
    """A SpanReader over a store and its archive. Searches, names and figures are the store's alone, as in Jaeger."""

    def __init__(self, store: SpanReader, archive: SpanReader) -> None:
        self._store = store
        self._archive = archive

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces: each trace from the store, or from the archive when the store has nothing of it."""
        found = {_key(spans[0], strict): spans for spans in self._store.get_traces(trace_ids, strict=strict)}
        wanted = {trace_id if strict else low_half(trace_id): trace_id for trace_id in trace_ids}
        missing = [trace_id for key, trace_id in wanted.items() if key not in found]
        if missing:
            found |= {_key(spans[0], strict): spans for spans in self._archive.get_traces(missing, strict=strict)}
        return [found[key] for key in wanted if key in found]

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces, of the store."""
        return self._store.find_traces(query, strict=strict)

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where, of the store."""
        return self._store.find_traces_where(query, accepts, strict=strict)

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids, of the store."""
        return self._store.find_trace_ids(query, strict=strict)

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries, of the store."""
        return self._store.find_trace_summaries(query, strict=strict)

    def services(self) -> list[str]:
        """As SpanReader.services, of the store."""
        return self._store.services()

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations, of the store."""
        return self._store.operations(service, ignore_case=ignore_case)

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services, of the store."""
        return self._store.remote_services(service, ignore_case=ignore_case)

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values, of the store."""
        return self._store.tag_values(key)

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies, of the store."""
        return self._store.dependencies(start_ns, end_ns)

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph, of the store."""
        return self._store.service_graph(start_ns, end_ns)

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series, of the store."""
        return self._store.call_series(query)

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt, of both."""
        self._store.interrupt(thread_id)
        self._archive.interrupt(thread_id)


def _key(span: Span, strict: bool) -> bytes:
    return span.trace_id if strict else low_half(span.trace_id)
