"""A bound on disk drops whole partitions, the oldest first, also such as hold nothing that is not let go already."""

from storage.batch import SpanBatch
from storage.clickhouse.address import Address
from storage.clickhouse.sql import PARTITION_NS
from storage.clickhouse.store import ClickHouseStore
from storage.requests import RetentionPolicy
from tests.builders import SECOND, TODAY_NS, a_span
from tests.servers.clickhouse_databases import clickhouse_server

FIRST_NS = TODAY_NS // PARTITION_NS * PARTITION_NS


def partitions(address: Address) -> list[int]:
    asked = f"database = '{address.database}' AND table = 'spans' AND active"
    rows = clickhouse_server().execute(
        f"SELECT DISTINCT toInt64(partition) AS p FROM system.parts WHERE {asked} ORDER BY p"
    )
    return [int(row) for row in rows.split()]


def test_the_oldest_partitions_go_until_the_rest_fits(store: ClickHouseStore, address: Address) -> None:
    for number in range(4):
        spans = [a_span(number + 1, n, attributes={"n": f"{n * 7919:x}"}) for n in range(1, 2000)]
        store.write(SpanBatch.of(spans, FIRST_NS + number * PARTITION_NS + SECOND))
    held = store.statistics()
    expired = RetentionPolicy(max_age_ns=SECOND, max_bytes=None)
    assert store.maintain(expired, FIRST_NS + 4 * SECOND) == 1999
    assert len(partitions(address)) == 4
    bound = RetentionPolicy(max_age_ns=None, max_bytes=held.disk_bytes * 3 // 5)
    assert store.maintain(bound, FIRST_NS) == 1999
    assert partitions(address) == [FIRST_NS // PARTITION_NS + 2, FIRST_NS // PARTITION_NS + 3]
    assert store.statistics().disk_bytes <= held.disk_bytes * 3 // 5
    assert store.statistics().spans == 2 * 1999
