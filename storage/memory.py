"""The reference store: the executable specification, plain enough to be read as such. For tests and demos.

Spans live in lists, grouped by the low 64 bits of their trace id. One lock guards the lists; a read copies what it
needs under the lock and computes outside it, so a slow read never holds up a write.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from types import TracebackType
from typing import Self

from storage.attributes import text_of
from storage.batch import SpanBatch
from storage.calls import call_series
from storage.contract import Accepts, Capabilities, StoreStatistics
from storage.ids import TraceId, grouping_key, low_half
from storage.linking.graph import MINUTE_NS, graph_of_traces, whole_minutes
from storage.linking.link_span import link_span_of
from storage.linking.linker import link_traces
from storage.matching import satisfies
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, RetentionPolicy, ServiceGraph, TraceQuery
from storage.rows import plain_values, spans_of
from storage.span import Span
from storage.trace_summary import TraceSummary, trace_summary


@dataclass(frozen=True, slots=True)
class _Held:
    span: Span
    received_ns: int


@dataclass(slots=True)
class _Siblings:
    """All spans whose trace ids share their low 64 bits, in the order they were written."""

    held: list[_Held] = field(default_factory=list)
    oldest_ns: int | None = None

    def add(self, held: _Held) -> None:
        start_ns = held.span.start_ns or 0
        self.oldest_ns = start_ns if self.oldest_ns is None else min(self.oldest_ns, start_ns)
        self.held.append(held)


class MemoryStore:
    """A SpanStore that keeps `max_spans` spans of `max_traces` traces (0: however many) and forgets them at exit.

    Before a write that would go over a bound, whole traces go, the one with the oldest span first (a span without a
    start is the oldest of all), until the batch fits; a batch larger than a bound is still kept whole.
    Source: Zipkin's InMemoryStorage (MEM_MAX_SPANS), with Jaeger's bound besides (MEMORY_MAX_TRACES).
    autocomplete_keys: the keys that `tag_values` answers for.
    """

    name = "memory"
    capabilities = Capabilities(durable=False, split_roles=False)

    def __init__(self, max_spans: int, autocomplete_keys: tuple[str, ...], max_traces: int = 0) -> None:
        self._max_spans = max_spans
        self._max_traces = max_traces
        self._autocomplete_keys = autocomplete_keys
        self._lock = Lock()
        self._traces: dict[bytes, _Siblings] = {}
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to close."""

    def check(self) -> None:
        """Memory always answers."""

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt; a read of memory is left to end by itself."""

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write; never raises StoreFull, old traces make room instead."""
        received = batch.records.column("received_ns").to_pylist()
        spans = spans_of([plain_values(column) for column in batch.records.columns])
        arriving = [_Held(span, at_ns) for span, at_ns in zip(spans, received, strict=True)]
        with self._lock:
            self._make_room(arriving)
            self._add(arriving)

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces."""
        keys = dict.fromkeys(grouping_key(trace_id, strict) for trace_id in trace_ids)
        groups = _grouped(self._spans(low_half(trace_id) for trace_id in dict.fromkeys(trace_ids)), strict)
        return [groups[key] for key in keys if key in groups]

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces."""
        chosen = self._newest_satisfying(query, strict)[: query.limit]
        groups = _grouped(self._spans(key[-8:] for key in chosen), strict)
        return [groups[key] for key in chosen if key in groups]

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where."""
        chosen = self._newest_satisfying(query, strict)
        groups = _grouped(self._spans(key[-8:] for key in chosen), strict)
        taken = (groups[key] for key in chosen if key in groups and accepts(groups[key]))
        return list(islice(taken, query.limit))

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids."""
        return [TraceId(key.rjust(16, b"\0")) for key in self._newest_satisfying(query, strict)[: query.limit]]

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries."""
        return [trace_summary(trace) for trace in self.find_traces(query, strict=strict)]

    def services(self) -> list[str]:
        """As SpanReader.services."""
        return sorted({span.service for span in self._spans() if span.service is not None})

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations."""
        found = {(span.name, int(span.kind)) for span in self._local_to(service, ignore_case) if span.name is not None}
        return [Operation(name, kind) for name, kind in sorted(found)]

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services."""
        return sorted({name for span in self._local_to(service, ignore_case) if (name := span.remote.service)})

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values."""
        if key not in self._autocomplete_keys:
            return []
        return sorted({text_of(span.attributes[key]) for span in self._spans() if key in span.attributes})

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies."""
        traces = _grouped(self._spans(), strict=False).values()
        asked = (trace for trace in traces if _lies_within(trace, start_ns, end_ns))
        return link_traces([link_span_of(span) for span in trace] for trace in asked)

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph."""
        minutes = whole_minutes(start_ns, end_ns)
        first_ns, last_ns = minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS - 1
        traces = _grouped(self._spans(), strict=False).values()
        asked = (trace for trace in traces if _lies_within(trace, first_ns, last_ns))
        return graph_of_traces([link_span_of(span) for span in trace] for trace in asked)

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series; latencies are exact."""
        return call_series(self._spans(), query)

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        """As SpanStore.maintain. A span goes when it is older than max_age_ns; max_bytes bounds a disk, so not this."""
        if policy.max_age_ns is None:
            return 0
        oldest_kept_ns = now_ns - policy.max_age_ns
        with self._lock:
            before = self._count
            kept = [
                held for trace in self._traces.values() for held in trace.held if held.received_ns >= oldest_kept_ns
            ]
            if len(kept) < before:
                self._traces = {}
                for held in kept:
                    self._traces.setdefault(low_half(held.span.trace_id), _Siblings()).add(held)
                self._count = len(kept)
            return before - len(kept)

    def statistics(self) -> StoreStatistics:
        """As SpanStore.statistics."""
        with self._lock:
            received = [held.received_ns for trace in self._traces.values() for held in trace.held]
        return StoreStatistics(len(received), 0, min(received, default=None))

    def _add(self, arriving: list[_Held]) -> None:
        for held in arriving:
            self._traces.setdefault(low_half(held.span.trace_id), _Siblings()).add(held)
        self._count += len(arriving)

    def _make_room(self, arriving: list[_Held]) -> None:
        excess_spans = self._count + len(arriving) - self._max_spans
        lows = {low_half(held.span.trace_id) for held in arriving} if self._max_traces else set()
        excess_traces = len(self._traces.keys() | lows) - self._max_traces if self._max_traces else 0
        if excess_spans <= 0 and excess_traces <= 0:
            return
        for low in sorted(self._traces, key=lambda low: self._traces[low].oldest_ns or 0):
            gone = len(self._traces.pop(low).held)
            self._count -= gone
            excess_spans -= gone
            excess_traces -= low not in lows
            if excess_spans <= 0 and excess_traces <= 0:
                return

    def _spans(self, lows: Iterable[bytes] | None = None) -> list[Span]:
        """The spans of these low halves, or of all, as they are now; within one trace in the order written."""
        with self._lock:
            wanted = self._traces if lows is None else dict.fromkeys(lows)
            return [held.span for low in wanted if low in self._traces for held in self._traces[low].held]

    def _newest_satisfying(self, query: TraceQuery, strict: bool) -> list[bytes]:
        newest: dict[bytes, int] = {}
        for span in self._spans():
            if span.start_ns is not None and satisfies(span, query):
                key = grouping_key(span.trace_id, strict)
                newest[key] = max(span.start_ns, newest.get(key, span.start_ns))
        return sorted(newest, key=lambda key: newest[key], reverse=True)

    def _local_to(self, service: str, ignore_case: bool) -> Iterator[Span]:
        for span in self._spans():
            if span.service is None:
                continue
            if span.service == service or (ignore_case and span.service.lower() == service.lower()):
                yield span


def _grouped(spans: Iterable[Span], strict: bool) -> dict[bytes, list[Span]]:
    groups: dict[bytes, list[Span]] = {}
    for span in spans:
        groups.setdefault(grouping_key(span.trace_id, strict), []).append(span)
    return groups


def _lies_within(trace: Sequence[Span], start_ns: int, end_ns: int) -> bool:
    at_ns = _trace_timestamp(trace)
    return at_ns is not None and start_ns <= at_ns <= end_ns


def _trace_timestamp(trace: Sequence[Span]) -> int | None:
    starts = [(span.start_ns, span.parent_span_id) for span in trace if span.start_ns is not None]
    roots = [start_ns for start_ns, parent in starts if parent is None]
    return roots[0] if roots else min((start_ns for start_ns, _ in starts), default=None)
