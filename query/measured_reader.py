"""A store's reader whose calls are timed."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from storage.contract import Accepts, SpanReader
from storage.ids import TraceId
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary

_Result = TypeVar("_Result")
Observe = Callable[[str, str, float], None]
"""Told of each call: Jaeger's name for it, `ok` or `err`, seconds."""


class MeasuredReader:
    """A SpanReader over another, each of whose reads is observed in the thread that makes it."""

    def __init__(
        self, reader: SpanReader, observe: Observe, perf_counter: Callable[[], float] = time.perf_counter
    ) -> None:
        self._reader = reader
        self._observe = observe
        self._perf_counter = perf_counter

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces."""
        return self._measured("get_trace", lambda: self._reader.get_traces(trace_ids, strict=strict))

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces."""
        return self._measured("find_traces", lambda: self._reader.find_traces(query, strict=strict))

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where."""
        return self._measured("find_traces", lambda: self._reader.find_traces_where(query, accepts, strict=strict))

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids."""
        return self._measured("find_trace_ids", lambda: self._reader.find_trace_ids(query, strict=strict))

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries."""
        return self._measured("find_trace_summaries", lambda: self._reader.find_trace_summaries(query, strict=strict))

    def services(self) -> list[str]:
        """As SpanReader.services."""
        return self._measured("get_services", self._reader.services)

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations."""
        return self._measured("get_operations", lambda: self._reader.operations(service, ignore_case=ignore_case))

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services."""
        return self._measured(
            "get_remote_services", lambda: self._reader.remote_services(service, ignore_case=ignore_case)
        )

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values."""
        return self._measured("get_tag_values", lambda: self._reader.tag_values(key))

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies."""
        return self._measured("get_dependencies", lambda: self._reader.dependencies(start_ns, end_ns))

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph."""
        return self._measured("get_service_graph", lambda: self._reader.service_graph(start_ns, end_ns))

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series."""
        return self._measured("get_call_metrics", lambda: self._reader.call_series(query))

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt."""
        self._reader.interrupt(thread_id)

    def _measured(self, operation: str, read: Callable[[], _Result]) -> _Result:
        begun_s = self._perf_counter()
        result = "err"
        try:
            answer = read()
            result = "ok"
        finally:
            self._observe(operation, result, self._perf_counter() - begun_s)
        return answer
