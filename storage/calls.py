"""What a CallQuery answers: the executable definition that every store's SQL must agree with."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import floor
from typing import NamedTuple

from storage.requests import CallQuery, CallSeries
from storage.span import Span, StatusCode

OTHER_OPERATIONS = "other-operations"
"""The name under which a store may count the calls of a service that has too many operations to count each apart."""


class _Call(NamedTuple):
    start_ns: int
    duration_ns: int
    error: bool


def call_series(spans: Iterable[Span], query: CallQuery) -> list[CallSeries]:
    """As SpanReader.call_series, of these spans; latencies are exact."""
    calls: dict[tuple[str, str | None], list[_Call]] = {}
    for span in spans:
        if span.service in query.services and span.kind in query.kinds and _is_counted(span.start_ns, query):
            key = span.service, (span.name or "") if query.by_operation else None
            call = _Call(span.start_ns or 0, max(0, span.duration_ns or 0), span.status_code is StatusCode.ERROR)
            calls.setdefault(key, []).append(call)
    most_called = sorted(sorted(calls), key=lambda key: -len(calls[key]))[: query.limit]
    return [_series(service, operation, calls[service, operation], query) for service, operation in sorted(most_called)]


def _is_counted(start_ns: int | None, query: CallQuery) -> bool:
    """Whether a span that starts then lies in any window."""
    if start_ns is None or start_ns > query.end_ns:
        return False
    steps, rest_ns = divmod(query.end_ns - start_ns, query.step_ns)
    width = max(1, query.window_ns // query.step_ns)
    return steps < query.points + width - 1 and rest_ns < query.window_ns


def quantile(ordered: Sequence[int], fraction: float) -> float:
    """Interpolated linearly between the closest ranks, as SQL's quantile_cont; of at least one value."""
    position = fraction * (len(ordered) - 1)
    lower = floor(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (position - lower)


def _series(service: str, operation: str | None, calls: list[_Call], query: CallQuery) -> CallSeries:
    calls.sort()
    starts = [call.start_ns for call in calls]
    windows = [
        calls[bisect_right(starts, moment_ns - query.window_ns) : bisect_right(starts, moment_ns)]
        for moment_ns in query.moments_ns
    ]
    return CallSeries(
        service,
        operation,
        tuple(len(window) for window in windows),
        tuple(sum(call.error for call in window) for window in windows),
        () if query.quantile is None else tuple(_latency_ns(window, query.quantile) for window in windows),
    )


def _latency_ns(window: list[_Call], fraction: float) -> float | None:
    return quantile(sorted(call.duration_ns for call in window), fraction) if window else None
