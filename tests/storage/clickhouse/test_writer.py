"""A write is stored once, whole and in its place, however often it has to be tried."""

from collections.abc import Mapping

import pyarrow as pa
import pytest

from storage.batch import SpanBatch
from storage.clickhouse.address import Address
from storage.clickhouse.connection import Connection
from storage.clickhouse.store import ClickHouseStore
from storage.clickhouse.writer import Writer
from storage.errors import StoreUnavailable
from storage.span import Span
from tests.builders import TODAY_NS, a_span, a_trace_id, a_zipkin_trace, exactly
from tests.servers.clickhouse_databases import clickhouse_server


class LosingAnswers(Connection):
    """A connection that loses the answers to so many inserts, which the server has stored by then."""

    lost = 0

    def insert(self, table: str, rows: pa.Table, settings: Mapping[str, object]) -> None:
        super().insert(table, rows, settings)
        if self.lost:
            self.lost -= 1
            raise StoreUnavailable("the answer was lost")


@pytest.fixture
def losing(address: Address, store: ClickHouseStore) -> LosingAnswers:
    connection = LosingAnswers(address)
    connection.open()
    return connection


def ask(address: Address, statement: str) -> str:
    return clickhouse_server().execute(statement.format(database=address.database)).strip()


def test_a_write_whose_answer_was_lost_is_stored_once_when_it_is_tried_again(
    store: ClickHouseStore, losing: LosingAnswers
) -> None:
    writer, batch = Writer(losing, None), SpanBatch.of(a_zipkin_trace(), TODAY_NS)
    losing.lost = 2
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            writer.write(batch)
    writer.write(batch)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([a_zipkin_trace()])


def test_a_batch_that_is_written_again_after_it_was_stored_is_stored_twice(
    store: ClickHouseStore, losing: LosingAnswers
) -> None:
    writer, batch = Writer(losing, None), SpanBatch.of([a_span()], TODAY_NS)
    losing.lost = 1
    with pytest.raises(StoreUnavailable):
        writer.write(batch)
    writer.write(batch)
    writer.write(batch)
    assert store.statistics().spans == 2


def test_another_batch_after_a_lost_answer_is_another_write(store: ClickHouseStore, losing: LosingAnswers) -> None:
    writer = Writer(losing, None)
    losing.lost = 1
    with pytest.raises(StoreUnavailable):
        writer.write(SpanBatch.of([a_span()], TODAY_NS))
    writer.write(SpanBatch.of([a_span()], TODAY_NS))
    assert store.statistics().spans == 2


def test_views_that_a_broken_write_did_not_come_to_are_filled_when_it_is_tried_again(
    store: ClickHouseStore, address: Address
) -> None:
    batch = SpanBatch.of(a_zipkin_trace(), TODAY_NS)
    ask(address, "RENAME TABLE {database}.trace_buckets TO {database}.away")
    with pytest.raises(StoreUnavailable):
        store.write(batch)
    ask(address, "RENAME TABLE {database}.away TO {database}.trace_buckets")
    store.write(batch)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([a_zipkin_trace()])
    assert store.services() == ["backend", "frontend"]
    assert store.statistics().spans == 4


def test_a_write_is_one_part_whenever_its_spans_started(store: ClickHouseStore, address: Address) -> None:
    ask(address, "SYSTEM STOP MERGES {database}.spans")
    spans = [a_span(span=n, start_ns=None if n % 7 == 0 else TODAY_NS - n * 10**14) for n in range(1, 20_000)]
    store.write(SpanBatch.of(spans, TODAY_NS))
    parts = ask(address, "SELECT count() FROM system.parts WHERE database = '{database}' AND table = 'spans'")
    assert parts == "1"
    assert store.statistics().spans == len(spans)


def test_spans_keep_the_order_of_writing_when_the_clock_goes_back(store: ClickHouseStore, address: Address) -> None:
    now_ns = iter([5_000, 4_000, 4_000, 10_000])
    connection = Connection(address)
    connection.open()
    writer = Writer(connection, None, lambda: next(now_ns))
    for number in (4, 3, 9, 1):
        writer.write(SpanBatch.of([a_span(span=number), a_span(span=number + 10)], TODAY_NS))
    assert numbers(store) == [4, 14, 3, 13, 9, 19, 1, 11]
    later = Writer(connection, None, lambda: 7_000)
    later.write(SpanBatch.of([a_span(span=2)], TODAY_NS))
    assert numbers(store)[-1] == 2


def numbers(store: ClickHouseStore) -> list[int]:
    (trace,) = store.get_traces([a_trace_id(1)])
    return [number_of(span) for span in trace]


def number_of(span: Span) -> int:
    return int.from_bytes(span.span_id, "big")


def test_a_write_syncs_one_file_a_table(store: ClickHouseStore, address: Address) -> None:
    synced = "SELECT sum(value) FROM system.events WHERE event = 'FileSync'"
    # What is merged meanwhile is synced, too.
    for table in ("spans", "names", "resources", "trace_buckets"):
        ask(address, f"SYSTEM STOP MERGES {{database}}.{table}")
    before = int(ask(address, synced))
    store.write(SpanBatch.of(a_zipkin_trace(), TODAY_NS))
    assert 4 <= int(ask(address, synced)) - before < 12


def test_parts_are_synced_to_disk_after_an_insert_and_after_a_merge(store: ClickHouseStore, address: Address) -> None:
    made = ask(address, "SELECT create_table_query FROM system.tables WHERE database = '{database}' AND name = 'spans'")
    for setting in ("fsync_after_insert = 1", "fsync_part_directory = 1", "min_rows_to_fsync_after_merge = 1"):
        assert setting in made
