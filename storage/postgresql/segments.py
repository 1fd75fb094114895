"""Segments: the partitions of `spans` by the order of arrival. One is open, and none but the oldest is dropped.

Making and dropping them holds up neither reads nor writes: a new partition is made beside the table and attached, an
old one is detached concurrently, which waits for the reads that may look at it.
"""

from dataclasses import dataclass

import psycopg

from storage.postgresql import sql
from storage.postgresql.session import Rows

_LAST_PLACE = "SELECT last_value, is_called FROM spans_written"
_PARTITIONS = """
SELECT substring(relname FROM 'spans_(\\d+)$')::bigint, inhdetachpending, pg_total_relation_size(oid)
FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'spans'::regclass ORDER BY 1
"""
_DETACHED = """
SELECT substring(relname FROM 'spans_(\\d+)$')::bigint FROM pg_class
WHERE relkind = 'r' AND relname ~ '^spans_\\d+$' AND NOT relispartition
    AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'spans'::regclass)
"""
_CREATE = (
    # Not PARTITION OF: that would wait for every read, and every read for it.
    "CREATE TABLE {name} (LIKE spans INCLUDING ALL)",
    # Nothing is ever updated or deleted here, and everything is gone before it is old.
    "ALTER TABLE {name} SET (autovacuum_vacuum_insert_threshold = -1)",
    "ALTER TABLE {name} ALTER attributes SET STATISTICS 0, ALTER events SET STATISTICS 0",
    "ALTER TABLE spans ATTACH PARTITION {name} FOR VALUES FROM ({first:d}) TO ({stop:d})",
    "INSERT INTO segments VALUES ({segment:d}, now(), 0)",
)
_LOCK_SEGMENTS = "LOCK TABLE segments IN EXCLUSIVE MODE"
_INDEX_TAGS = "CREATE INDEX IF NOT EXISTS spans_tokens ON spans USING gin (tokens)"
_AGE_S = "SELECT extract(epoch FROM now() - opened_at)::float8 FROM segments WHERE segment = %s"
_CLOSE = (
    # Waits for writes that are under way, and holds up no read.
    "LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE",
    "CREATE OR REPLACE TRIGGER closed BEFORE INSERT ON {name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_spans()",
)
_HAS_COMMITS = "SELECT EXISTS (SELECT FROM commits WHERE written >= %s AND written < %s)"
_OPEN = "SELECT setval('spans_written', %s, false)"


@dataclass(frozen=True, slots=True)
class Segment:
    """A partition. detaching: it was to be detached when that was cut short."""

    number: int
    detaching: bool
    disk_bytes: int


def partition(segment: int) -> str:
    """The name of a segment's table."""
    return f"spans_{segment:d}"


def first_place(segment: int) -> int:
    """The lowest place in a segment."""
    return segment << sql.SEGMENT_BITS


def segments(rows: Rows) -> list[Segment]:
    """All partitions, the oldest first. The one that is open may be followed by one that is ready."""
    return [Segment(*row) for row in rows.fetch(_PARTITIONS)]


def open_segment(rows: Rows) -> int:
    """The segment that the next span is written to."""
    last, is_called = rows.fetch(_LAST_PLACE)[0]
    return int(last + (1 << sql.COMMIT_BITS) * is_called) >> sql.SEGMENT_BITS


def age_s(rows: Rows, segment: int) -> float:
    """How long ago a segment was made."""
    return float(rows.fetch(_AGE_S, (segment,))[0][0])


def make(rows: Rows, segment: int) -> None:
    """Make the partition of a segment, unless it is there."""
    if any(each.number == segment for each in segments(rows)):
        return
    with rows.transaction():
        for statement in _CREATE:
            rows.change(
                statement.format(
                    name=partition(segment),
                    first=first_place(segment),
                    stop=first_place(segment + 1),
                    segment=segment,
                )
            )


def make_first(rows: Rows) -> None:
    """Make the partition that is written to, if there is none; of several processes that start one does."""
    if not segments(rows):
        with rows.transaction():
            rows.fetch(_LOCK_SEGMENTS)
            make(rows, open_segment(rows))


def index_tags(rows: Rows) -> None:
    """Have an index on tags in all segments, those to come included. Making it holds up writes, on much data for long.

    An index in the full segments only would not do: PostgreSQL merges partitions by start, and then walks all of them.
    """
    with rows.transaction():
        rows.fetch(_LOCK_SEGMENTS)
        rows.change(_INDEX_TAGS)


def open_next(rows: Rows, segment: int) -> None:
    """Let what is written from now on go to this segment, which is made."""
    make(rows, segment)
    rows.fetch(_OPEN, (first_place(segment),))


def has_commits(rows: Rows, segment: int) -> bool:
    """Whether any span in a segment is held, by what is committed at this moment."""
    return bool(rows.fetch(_HAS_COMMITS, (first_place(segment), first_place(segment + 1)))[0][0])


def close(rows: Rows, segment: int, *, only_if_empty: bool) -> bool:
    """Let no process write to a segment any more, for one may have been given a place there long ago; whether so.

    Of what was written until now everything is visible afterwards. only_if_empty: not if any span in it is held.
    """
    with rows.transaction():
        for statement in _CLOSE:
            rows.change(statement.format(name=partition(segment)))
        if only_if_empty and has_commits(rows, segment):
            raise psycopg.Rollback
        return True
    return False


def drop(rows: Rows, segment: Segment) -> None:
    """Give the room of a segment back. No read looks at it any more, but for those that began before."""
    ending = "FINALIZE" if segment.detaching else "CONCURRENTLY"
    rows.change(f"ALTER TABLE spans DETACH PARTITION {partition(segment.number)} {ending}")
    drop_detached(rows)


def drop_detached(rows: Rows) -> None:
    """Drop the tables that are partitions no more; also those that a process left which ended between the two."""
    for (number,) in rows.fetch(_DETACHED):
        with rows.transaction():
            rows.change(f"DROP TABLE IF EXISTS {partition(number)}")
            rows.change("DELETE FROM segments WHERE segment = %s", (number,))
