"""What the store tells a CallObserver: every span that came since it was opened, once, and the edges they made."""

from collections import Counter

import pyarrow as pa
import pytest

from storage.batch import SpanBatch
from storage.duckdb import upkeep
from storage.duckdb.store import DuckDBStore
from storage.latency_buckets import bucket_numbers
from storage.linking.graph_table import GRAPH_CALLS
from storage.reported_calls import SPAN_CALLS, ReportsCalls
from storage.requests import RetentionPolicy
from storage.span import Span, SpanKind, StatusCode
from tests.builders import MS, SECOND, TODAY_NS, a_span, a_span_id
from tests.storage.duckdb.conftest import StoreMaker

KEEP_EVERYTHING = RetentionPolicy(None, None)


class Told:
    """A CallObserver that adds up what it is told."""

    def __init__(self) -> None:
        self.spans: Counter[tuple[str, str, int, int]] = Counter()
        self.edges: Counter[tuple[str, str]] = Counter()
        self.tables: list[pa.Table] = []

    def on_spans(self, calls: pa.Table) -> None:
        assert calls.schema == SPAN_CALLS
        self.tables.append(calls)
        for row in calls.to_pylist():
            self.spans[row["service"], row["name"], row["kind"], row["status_code"]] += row["calls"]

    def on_edges(self, change: pa.Table) -> None:
        assert change.schema == GRAPH_CALLS
        for row in change.to_pylist():
            self.edges[row["parent"], row["child"]] += row["calls"]


def a_call(trace: int) -> list[Span]:
    """web calls shop."""
    times = {"start_ns": TODAY_NS, "duration_ns": 10 * MS}
    return [
        a_span(trace, 1, service="web", name="buy", kind=SpanKind.CLIENT, **times),
        a_span(trace, 2, parent_span_id=a_span_id(1), service="shop", name="sell", kind=SpanKind.SERVER, **times),
    ]


def write(store: DuckDBStore, *spans: Span, received_ns: int = TODAY_NS) -> None:
    store.write(SpanBatch.of(spans, received_ns))


def test_the_store_is_one_that_reports_calls(store: DuckDBStore) -> None:
    assert isinstance(store, ReportsCalls)


def test_every_span_is_told_once_however_small_the_slices_are(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 2)
    told = Told()
    store.report_calls_to(told)

    for trace in range(1, 8):
        write(store, *a_call(trace))
        if trace % 3 == 0:
            store.maintain(KEEP_EVERYTHING, TODAY_NS)
    store.maintain(KEEP_EVERYTHING, TODAY_NS)
    store.maintain(KEEP_EVERYTHING, TODAY_NS)

    assert told.spans == {("web", "buy", 3, 0): 7, ("shop", "sell", 2, 0): 7}
    assert told.edges == {("web", "shop"): 7}


def test_spans_are_told_by_bucket_with_the_sum_of_their_durations(store: DuckDBStore) -> None:
    told = Told()
    store.report_calls_to(told)

    write(
        store,
        a_span(1, 1, service="shop", name=None, kind=SpanKind.SERVER, duration_ns=10 * MS),
        a_span(1, 2, service="shop", name=None, kind=SpanKind.SERVER, duration_ns=10 * MS + 1),
        a_span(1, 3, service="shop", name="x", status_code=StatusCode.ERROR, duration_ns=-5, start_ns=None),
        a_span(1, 4, service=None),
    )
    store.maintain(KEEP_EVERYTHING, TODAY_NS)

    (table,) = told.tables
    plain = {"service": "shop", "kind": 2, "status_code": 0, "calls": 2, "name": ""}
    assert sorted(table.to_pylist(), key=lambda row: str(row["name"])) == [
        plain | {"bucket": int(bucket_numbers(pa.array([10 * MS]).to_numpy())[0]), "duration_ns": 20.0 * MS + 1},
        plain | {"name": "x", "kind": 0, "status_code": 2, "bucket": 0, "calls": 1, "duration_ns": 0.0},
    ]


def test_what_was_held_before_the_store_was_opened_is_not_told(make_store: StoreMaker) -> None:
    with make_store() as store:
        write(store, *a_call(1))
    told = Told()

    with make_store() as store:
        store.report_calls_to(told)
        write(store, *a_call(2))
        store.maintain(KEEP_EVERYTHING, TODAY_NS)

    assert told.spans == {("web", "buy", 3, 0): 1, ("shop", "sell", 2, 0): 1}
    assert told.edges == {("web", "shop"): 1}


def test_retention_takes_nothing_back(store: DuckDBStore) -> None:
    told = Told()
    store.report_calls_to(told)
    write(store, *a_call(1))
    store.maintain(KEEP_EVERYTHING, TODAY_NS)

    assert store.maintain(RetentionPolicy(SECOND, None), TODAY_NS + 2 * SECOND) == 2

    assert told.spans.total() == 2
    assert told.edges == {("web", "shop"): 1}


def test_a_span_that_comes_late_moves_the_call_it_is_of(store: DuckDBStore) -> None:
    told = Told()
    store.report_calls_to(told)
    client, server = a_call(1)
    write(store, client, a_span(1, 3, parent_span_id=a_span_id(2), service="db", kind=SpanKind.SERVER))
    store.maintain(KEEP_EVERYTHING, TODAY_NS)

    write(store, server)
    store.maintain(KEEP_EVERYTHING, TODAY_NS)

    held = {(link.parent, link.child): link.call_count for link in store.dependencies(0, 2 * TODAY_NS)}
    assert {edge: calls for edge, calls in told.edges.items() if calls} == held
