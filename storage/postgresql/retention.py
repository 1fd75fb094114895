"""Letting the oldest spans go: out of sight, by the marks that all reads look past, then, segment by segment, away.

So nothing is ever deleted row by row, and a span past its age is gone for every reader at once. Its room comes back
when the last span of its segment has gone, which is some sixteenth of the retention later.
"""

from storage.postgresql import link_sums, segments, sql, sums
from storage.postgresql.connections import Connections
from storage.postgresql.moment import Moment
from storage.postgresql.segments import Segment
from storage.postgresql.session import Rows
from storage.requests import RetentionPolicy

SEGMENTS_KEPT = 16
"""How many segments a full retention is made of."""
MIN_SEGMENT_BYTES = 2**30
_LARGEST_SHARE = 24
"""A segment is full when it is this part of all: there are never so many that planning a read takes long."""
_BOUND_SHARE = 8
_LOW_WATER = 0.9
"""How much of a bound on disk is filled after a round, for what comes until the next."""
_STEP_SPANS = 1_000_000
_MAX_STEPS = 20

_GONE = "(received_ns < {horizon_ns:d} OR written < {first_written:d})"
_STEP = """
-- How far the horizon may move at once.
SELECT coalesce(max(received_ns) FILTER (WHERE spans_until <= {step_spans:d}), min(received_ns)) + 1 AS horizon_ns
FROM (
    SELECT received_ns, sum(spans) OVER (ORDER BY received_ns) AS spans_until FROM commits
    WHERE received_ns < {horizon_ns:d}
) AS expiring
"""
_SPANS_GONE = "SELECT coalesce(sum(spans), 0)::bigint AS spans FROM commits WHERE {gone}"
_MOVE_MARKS = (
    """
    UPDATE segments SET spans = segments.spans - gone.spans FROM (
        SELECT written >> {segment_bits:d} AS segment, sum(spans) AS spans FROM commits
        WHERE is_known AND {gone} GROUP BY 1
    ) AS gone WHERE segments.segment = gone.segment
    """,
    "DELETE FROM commits WHERE {gone}",
    "DELETE FROM span_names WHERE {gone}",
    "DELETE FROM new_names WHERE {gone}",
    "DELETE FROM tag_values WHERE {gone}",
    "UPDATE upkeep SET horizon_ns = greatest(horizon_ns, {horizon_ns:d}),"
    " first_written = greatest(first_written, {first_written:d})",
)
_FORGET_TEXTS = "DELETE FROM texts WHERE last_segment < %s"
_NO_HORIZON = -(2**63)


class Retention:
    """Applies a RetentionPolicy to one store. Used by the process that does the upkeep, after it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def apply(self, rows: Rows, policy: RetentionPolicy, now_ns: int) -> int:
        """Drop what the policy lets go; how many spans that was."""
        segments.drop_detached(rows)
        dropped = 0
        if policy.max_age_ns is not None:
            dropped += self._drop_expired(now_ns - policy.max_age_ns)
        self._open_next_if_full(rows, policy)
        if policy.max_bytes is not None:
            dropped += self._drop_beyond(rows, policy.max_bytes)
        self._drop_empty(rows)
        return dropped

    def _drop_expired(self, horizon_ns: int) -> int:
        dropped = 0
        for _ in range(_MAX_STEPS):
            with self._connections.arrows() as connection:
                statement = _STEP.format(horizon_ns=horizon_ns, step_spans=_STEP_SPANS)
                step_ns = connection.fetch(statement)["horizon_ns"][0].as_py()
            if step_ns is None:
                break
            dropped += self._move_marks(step_ns, 0)
        return dropped

    def _drop_beyond(self, rows: Rows, max_bytes: int) -> int:
        dropped = 0
        while _used_bytes(rows) > max_bytes * _LOW_WATER:
            oldest = segments.segments(rows)[0]
            if oldest.number == segments.open_segment(rows):
                if not segments.has_commits(rows, oldest.number):
                    break
                segments.open_next(rows, oldest.number + 1)
            segments.close(rows, oldest.number, only_if_empty=False)
            dropped += self._move_marks(_NO_HORIZON, segments.first_place(oldest.number + 1))
            self._drop(rows, oldest)
        return dropped

    def _drop_empty(self, rows: Rows) -> None:
        current = segments.open_segment(rows)
        for segment in segments.segments(rows):
            if segment.number >= current or segments.has_commits(rows, segment.number):
                continue
            if segments.close(rows, segment.number, only_if_empty=True):
                self._drop(rows, segment)

    def _drop(self, rows: Rows, segment: Segment) -> None:
        segments.drop(rows, segment)
        link_sums.take_dropped_back(rows)
        # One more segment, because a read may just have seen spans of the one that went.
        rows.change(_FORGET_TEXTS, (segments.segments(rows)[0].number - 1,))

    def _move_marks(self, horizon_ns: int, first_written: int) -> int:
        with self._connections.arrows() as connection:
            connection.execute(sql.OF_ONE_MOMENT)
            connection.execute(sql.ALONE)
            moment = Moment.of(connection)
            gone = _GONE.format(horizon_ns=horizon_ns, first_written=first_written)
            values = {
                "gone": gone,
                "segment_bits": sql.SEGMENT_BITS,
                "horizon_ns": horizon_ns,
                "first_written": first_written,
            }
            spans = int(connection.fetch(_SPANS_GONE.format(**values))["spans"][0].as_py())
            sums.discount(connection, moment, gone, horizon_ns, first_written)
            for statement in _MOVE_MARKS:
                connection.execute(statement.format(**values))
            connection.commit()
        return spans

    def _open_next_if_full(self, rows: Rows, policy: RetentionPolicy) -> None:
        current = segments.open_segment(rows)
        if not segments.has_commits(rows, current):
            return
        held = segments.segments(rows)
        size = next(segment.disk_bytes for segment in held if segment.number == current)
        full_bytes = max(MIN_SEGMENT_BYTES, sum(segment.disk_bytes for segment in held) // _LARGEST_SHARE)
        if policy.max_bytes is not None:
            full_bytes = min(full_bytes, policy.max_bytes // _BOUND_SHARE)
        is_old = policy.max_age_ns is not None and (
            segments.age_s(rows, current) > policy.max_age_ns / SEGMENTS_KEPT / 10**9
        )
        if size >= full_bytes or is_old:
            segments.open_next(rows, current + 1)


def _used_bytes(rows: Rows) -> int:
    return int(rows.fetch(sql.USED_BYTES)[0][0])
