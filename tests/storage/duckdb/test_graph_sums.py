"""Sums of the service graph: whatever comes, goes and is repeated, a window has the graph of linking from scratch."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from storage.batch import SpanBatch
from storage.duckdb import graph_sums, link_sums, service_graph, upkeep
from storage.duckdb.peers import texts_of_json
from storage.duckdb.store import DuckDBStore
from storage.ids import TraceId
from storage.linking.change import Window
from storage.linking.graph import graph_of_traces, whole_minutes
from storage.linking.graph_change import graph_change_within
from storage.linking.graph_table import Describe
from storage.linking.link_span import link_span_of
from storage.linking.table import RULES
from storage.requests import NodeKind, RetentionPolicy, ServiceGraph
from storage.span import Endpoint, Span, SpanKind
from tests.builders import DAY, HOUR, MS, SECOND, a_span
from tests.contract.test_dependencies_agreement import trace_timestamp_ns
from tests.contract.test_service_graph import DESCRIPTIONS, outline
from tests.storage.duckdb.conftest import StoreMaker
from tests.storage.duckdb.lives import HOUR_STARTS_NS, KEEP_EVERYTHING, MINUTE, Step, live, rows_of
from tests.storage.duckdb.test_link_sums import IDS, STEPS

DAY_STARTS_NS = 20_417 * DAY
GRAPH_WINDOWS = [
    (HOUR_STARTS_NS - 100 * HOUR, HOUR_STARTS_NS + 100 * HOUR),
    (HOUR_STARTS_NS - MINUTE, HOUR_STARTS_NS + HOUR + MINUTE - 1),
    (DAY_STARTS_NS - DAY, DAY_STARTS_NS + DAY - 1),
]
DESCRIBED = st.builds(
    lambda attributes, duration_ns, address: {
        "attributes": attributes,
        "duration_ns": duration_ns,
        "address": address,
    },
    st.sampled_from(DESCRIPTIONS),
    st.none() | st.sampled_from([-1, 0, 5 * MS, SECOND]),
    st.sampled_from([None, None, "10.0.0.9"]),
)


@st.composite
def described_steps(draw: st.DrawFn) -> list[Step[Window]]:
    """The steps of the links' test, whose spans last and describe far ends."""
    return [step._replace(spans=[described(draw, span) for span in step.spans]) for step in draw(STEPS)]


def described(draw: st.DrawFn, span: Span) -> Span:
    told = draw(DESCRIBED)
    remote = Endpoint(span.remote.service, told["address"])
    return replace(
        span, attributes={**span.attributes, **told["attributes"]}, duration_ns=told["duration_ns"], remote=remote
    )


def graph_from_scratch(store: DuckDBStore, ids: Sequence[TraceId], window: Window) -> ServiceGraph:
    minutes = whole_minutes(*window)
    return graph_of_traces(
        [link_span_of(span) for span in trace]
        for trace in store.get_traces(ids, strict=False)
        if (at_ns := trace_timestamp_ns(trace)) is not None and at_ns // MINUTE in minutes
    )


@pytest.fixture
def tiny_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few spans, few of them a round, so that the sums lag behind; short runs; large traces of 9 spans."""
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 6)
    monkeypatch.setattr(upkeep, "MAX_LINKED_SLICES", 2)
    monkeypatch.setattr(graph_sums, "SETTLED_ROWS", 4)
    monkeypatch.setattr(link_sums, "RELINKED_SPANS", 9)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tiny_sums")
@settings(max_examples=25, deadline=None)
@given(described_steps())
def test_the_graph_is_that_of_linking_from_scratch_all_the_life_of_a_store(steps: list[Step[Window]]) -> None:
    def check(store: DuckDBStore, asked: Window) -> None:
        for window in [asked, *GRAPH_WINDOWS]:
            assert store.service_graph(*window) == graph_from_scratch(store, IDS, window)

    live(steps, check)


def a_call_to(host: str, trace: int, start_ns: int) -> Span:
    return a_span(trace, 1, kind=SpanKind.CLIENT, service="web", start_ns=start_ns, attributes={"server.address": host})


def two_days(store: DuckDBStore) -> list[str]:
    return outline(store.service_graph(DAY_STARTS_NS - DAY, DAY_STARTS_NS + DAY - 1))


@pytest.fixture
def unlinked(monkeypatch: pytest.MonkeyPatch) -> list[pa.Table]:
    """The traces that questions link beside the sums."""
    found: list[pa.Table] = []

    def noting(table: pa.Table, counted: Window, asked: Window, describe: Describe) -> pa.Table:
        found.append(table)
        return graph_change_within(table, counted, asked, describe)

    monkeypatch.setattr(service_graph, "graph_change_within", noting)
    return found


class TestSums:
    @pytest.fixture(autouse=True)
    def _settling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(graph_sums, "SETTLED_ROWS", 1)

    def test_settled_days_are_answered_without_reading_a_span(
        self, store: DuckDBStore, unlinked: list[pa.Table]
    ) -> None:
        store.write(
            SpanBatch.of(
                [
                    a_call_to("api", 1, DAY_STARTS_NS),
                    a_call_to("api", 2, DAY_STARTS_NS + HOUR),
                    a_call_to("api", 3, DAY_STARTS_NS - 1),
                ]
            )
        )
        store.maintain(KEEP_EVERYTHING, 0)
        assert two_days(store) == ["web > api (external) 3"]
        assert unlinked == []
        buckets = {
            table: [row[0] for row in rows_of(store, table)]
            for table in ("recent_edges", "edge_minutes", "edge_hours", "edge_days")
        }
        minute = DAY_STARTS_NS // MINUTE
        assert buckets == {
            "recent_edges": [],
            "edge_minutes": [minute - 1, minute, minute + 60],
            "edge_hours": [minute // 60 - 1, minute // 60, minute // 60 + 1],
            "edge_days": [20_416, 20_417],
        }

    def test_more_edges_than_are_held_are_added_up_in_sql(
        self, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for trace, host in enumerate(["api", "mail", "api"], 1):
            store.write(SpanBatch.of([a_call_to(host, trace, DAY_STARTS_NS + trace * HOUR)]))
            store.maintain(KEEP_EVERYTHING, 0)
        held = two_days(store)

        monkeypatch.setattr(graph_sums, "_DENSE_EDGES", 2)

        assert two_days(store) == held == ["web > api (external) 2", "web > mail (external) 1"]

    def test_a_day_counts_equal_calls_in_one_row(self, store: DuckDBStore) -> None:
        for trace in range(1, 4):
            store.write(SpanBatch.of([a_call_to("api", trace, DAY_STARTS_NS + trace * HOUR)]))
            store.maintain(KEEP_EVERYTHING, 0)
        ((day, *_, calls, errors),) = rows_of(store, "edge_days")
        assert (day, calls, errors) == (20_417, 3, 0)

    def test_dropped_traces_leave_no_rows(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([a_call_to("old", 1, DAY_STARTS_NS)], 1))
        store.write(SpanBatch.of([a_call_to("new", 2, DAY_STARTS_NS + HOUR)], 5))
        store.maintain(KEEP_EVERYTHING, 5)
        store.maintain(RetentionPolicy(3, None), 5)
        assert two_days(store) == ["web > new (external) 1"]
        ((new, *pair),) = rows_of(store, "edges")
        assert pair == ["web", NodeKind.SERVICE, "new", NodeKind.EXTERNAL]
        for table in ("edge_minutes", "edge_hours", "edge_days"):
            assert [row[1] for row in rows_of(store, table)] == [new]

    def test_sums_of_other_rules_are_counted_anew(
        self, make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with make_store() as store:
            store.write(SpanBatch.of([a_call_to("api", 1, HOUR_STARTS_NS)]))
            store.maintain(KEEP_EVERYTHING, 0)
        monkeypatch.setattr("storage.duckdb.link_sums.RULES", RULES + 1)
        with make_store() as store:
            assert rows_of(store, "edge_days") == []
            assert two_days(store) == ["web > api (external) 1"]
            store.maintain(KEEP_EVERYTHING, 0)
            assert len(rows_of(store, "edge_days")) == 1
            assert two_days(store) == ["web > api (external) 1"]


def test_only_texts_and_true_are_read_of_json() -> None:
    values = ['"a"', None, "5", "true", "false", "null", '["a"]', '{"$b":"YQ=="}', '""', '"q\\"\\u00e9\\n"', '"é"']
    read = texts_of_json(pa.array(values, pa.string())).to_pylist()
    assert read == ["a", None, None, "true", None, None, None, None, "", 'q"é\n', "é"]
