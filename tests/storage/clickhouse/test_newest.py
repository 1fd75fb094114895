"""The newest spans, found by windows of time: in order, each once, and no bound on how much a search may name."""

import pytest

from storage.batch import SpanBatch
from storage.clickhouse import sql
from storage.clickhouse.address import Address
from storage.clickhouse.connection import Connection
from storage.clickhouse.newest import newest_spans
from storage.clickhouse.store import ClickHouseStore
from storage.span import Resource
from tests.builders import DAY, HOUR, SECOND, TODAY_NS, a_span, a_trace_id
from tests.contract.asking import a_query

LEAST_NS, LARGEST_NS = -(2**63), 2**63 - 1
STARTS = [
    LEAST_NS,
    -1,
    0,
    1,
    *(TODAY_NS - ago for ago in (400 * DAY, 2 * DAY, DAY, HOUR, 299 * SECOND, 1, 0)),
    LARGEST_NS,
]


@pytest.fixture
def connection(store: ClickHouseStore, address: Address) -> Connection:
    """To a store with a span of each of STARTS, oldest first, in traces 1, 2 and so on."""
    spans = [a_span(n, start_ns=start_ns) for n, start_ns in enumerate(STARTS, 1)]
    store.write(SpanBatch.of(spans, TODAY_NS))
    opened = Connection(address)
    opened.open()
    return opened


@pytest.mark.parametrize("size", [1, 5, len(STARTS), 100])
def test_spans_of_all_times_come_latest_first_and_once_each(connection: Connection, size: int) -> None:
    expected = [(a_trace_id(n), start_ns) for n, start_ns in enumerate(STARTS, 1)][::-1]
    assert newest_spans(connection, [], 2 * LEAST_NS, 2 * LARGEST_NS, size) == expected[:size]


def test_both_ends_of_the_window_are_in_it(connection: Connection) -> None:
    found = newest_spans(connection, [], TODAY_NS - DAY, TODAY_NS - 1, 100)
    assert [start_ns for _, start_ns in found] == [TODAY_NS - ago for ago in (1, 299 * SECOND, HOUR, DAY)]


def test_a_search_for_few_reads_the_last_buckets_only(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    table = connection.table

    def counting(statement: str, values: dict[str, object]) -> object:
        asked.append(str(values["bucket_1"]))
        return table(statement, values)

    monkeypatch.setattr(connection, "table", counting)
    newest_spans(connection, [], TODAY_NS - DAY, TODAY_NS - 1, 2)
    assert asked == [str((TODAY_NS - 1) // sql.BUCKET_NS)]


def test_as_many_traces_as_a_search_may_give_are_read_and_summed_up(store: ClickHouseStore) -> None:
    spans = [a_span(n, start_ns=TODAY_NS + n) for n in range(1, 2001)]
    store.write(SpanBatch.of([*spans, *spans], TODAY_NS))
    expected = [a_trace_id(n) for n in range(2000, 500, -1)]
    found = store.find_traces(a_query(limit=1500))
    assert [trace[0].trace_id for trace in found] == expected
    assert [len(trace) for trace in found] == [2] * 1500
    assert [summary.trace_id for summary in store.find_trace_summaries(a_query(limit=1500))] == expected


def test_a_tag_of_very_many_resources_is_found(store: ClickHouseStore) -> None:
    spans = [
        a_span(n, start_ns=TODAY_NS + n, resource=Resource({"k": "v", "host": f"{n}-{'h' * 400}"}))
        for n in range(1, 501)
    ]
    store.write(SpanBatch.of(spans, TODAY_NS))
    assert len(store.find_traces(a_query(tags={"k": "v"}, limit=500))) == 500
