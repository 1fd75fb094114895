"""The distributed store: a ClickHouse database, for any number of clew processes. The contract's methods."""

from collections.abc import Sequence
from random import randrange
from types import TracebackType
from typing import Self

from storage.batch import SpanBatch
from storage.clickhouse import dependencies, metrics, names, service_graph, sql
from storage.clickhouse.address import Address
from storage.clickhouse.cluster import Cluster
from storage.clickhouse.connection import Connection
from storage.clickhouse.reader import traces_by_key
from storage.clickhouse.retention import Retention
from storage.clickhouse.schema import ClickHouseSchema
from storage.clickhouse.search import find_trace_ids, find_traces, find_traces_where
from storage.clickhouse.summaries import find_trace_summaries
from storage.clickhouse.upkeep import MOST_PATIENCE_NS, Upkeep
from storage.clickhouse.writer import Writer, settings_of_inserts
from storage.contract import Accepts, Capabilities, StoreStatistics
from storage.ids import TraceId, grouping_key
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, RetentionPolicy, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary

COMMIT_INTERVAL_NS = 100 * 10**6
"""Each write makes four parts that must be merged, 20 ms of CPU however few spans it has."""


class ClickHouseStore:
    """A SpanStore in the database at `address`, which is there already; its tables are made when they are not.

    cluster: where the tables are Distributed; the address is that of any of its servers, or of what balances them.
    autocomplete_keys: the span attributes that `tag_values` answers for.
    """

    name = "clickhouse"
    capabilities = Capabilities(durable=True, split_roles=True, commit_interval_ns=COMMIT_INTERVAL_NS)

    def __init__(self, address: Address, autocomplete_keys: tuple[str, ...], cluster: Cluster | None = None) -> None:
        self._autocomplete_keys = autocomplete_keys
        self._schema = ClickHouseSchema(address, cluster)
        self._connection = Connection(address)
        self._writer = Writer(self._connection, cluster)
        self._retention = Retention(self._connection, cluster)
        self._upkeep = Upkeep(self._connection, settings_of_inserts(cluster), randrange(MOST_PATIENCE_NS))

    def __enter__(self) -> Self:
        """Connect, and bring the schema up to date."""
        self._connection.open()
        try:
            self._schema.upgrade_by(self._connection)
        except BaseException:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connections."""
        self._connection.close()

    def check(self) -> None:
        """As SpanStore.check."""
        self._connection.rows("SELECT 1")

    def write(self, batch: SpanBatch) -> None:
        """As SpanWriter.write. In a cluster a crash may leave those shards' spans of a write that it had reached."""
        self._writer.write(batch)

    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.get_traces."""
        keys = list(dict.fromkeys(grouping_key(trace_id, strict) for trace_id in trace_ids))
        traces = traces_by_key(self._connection, keys, strict=strict)
        return [traces[key] for key in keys if key in traces]

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces."""
        return find_traces(self._connection, query, strict=strict)

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """As SpanReader.find_traces_where."""
        return find_traces_where(self._connection, query, accepts, strict=strict)

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """As SpanReader.find_trace_ids."""
        return find_trace_ids(self._connection, query, strict=strict)

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """As SpanReader.find_trace_summaries."""
        return find_trace_summaries(self._connection, query, strict=strict)

    def services(self) -> list[str]:
        """As SpanReader.services."""
        return names.services(self._connection)

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """As SpanReader.operations."""
        return names.operations(self._connection, service, ignore_case=ignore_case)

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """As SpanReader.remote_services."""
        return names.remote_services(self._connection, service, ignore_case=ignore_case)

    def tag_values(self, key: str) -> list[str]:
        """As SpanReader.tag_values, from the spans themselves."""
        return names.tag_values(self._connection, key) if key in self._autocomplete_keys else []

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """As SpanReader.dependencies."""
        return dependencies.links(self._connection, start_ns, end_ns)

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """As SpanReader.service_graph."""
        return service_graph.graph(self._connection, start_ns, end_ns)

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """As SpanReader.call_series."""
        return metrics.call_series(self._connection, query)

    def interrupt(self, thread_id: int) -> None:
        """As SpanReader.interrupt."""
        self._connection.interrupt(thread_id)

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        """As SpanStore.maintain. Dropped spans are out of sight at once and off the disk with their partition."""
        dropped = self._retention.apply(policy, now_ns)
        self._upkeep.run(now_ns)
        return dropped

    def statistics(self) -> StoreStatistics:
        """As SpanStore.statistics. disk_bytes: the parts in use, of all tables and replicas."""
        spans, oldest_ns = self._connection.rows(sql.COUNTED)[0]
        return StoreStatistics(spans, self._retention.used_bytes(), oldest_ns if spans else None)
