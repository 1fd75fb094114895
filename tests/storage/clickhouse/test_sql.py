"""The SQL that searches and look-ups become, and that ClickHouse prunes by it."""

import json
from typing import Any

import sqlalchemy as sa

from storage.batch import SpanBatch
from storage.clickhouse import sql
from storage.clickhouse.address import Address
from storage.clickhouse.candidates import bucket_of, conditions_of, started_within
from storage.clickhouse.connection import Connection
from storage.clickhouse.store import ClickHouseStore
from storage.span_conditions import StoredNames
from tests.builders import SECOND, TODAY_NS, a_span, a_trace_id
from tests.contract.asking import a_query

DROPPED = "received_ns >= (SELECT max(before_received_ns) FROM dropped)"


def searched(resources: list[str], **criteria: Any) -> tuple[str, dict[str, object]]:
    conditions = conditions_of(a_query(**criteria), StoredNames(["frontend"], None, None), lambda tag: resources)
    columns = sql.SPANS.c
    return sql.compiled(sa.select(columns.trace_id).where(*started_within(1, 2 * 10**18), *conditions))


def test_a_search_names_buckets_and_keeps_values_out_of_its_text() -> None:
    text, values = searched([], tags={"http.method": "GET"}, duration_min_ns=5)
    assert " ".join(text.split()) == (
        "SELECT `spans`.`trace_id` FROM `spans` WHERE `spans`.`bucket` BETWEEN %(bucket_1)s AND %(bucket_2)s "
        "AND `spans`.`start_ns` BETWEEN %(start_ns_1)s AND %(start_ns_2)s "
        f"AND {DROPPED} "
        "AND `spans`.`service` IN (%(service_1_1)s) AND `spans`.`duration_ns` >= %(duration_ns_1)s "
        "AND position(`spans`.`attribute_keys`, %(position_1)s) > %(position_2)s "
        "AND has(`spans`.`tokens`, %(has_1)s)"
    )
    assert values["service_1_1"] == "frontend"
    assert (values["bucket_1"], values["bucket_2"]) == (0, 2 * 10**18 // sql.BUCKET_NS)


def test_a_trace_is_asked_by_its_buckets_its_low_half_and_its_id() -> None:
    key = bytes(range(0x30, 0x40))
    assert sql.of_traces([sql.low_number(key)], [key]) == (
        "bucket IN (SELECT bucket FROM trace_buckets WHERE trace_low IN (4557147201846524216))"
        " AND reinterpretAsUInt64(substring(trace_id, 9)) IN (4557147201846524216)"
        f" AND {DROPPED}"
        r" AND trace_id IN ('\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f')"
    )


def test_one_trace_is_read_by_one_thread_and_several_by_as_many_as_there_are() -> None:
    one, two = ([sql.low_number(a_trace_id(n)) for n in range(1, last)] for last in (2, 3))
    assert sql.spans_of_traces(one, None).endswith(" ORDER BY written SETTINGS max_threads = 1")
    assert sql.spans_of_traces(two, None).endswith(" ORDER BY written")


def test_a_bucket_is_the_one_that_clickhouse_computes(store: ClickHouseStore, address: Address) -> None:
    starts = [0, 1, -1, sql.BUCKET_NS, sql.BUCKET_NS - 1, -sql.BUCKET_NS, 1 - sql.BUCKET_NS, 2**63 - 1, -(2**63)]
    store.write(SpanBatch.of([a_span(span=n, start_ns=start) for n, start in enumerate(starts, 1)], TODAY_NS))
    found = opened(address).rows("SELECT start_ns, bucket FROM spans")
    assert dict(map(tuple, found)) == {start: bucket_of(start) for start in starts}


def test_a_window_of_an_hour_reads_a_part_of_a_day(store: ClickHouseStore, address: Address) -> None:
    spans = [a_span(n, start_ns=TODAY_NS + n * 2 * SECOND) for n in range(40_000)]
    store.write(SpanBatch.of(spans, TODAY_NS))
    hour = range(bucket_of(TODAY_NS), bucket_of(TODAY_NS) + 12)
    read, held = granules(address, f"SELECT trace_id FROM spans WHERE bucket BETWEEN {hour[0]} AND {hour[-1]}")
    assert held >= 5
    assert read == 1


def test_a_trace_or_a_tag_of_one_span_reads_one_granule_of_many(store: ClickHouseStore, address: Address) -> None:
    spans = [a_span(n, start_ns=TODAY_NS + n, attributes={"n": n}) for n in range(40_000)]
    store.write(SpanBatch.of(spans, TODAY_NS))
    by_id = sql.spans_of_traces([sql.low_number(a_trace_id(12_345))], [a_trace_id(12_345)])
    assert granules(address, by_id)[0] == 1
    text, values = searched([], tags={"n": "12345"})
    read, held = granules(address, text, values)
    assert (read, held >= 5) == (1, True)


def opened(address: Address) -> Connection:
    connection = Connection(address)
    connection.open()
    return connection


def granules(address: Address, statement: str, values: dict[str, object] | None = None) -> tuple[int, int]:
    """How many granules of `spans` a statement reads, and how many there are."""
    rows = opened(address).rows(f"EXPLAIN json = 1, indexes = 1 {statement}", values)
    plan = json.loads("\n".join(row[0] for row in rows))
    ((first, last),) = [
        (indexes[0]["Initial Granules"], indexes[-1]["Selected Granules"])
        for table, indexes in index_uses(plan)
        if table.endswith(".spans")
    ]
    return last, first


def index_uses(plan: object) -> list[tuple[str, list[dict[str, int]]]]:
    """The table and the indexes of every read in a plan."""
    if isinstance(plan, list):
        return [found for each in plan for found in index_uses(each)]
    if not isinstance(plan, dict):
        return []
    own = [(str(plan.get("Description")), plan["Indexes"])] if "Indexes" in plan else []
    return own + [found for each in plan.values() for found in index_uses(each)]
