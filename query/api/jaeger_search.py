"""What a search means where the client leaves something open: one decision for all of Jaeger's read windows."""

from query.errors import BadRequest
from storage.requests import TagFilter, TraceQuery
from storage.times import clamped_ns

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1500
"""The most that Jaeger's own UI offers; a search holds its traces in memory, so there must be an end."""
DEFAULT_WINDOW_NS = 48 * 3600 * 10**9


def trace_query(
    now_ns: int,
    *,
    start_min_ns: int | None = None,
    start_max_ns: int | None = None,
    limit: int | None = None,
    service: str | None = None,
    operation: str | None = None,
    tags: tuple[TagFilter, ...] = (),
    duration_min_ns: int | None = None,
    duration_max_ns: int | None = None,
) -> TraceQuery:
    """What to ask the store. None and "" are not given, and so is a duration of 0.

    The window defaults to the 48 hours before `now_ns`; both bounds are inclusive, clamped to 64 bits.
    limit: DEFAULT_LIMIT when not given, at most LARGEST_LIMIT; 0 and below, which ask Jaeger v1 for everything, ask for
    that most. BadRequest when no duration lies within the bounds.
    """
    if duration_min_ns and duration_max_ns and duration_max_ns < duration_min_ns:
        raise BadRequest("'maxDuration' should be greater than 'minDuration'")
    return TraceQuery(
        start_min_ns=now_ns - DEFAULT_WINDOW_NS if start_min_ns is None else clamped_ns(start_min_ns),
        start_max_ns=now_ns if start_max_ns is None else clamped_ns(start_max_ns),
        limit=_limit(limit),
        service=service or None,
        operation=operation or None,
        tags=tags,
        duration_min_ns=duration_min_ns or None,
        duration_max_ns=duration_max_ns or None,
    )


def _limit(asked: int | None) -> int:
    if asked is None:
        return DEFAULT_LIMIT
    return min(asked, LARGEST_LIMIT) if asked > 0 else LARGEST_LIMIT
