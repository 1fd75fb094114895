"""The store in a PostgreSQL database, which several collectors and query servers share. Opening, closing, and the
contract's methods."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from storage.batch import SpanBatch
from storage.contract import Accepts, Capabilities, StoreStatistics
from storage.ids import TraceId, grouping_key
from storage.postgresql import dependencies, metrics, names, schema, search, service_graph, sql, summaries, tag_values
from storage.postgresql.address import Address
from storage.postgresql.connections import Connections
from storage.postgresql.reader import marks_of, traces_by_key
from storage.postgresql.retention import Retention
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts
from storage.postgresql.upkeep import Upkeep
from storage.postgresql.writer import Writer
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, RetentionPolicy, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary


class PostgreSQLStore:
    """A SpanStore in the database at an address, of PostgreSQL 14 or newer. Its tables are made when not there.

    autocomplete_keys: the span attributes that `tag_values` answers for. tag_index: whether it is to have an index on
    tags, which then stays.
    """

    name = "postgresql"
    capabilities = Capabilities(durable=True, split_roles=True)

    def __init__(self, address: Address, autocomplete_keys: tuple[str, ...], *, tag_index: bool = False) -> None:
        self._autocomplete_keys = autocomplete_keys
        self._tag_index = tag_index
        self._connections = Connections(address)
        self._texts = KnownTexts()
        self._writer = Writer(self._connections)
        self._upkeep = Upkeep(self._connections, self._texts, autocomplete_keys)
        self._retention = Retention(self._connections)

    def __enter__(self) -> Self:
        """Connect, and bring the schema up to date."""
        self._connections.open()
        try:
            schema.migrate(self._connections, tag_index=self._tag_index)
        except BaseException:
            self._connections.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._connections.close()

    def check(self) -> None:
        """As SpanStore.check."""
        self._connections.read(lambda rows: rows.fetch("SELECT 1"))

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write."""
        self._writer.write(batch)

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces."""
        keys = list(dict.fromkeys(grouping_key(trace_id, strict) for trace_id in trace_ids))
        traces = self._connections.read(
            lambda rows: traces_by_key(rows, self._texts, marks_of(rows), keys, strict=strict)
        )
        return [traces[key] for key in keys if key in traces]

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces."""
        return self._connections.read(lambda rows: search.find_traces(rows, self._texts, query, strict=strict))

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where."""
        asked: list[bool] = []

        def noted(trace: Sequence[Span]) -> bool:
            asked.append(True)
            return accepts(trace)

        return self._connections.read(
            lambda rows: search.find_traces_where(rows, self._texts, query, noted, strict=strict),
            # It is asked once a trace.
            may_repeat=lambda: not asked,
        )

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids."""
        return self._connections.read(lambda rows: search.find_trace_ids(rows, self._texts, query, strict=strict))

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries."""
        return self._connections.read(
            lambda rows: summaries.find_trace_summaries(rows, self._texts, query, strict=strict)
        )

    def services(self) -> list[str]:
        """As SpanReader.services."""
        return self._connections.read(lambda rows: names.services(rows, marks_of(rows)))

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations."""
        return self._connections.read(
            lambda rows: names.operations(rows, self._texts, marks_of(rows), service, ignore_case=ignore_case)
        )

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services."""
        return self._connections.read(
            lambda rows: names.remote_services(rows, self._texts, marks_of(rows), service, ignore_case=ignore_case)
        )

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values."""
        if key not in self._autocomplete_keys:
            return []
        return self._connections.read(lambda rows: tag_values.tag_values(rows, self._texts, key))

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies."""
        return self._connections.read_arrow(lambda arrows: dependencies.links(arrows, start_ns, end_ns))

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph."""
        return self._connections.read_arrow(lambda arrows: service_graph.graph(arrows, start_ns, end_ns))

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series."""
        return self._connections.read_arrow(lambda arrows: metrics.call_series(arrows, query))

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt."""
        self._connections.interrupt(thread_id)

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        """As SpanStore.maintain. Of several processes one does it at a time; to the others there is nothing to do."""
        with self._upkeep.locked() as rows:
            if rows is None:
                return 0
            self._upkeep.run(rows)
            return self._retention.apply(rows, policy, now_ns)

    def statistics(self) -> StoreStatistics:
        """As SpanStore.statistics. disk_bytes: tables and indexes, not the server's write-ahead log."""

        def asked(rows: Rows) -> StoreStatistics:
            ((spans, oldest_ns),) = rows.fetch(sql.STATISTICS, sql.visible({}, marks_of(rows)))
            ((disk_bytes,),) = rows.fetch(sql.USED_BYTES)
            return StoreStatistics(spans, disk_bytes, oldest_ns)

        return self._connections.read(asked)
