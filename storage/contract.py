"""What every store promises. The docstrings ARE the contract; tests/contract holds each store to them.

All calls block and may come from several threads at once, except that one thread at a time writes. Reads see every
write that returned before they began. Source of the read rules: Zipkin's SpanStore and Jaeger's tracestore.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from storage.batch import SpanBatch
from storage.ids import TraceId
from storage.requests import CallQuery, CallSeries, DependencyLink, Operation, RetentionPolicy, ServiceGraph, TraceQuery
from storage.span import Span
from storage.trace_summary import TraceSummary


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do beyond the contract's core. The zero value is the least capable."""

    durable: bool = False
    """`write` returns only after the spans survive kill -9 and power loss."""
    split_roles: bool = False
    """Several processes may use one store at once."""
    commit_interval_ns: int = 0
    """How far apart writes had better begin: a store that pays for each write, whatever its size, asks for fewer."""


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """spans: rows held. disk_bytes: occupied on disk, 0 for memory. oldest_received_ns: None if empty."""

    spans: int
    disk_bytes: int
    oldest_received_ns: int | None


class SpanWriter(Protocol):
    def write(self, batch: SpanBatch) -> None:
        """Store every span of the batch, all or none. When it returns they are durable (if `durable`) and readable.

        Nothing is merged, de-duplicated or validated here: equal rows written twice are two rows.
        Raises StoreFull or StoreUnavailable: then none of the batch is stored, or (crash only) all of it is.
        """
        ...


Accepts = Callable[[Sequence[Span]], bool]
"""Whether a whole trace counts: its spans in the order they were written."""


class SpanReader(Protocol):
    def get_traces(self, trace_ids: Sequence[TraceId], *, strict: bool = True) -> list[list[Span]]:
        """The spans of each trace that exists; an unknown id gives no list, never an empty one.

        strict: ids match on all 128 bits, one list an id. Otherwise ids match and group by their low 64 bits, and
        every returned span keeps its own trace id. Lists come in the order of the ids asked (first mention), spans
        in the order they were written.
        """
        ...

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        """Whole traces with at least one span that satisfies the query (storage.matching), newest first.

        Newest: by the latest start of a satisfying span. At most `query.limit` traces. Grouping as in get_traces.
        """
        ...

    def find_traces_where(self, query: TraceQuery, accepts: Accepts, *, strict: bool = True) -> list[list[Span]]:
        """Of the traces that satisfy the query those that `accepts` takes, at most `query.limit`, as find_traces.

        `accepts` decides what the query cannot say. It is asked once a trace, newest first, in the calling thread,
        until `limit` are taken; what it refuses is let go at once. What it raises ends the search.
        """
        ...

    def find_trace_ids(self, query: TraceQuery, *, strict: bool = True) -> list[TraceId]:
        """The ids of the traces that `find_traces` gives, in its order, where possible without reading the traces.

        Not strict: the low 64 bits of each, zero-padded.
        """
        ...

    def find_trace_summaries(self, query: TraceQuery, *, strict: bool = True) -> list[TraceSummary]:
        """The summaries (storage.trace_summary) of the traces that `find_traces` gives, in its order.

        Each tells of all spans that its trace has at this moment. Where possible no span is read whole.
        """
        ...

    def services(self) -> list[str]:
        """Distinct local service names of the spans held, sorted; spans without one add nothing."""
        ...

    def operations(self, service: str, *, ignore_case: bool = False) -> list[Operation]:
        """Distinct (name, kind) of the spans local to that service, sorted; absent names add nothing."""
        ...

    def remote_services(self, service: str, *, ignore_case: bool = False) -> list[str]:
        """Distinct remote service names of the spans local to that service, sorted."""
        ...

    def tag_values(self, key: str) -> list[str]:
        """Distinct text forms of that span attribute, sorted. Only for keys in `StorageSettings.autocomplete_keys`."""
        ...

    def dependencies(self, start_ns: int, end_ns: int) -> list[DependencyLink]:
        """The links of every trace whose trace timestamp lies in [start_ns, end_ns], by Zipkin's rules.

        Trace timestamp: the start of the first-written span that has a start and no parent, else the least start.
        Traces group by the low 64 bits; whole traces are linked (storage.linking.linker), whatever part of them lies
        in the window.
        One link a (parent, child) pair, sorted by them.
        """
        ...

    def service_graph(self, start_ns: int, end_ns: int) -> ServiceGraph:
        """What calls what, how often, with how many errors and how slowly, uninstrumented far ends included.

        Of every trace whose trace timestamp (as in `dependencies`) lies in one of the whole minutes that
        [start_ns, end_ns] touches; whole traces, grouped as there. Which calls a trace shows, what the nodes are and
        what counts as a call's duration: storage.linking.graph. Between two nodes of the kind SERVICE the calls and
        errors are those of the link of `dependencies`, less those for whose callee a span describes another kind.
        Counts are exact, those of the latencies' buckets too; a negative duration is in the lowest bucket.
        """
        ...

    def call_series(self, query: CallQuery) -> list[CallSeries]:
        """One series for each service (and operation) that was called at any of the moments, sorted by them.

        When there are more than `limit`, those with the most calls; of equal ones the first by their names.
        Every span counts, repeated ones too; one without a start never does. An absent or negative duration counts
        as 0. Latencies are interpolated linearly between the closest ranks (storage.calls) and may be off by a 64th
        of themselves. The query's end_ns is within int64.

        Of many spans a store may answer from sums that it keeps, when step and window are whole minutes: then windows
        end at the last whole minute up to their moment (ten minutes or hour, when step and window are such), latencies
        may be off by a 32nd, and the calls of a service's operations beyond the thousandth may be one,
        OTHER_OPERATIONS.
        """
        ...

    def interrupt(self, thread_id: int) -> None:
        """Make what the store does for that thread's read (threading.get_ident) fail soon, with StoreUnavailable.

        Nothing happens when the store does nothing for it at this moment; ask again then. Any thread.
        """
        ...


class SpanStore(SpanWriter, SpanReader, Protocol):
    """A store that is open. `storage.factory.open_store` makes one; leaving the context closes it."""

    name: str
    capabilities: Capabilities

    def __enter__(self) -> Self:
        """Open: create or migrate the schema. SchemaVersionError, StoreConfigurationError, StoreUnavailable."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, after the last call of any other thread has returned."""
        ...

    def check(self) -> None:
        """Return if the store answers; raise StoreUnavailable if it does not."""
        ...

    def maintain(self, policy: RetentionPolicy, now_ns: int) -> int:
        """One round of upkeep: bring read-side tables up to date, drop what the policy lets go, give space back.

        Called from one thread every few seconds, beside reads and writes. Returns how many spans were dropped.
        """
        ...

    def statistics(self) -> StoreStatistics: ...
