"""Dropping the oldest spans, in slices that hold up no commit for long, and forgetting what went with them."""

from storage.duckdb import call_sums, link_sums, sql
from storage.duckdb.disk import Disk
from storage.duckdb.instance import Instance, transaction
from storage.duckdb.upkeep import Upkeep, segments
from storage.requests import RetentionPolicy

_SLICE_ROWS = 500_000
_MAX_ROWS_A_ROUND = 2_000_000
"""What the bound on disk drops before a checkpoint, which holds up commits: about 0.3 s for this many."""
_MAX_MARGIN_BYTES = 256 * 2**20
_LOW_WATER = 0.9
_WAL_SHARE = 0.25


def live_bound(max_bytes: int) -> int:
    """How many bytes of live blocks keep the whole file within max_bytes.

    Between two rounds the log and new row groups grow, and only row groups that lost all their spans give room back.
    """
    return max_bytes - min(max_bytes * 3 // 5, _MAX_MARGIN_BYTES)


class Retention:
    """Applies a RetentionPolicy to one store. Used by the thread that does the upkeep, after it."""

    def __init__(self, instance: Instance, disk: Disk, upkeep: Upkeep) -> None:
        self._instance = instance
        self._disk = disk
        self._upkeep = upkeep

    def apply(self, policy: RetentionPolicy, now_ns: int) -> int:
        """Drop what the policy lets go; how many spans that was."""
        dropped = 0
        if policy.max_age_ns is not None:
            dropped += self._drop_expired(now_ns - policy.max_age_ns)
        if policy.max_bytes is not None:
            dropped += self._drop_beyond(policy.max_bytes)
        return dropped

    def _drop_expired(self, oldest_kept_ns: int) -> int:
        expired, last_seq = self._ask(sql.EXPIRED, [oldest_kept_ns])
        dropped = 0
        while dropped < expired:
            beyond = self._ask_maybe(sql.EXPIRED_SEQ_AFTER_ROWS, [oldest_kept_ns, _SLICE_ROWS])
            gone = self._delete(sql.IS_EXPIRED, {"oldest_kept_ns": oldest_kept_ns, "last_seq": beyond or last_seq})
            if not gone:
                break
            dropped += gone
        if dropped:
            self._forget(last_seq)
        return dropped

    def _drop_beyond(self, max_bytes: int) -> int:
        bound = live_bound(max_bytes)
        (used,) = self._ask(sql.USED_BYTES, [])
        if used + self._disk.wal_bytes() <= bound:
            return 0
        # The log takes several times the bytes that its spans will take in the file; but each checkpoint leaves row
        # groups of its own, which should not be tiny.
        if self._disk.wal_bytes() > bound * _WAL_SHARE:
            self._checkpoint()
        (used,) = self._ask(sql.USED_BYTES, [])
        spans, stored = self._ask(sql.ROWS_HELD_AND_STORED, [])
        if not spans or used * spans / stored <= bound:
            return 0
        excess = spans - int(stored * bound * _LOW_WATER / used)
        dropped = self._drop_oldest(min(excess, _MAX_ROWS_A_ROUND))
        self._checkpoint()
        return dropped

    def _drop_oldest(self, spans: int) -> int:
        dropped = last_seq = 0
        while dropped < spans:
            rows = min(_SLICE_ROWS, spans - dropped)
            beyond = self._ask_maybe(sql.SEQ_AFTER_ROWS, [0, rows - 1])
            if beyond is None:
                break
            last_seq = beyond
            dropped += self._delete(sql.IS_OLDEST, {"last_seq": last_seq})
        if dropped:
            self._forget(last_seq)
        return dropped

    def _forget(self, last_dropped_seq: int) -> None:
        """Forget values of the segments that lost spans, and traces of which nothing is left.

        A segment that lost only a part of its spans is rolled up anew.
        """
        with self._instance.cursor() as cursor, transaction(cursor):
            (first_kept,) = cursor.execute(sql.FIRST_SEQ).fetchall()[0]
            touched = [segment for segment in segments(cursor) if segment[2] <= last_dropped_seq]
            for table in sql.PER_SEGMENT_TABLES:
                cursor.execute(sql.forget_segments(table), [last_dropped_seq])
            for after_seq, last_seq, segment in touched:
                if first_kept is not None and first_kept <= last_seq:
                    self._upkeep.roll_up_values(cursor, after_seq, last_seq, segment)
            oldest_needed = last_dropped_seq + 1 if first_kept is None else first_kept
            for statement in sql.FORGET_TRACES:
                cursor.execute(statement, [oldest_needed])
            link_sums.take_dropped_back(cursor)

    def _checkpoint(self) -> None:
        with self._instance.cursor() as cursor:
            cursor.execute("CHECKPOINT")

    def _ask(self, statement: str, parameters: list[int]) -> tuple[int, ...]:
        with self._instance.cursor() as cursor:
            (row,) = cursor.execute(statement, parameters).fetchall()
        return tuple(row)

    def _ask_maybe(self, statement: str, parameters: list[int]) -> int | None:
        with self._instance.cursor() as cursor:
            rows = cursor.execute(statement, parameters).fetchall()
        return int(rows[0][0]) if rows else None

    def _delete(self, condition: str, values: dict[str, int]) -> int:
        with self._instance.cursor() as cursor, transaction(cursor):
            link_sums.discount_spans(cursor, condition, values)
            call_sums.discount_spans(cursor, condition, values)
            (count,) = cursor.execute(sql.drop_spans(condition), values).fetchall()[0]
        return int(count)
