"""Partitions by arrival: when one ends, when one goes, and that a write into one that is gone is refused."""

import psycopg
import pytest

from storage.batch import SpanBatch
from storage.errors import StoreUnavailable
from storage.postgresql import retention, segments
from storage.postgresql.address import address_of
from storage.postgresql.store import PostgreSQLStore
from storage.requests import RetentionPolicy
from tests.builders import DAY, TODAY_NS, a_span, a_trace_id
from tests.contract.asking import found
from tests.storage.postgresql.conftest import a_store

KEEP_EVERYTHING = RetentionPolicy(max_age_ns=None, max_bytes=None)


def partitions(database: psycopg.Connection) -> list[str]:
    found = database.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'spans'::regclass")
    return sorted(name for (name,) in found)


def open_next(store: PostgreSQLStore, segment: int) -> None:
    with store._connections.rows() as rows:
        segments.open_next(rows, segment)


def write(store: PostgreSQLStore, trace: int, received_ns: int) -> None:
    store.write(SpanBatch.of([a_span(trace)], received_ns))


@pytest.fixture
def two_segments(store: PostgreSQLStore) -> PostgreSQLStore:
    """Trace 1 is in the first, trace 2, which came two days later, in the one that is open."""
    write(store, 1, TODAY_NS)
    open_next(store, 2)
    write(store, 2, TODAY_NS + 2 * DAY)
    return store


def test_spans_are_written_to_the_open_segment_and_read_from_all(
    two_segments: PostgreSQLStore, database: psycopg.Connection
) -> None:
    assert partitions(database) == ["spans_1", "spans_2"]
    assert database.execute("SELECT count(*) FROM spans_1").fetchall() == [(1,)]
    assert sorted(found(two_segments)) == [1, 2]
    assert len(two_segments.get_traces([a_trace_id(1), a_trace_id(2)])) == 2


def test_a_segment_goes_as_a_whole_when_its_last_span_is_past_its_age(
    two_segments: PostgreSQLStore, database: psycopg.Connection
) -> None:
    assert two_segments.maintain(RetentionPolicy(DAY, None), TODAY_NS + 2 * DAY) == 1
    assert partitions(database) == ["spans_2"]
    assert database.execute("SELECT to_regclass('spans_1')").fetchall() == [(None,)]
    assert found(two_segments) == [2]


def test_an_expired_span_is_gone_from_sight_while_its_segment_is_still_held(
    store: PostgreSQLStore, database: psycopg.Connection
) -> None:
    write(store, 1, TODAY_NS)
    write(store, 2, TODAY_NS + 2 * DAY)
    assert store.maintain(RetentionPolicy(DAY, None), TODAY_NS + 2 * DAY) == 1
    assert database.execute("SELECT count(*) FROM spans").fetchall() == [(2,)]
    assert found(store) == [2]
    assert store.statistics().spans == 1


def test_texts_go_with_the_last_segment_that_used_them(store: PostgreSQLStore, database: psycopg.Connection) -> None:
    store.write(SpanBatch.of([a_span(1, service="old")], TODAY_NS))
    for segment in (2, 3):
        open_next(store, segment)
        store.write(SpanBatch.of([a_span(segment, service="young")], TODAY_NS + segment * DAY))
    policy = RetentionPolicy(DAY, None)
    store.maintain(policy, TODAY_NS + 3 * DAY + DAY // 2)
    texts = {text for (text,) in database.execute("SELECT text FROM texts WHERE role = 1")}
    assert texts == {"young"}
    assert store.services() == ["young"]


def test_a_place_in_a_segment_that_was_closed_meanwhile_takes_no_spans(
    two_segments: PostgreSQLStore, database: psycopg.Connection
) -> None:
    """Else a slow writer's spans would be acknowledged and go with the partition."""
    with two_segments._connections.rows() as rows:
        assert segments.close(rows, 1, only_if_empty=False)
    database.execute("SELECT setval('spans_written', %s, false)", (segments.first_place(1) + 2**30,))
    with pytest.raises(StoreUnavailable, match="the segment spans_1 is closed"):
        write(two_segments, 3, TODAY_NS)
    database.execute("SELECT setval('spans_written', %s, false)", (segments.first_place(2) + 2**30,))
    write(two_segments, 3, TODAY_NS)
    assert sorted(found(two_segments)) == [1, 2, 3]


def test_a_segment_that_holds_spans_is_not_closed_as_empty(two_segments: PostgreSQLStore) -> None:
    with two_segments._connections.rows() as rows:
        assert not segments.close(rows, 1, only_if_empty=True)
    assert sorted(found(two_segments)) == [1, 2]


def test_the_next_segment_is_opened_when_one_is_full(
    store: PostgreSQLStore, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.maintain(KEEP_EVERYTHING, TODAY_NS)
    write(store, 1, TODAY_NS)
    store.maintain(KEEP_EVERYTHING, TODAY_NS)
    assert partitions(database) == ["spans_1"]
    monkeypatch.setattr(retention, "MIN_SEGMENT_BYTES", 1)
    store.maintain(KEEP_EVERYTHING, TODAY_NS)
    assert partitions(database) == ["spans_1", "spans_2"]
    store.maintain(KEEP_EVERYTHING, TODAY_NS)
    assert partitions(database) == ["spans_1", "spans_2"], "an empty segment is never full"


def test_the_next_segment_is_opened_when_one_is_a_sixteenth_of_the_retention_old(
    store: PostgreSQLStore, database: psycopg.Connection
) -> None:
    write(store, 1, TODAY_NS)
    store.maintain(RetentionPolicy(DAY, None), TODAY_NS)
    assert partitions(database) == ["spans_1"]
    database.execute("UPDATE segments SET opened_at = opened_at - interval '91 minutes'")
    store.maintain(RetentionPolicy(DAY, None), TODAY_NS)
    assert partitions(database) == ["spans_1", "spans_2"]


def test_a_partition_that_a_process_left_half_dropped_is_dropped_by_the_next_upkeep(
    two_segments: PostgreSQLStore, database: psycopg.Connection, url: str
) -> None:
    database.execute("ALTER TABLE spans DETACH PARTITION spans_1 CONCURRENTLY")
    database.execute("DELETE FROM commits WHERE written < %s", (segments.first_place(2),))
    with a_store(url) as store:
        store.maintain(KEEP_EVERYTHING, TODAY_NS)
        assert database.execute("SELECT to_regclass('spans_1')").fetchall() == [(None,)]
        assert found(store) == [2]


def test_an_index_on_tags_is_made_when_asked_for_and_is_in_segments_to_come(
    url: str, database: psycopg.Connection
) -> None:
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename IN ('spans_1', 'spans_2') AND indexdef LIKE '%gin%'"
    with a_store(url) as store:
        write(store, 1, TODAY_NS)
        assert database.execute(indexes).fetchall() == [(0,)]
    for _ in range(2):
        with PostgreSQLStore(address_of(url, "CLEW_STORAGE_URL"), (), tag_index=True) as store:
            open_next(store, 2)
            write(store, 2, TODAY_NS)
            assert database.execute(indexes).fetchall() == [(2,)]
    database.execute("DROP INDEX spans_tokens")
