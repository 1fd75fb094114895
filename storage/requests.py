"""What can be asked of a store: frozen values, validated when they are made. Times are epoch nanoseconds."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from storage.latency_buckets import Histogram


@dataclass(frozen=True, slots=True)
class TagFilter:
    """One condition on a span's tags. `text` None asks only that the tag (or a Zipkin annotation) is there.

    `storage.matching` says exactly what satisfies it.
    """

    key: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Find traces in which ONE span satisfies every condition given; None and () are no condition.

    start_min_ns, start_max_ns: bounds of that span's start, both inclusive; a span without a start never matches.
    duration_min_ns, duration_max_ns: bounds of that span's duration, both inclusive; an absent duration counts as 0.
    service, operation, remote_service: compared exactly, or after lower-casing both sides when `ignore_case`.
    limit: how many traces at most, at least 1.
    """

    start_min_ns: int
    start_max_ns: int
    limit: int
    service: str | None = None
    operation: str | None = None
    remote_service: str | None = None
    tags: tuple[TagFilter, ...] = ()
    duration_min_ns: int | None = None
    duration_max_ns: int | None = None
    ignore_case: bool = False

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"expected limit >= 1, got {self.limit}")


@dataclass(frozen=True, slots=True)
class Operation:
    """A span name of a service, with the span kind's number (storage.span.SpanKind)."""

    name: str
    kind: int


@dataclass(frozen=True, slots=True)
class DependencyLink:
    """Calls from one service to another: both names non-empty, call_count >= error_count >= 0."""

    parent: str
    child: str
    call_count: int
    error_count: int = 0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Which spans may go. max_age_ns counts from `received_ns`; None keeps for ever. max_bytes bounds the disk use."""

    max_age_ns: int | None
    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class CallQuery:
    """How often, how badly and how slowly services were called, at `points` moments `step_ns` apart.

    end_ns: the last moment. A moment counts the spans that started in the window before it, (moment - window_ns,
    moment]; window_ns is at most step_ns, or a multiple of it.
    services: local service names, compared exactly. kinds: numbers of storage.span.SpanKind.
    by_operation: apart by span name, an absent name as "".
    quantile: from 0 to 1, of the durations; None asks for no latencies.
    limit: how many series at most, at least 1.
    """

    services: tuple[str, ...]
    kinds: tuple[int, ...]
    end_ns: int
    step_ns: int
    points: int
    window_ns: int
    by_operation: bool = False
    quantile: float | None = None
    limit: int = 10_000

    def __post_init__(self) -> None:
        for name in ("step_ns", "points", "window_ns", "limit"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")
        if self.window_ns > self.step_ns and self.window_ns % self.step_ns:
            raise ValueError(f"expected window_ns up to {self.step_ns} or a multiple of it, got {self.window_ns}")
        if self.quantile is not None and not 0 <= self.quantile <= 1:
            raise ValueError(f"expected a quantile from 0 to 1, got {self.quantile}")

    @property
    def steps(self) -> int:
        """How many steps the windows of all moments reach over."""
        return self.points + max(1, self.window_ns // self.step_ns) - 1

    @property
    def moments_ns(self) -> range:
        """The moments, oldest first."""
        return range(self.end_ns - (self.points - 1) * self.step_ns, self.end_ns + 1, self.step_ns)


@dataclass(frozen=True, slots=True)
class CallSeries:
    """The calls of one service, or of one operation of it: a value for each moment of a CallQuery, oldest first.

    operation: None unless the query is `by_operation`. calls: spans counted; errors: those of them with the status
    ERROR. latencies_ns: None where nothing was called; () when the query has no quantile.
    """

    service: str
    operation: str | None
    calls: tuple[int, ...]
    errors: tuple[int, ...]
    latencies_ns: tuple[float | None, ...] = ()


class NodeKind(IntEnum):
    """What a node of the service graph is. Its members' numbers are stored: they never change."""

    SERVICE = 0
    DATABASE = 1
    QUEUE = 2
    EXTERNAL = 3


class NodeKey(NamedTuple):
    """What tells a node of the service graph from others: the host `orders` and the service `orders` are two."""

    name: str
    kind: NodeKind


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One end of a call at least. instrumented: whether one of its own spans tells of a call it made or got."""

    key: NodeKey
    instrumented: bool


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """Calls from one node to another; calls >= errors >= 0, calls > 0.

    latencies: how many of the calls took how long. They are fewer than the calls when the durations of some are not
    known.
    """

    parent: NodeKey
    child: NodeKey
    calls: int
    errors: int
    latencies: Histogram


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """nodes: the ends of all edges, sorted by their keys. edges: one a pair of nodes, sorted by parent and child."""

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()
