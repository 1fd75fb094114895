"""What can be asked of a store: frozen values, validated when they are made. Times are epoch nanoseconds."""

from dataclasses import dataclass


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
