"""The embedded store: one DuckDB file, held by one process. Opening, closing, and the contract's methods."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.batch import SpanBatch
from storage.contract import Accepts, Capabilities, StoreStatistics
from storage.duckdb import dependencies, metrics, names, schema, service_graph, sql
from storage.duckdb.disk import Disk
from storage.duckdb.instance import Instance
from storage.duckdb.marks import Marks
from storage.duckdb.reader import traces_by_key
from storage.duckdb.retention import Retention
from storage.duckdb.search import find_trace_ids, find_traces, find_traces_where
from storage.duckdb.summaries import find_trace_summaries
from storage.duckdb.upkeep import Upkeep
from storage.duckdb.writer import Writer
from storage.ids import TraceId, grouping_key
from storage.reported_calls import CallObserver
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, RetentionPolicy, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary


class DuckDBStore:
    """A SpanStore in the DuckDB file at `path`, which is made, with its folder, when it is not there.

    memory_limit_bytes: DuckDB's buffers. min_free_bytes: free disk below which writes raise StoreFull.
    autocomplete_keys: the span attributes that `tag_values` answers for.
    Beside the file stand its log (.wal), its lock (.lock) and, while a query needs it, a folder (.tmp).
    """

    name = "duckdb"
    capabilities = Capabilities(durable=True, split_roles=False)

    def __init__(
        self, path: Path, memory_limit_bytes: int, min_free_bytes: int, autocomplete_keys: tuple[str, ...]
    ) -> None:
        self.path = path
        self._autocomplete_keys = autocomplete_keys
        self._marks = Marks()
        self._disk = Disk(path, min_free_bytes)
        self._instance = Instance(path, memory_limit_bytes)
        self._writer = Writer(self._instance, self._disk)
        self._upkeep = Upkeep(self._instance, self._marks, autocomplete_keys)
        self._retention = Retention(self._instance, self._disk, self._upkeep)

    def __enter__(self) -> Self:
        """Open the file and bring its schema up to date. StoreUnavailable when another process holds it."""
        self._instance.open()
        try:
            with self._instance.cursor() as cursor:
                schema.migrate(cursor, str(self.path))
            self._upkeep.load()
        except BaseException:
            self._instance.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, once the calls of other threads have returned."""
        self._instance.close()

    def check(self) -> None:
        """As SpanStore.check."""
        self._instance.read(lambda cursor: cursor.execute("SELECT 1").fetchall())

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write."""
        self._writer.write(batch)

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces."""
        keys = list(dict.fromkeys(grouping_key(trace_id, strict) for trace_id in trace_ids))
        traces = self._instance.read(lambda cursor: traces_by_key(cursor, self._marks, keys, strict=strict))
        return [traces[key] for key in keys if key in traces]

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces."""
        return self._instance.read(lambda cursor: find_traces(cursor, self._marks, query, strict=strict))

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where."""
        return self._instance.read(lambda cursor: find_traces_where(cursor, self._marks, query, accepts, strict=strict))

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids."""
        return self._instance.read(lambda cursor: find_trace_ids(cursor, self._marks, query, strict=strict))

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries."""
        return self._instance.read(lambda cursor: find_trace_summaries(cursor, self._marks, query, strict=strict))

    def services(self) -> list[str]:
        """As SpanReader.services."""
        return self._instance.read(lambda cursor: names.services(cursor, self._marks.watermark))

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations."""
        return self._instance.read(
            lambda cursor: names.operations(cursor, self._marks.watermark, service, ignore_case=ignore_case)
        )

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services."""
        return self._instance.read(
            lambda cursor: names.remote_services(cursor, self._marks.watermark, service, ignore_case=ignore_case)
        )

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values. A newly configured key is answered by reading every span until upkeep ran."""
        if key not in self._autocomplete_keys:
            return []
        watermark = self._marks.watermark if key in self._marks.complete_tag_keys else 0
        return self._instance.read(lambda cursor: names.tag_values(cursor, watermark, key))

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies."""
        return self._instance.read(lambda cursor: dependencies.links(cursor, start_ns, end_ns))

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph."""
        return self._instance.read(lambda cursor: service_graph.graph(cursor, start_ns, end_ns))

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series."""
        return self._instance.read(lambda cursor: metrics.call_series(cursor, query))

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt."""
        self._instance.interrupt(thread_id)

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        """As SpanStore.maintain. Blocks of dropped spans are used again; DuckDB shortens the file only at its end."""
        if self._disk.free_bytes() > self._disk.wal_bytes():
            self._instance.allow_checkpoints()
        self._upkeep.run()
        return self._retention.apply(policy, now_ns)

    def report_calls_to(self, observer: CallObserver) -> None:
        """As ReportsCalls.report_calls_to."""
        self._upkeep.report_calls_to(observer)

    def statistics(self) -> StoreStatistics:
        """As SpanStore.statistics. disk_bytes: the file and its log."""
        spans, oldest_ns = self._instance.read(lambda cursor: cursor.execute(sql.COUNTED).fetchall()[0])
        return StoreStatistics(spans, self._disk.used_bytes(), oldest_ns)
