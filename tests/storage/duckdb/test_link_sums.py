"""Sums of calls: whatever comes, goes and is repeated, the graph of any window is that of linking from scratch."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.duckdb import dependencies, link_sums, upkeep
from storage.duckdb.store import DuckDBStore
from storage.ids import TraceId
from storage.linking.change import Window, change_within
from storage.linking.link_span import link_span_of
from storage.linking.linker import Call, link_traces
from storage.linking.table import RULES
from storage.requests import DependencyLink, RetentionPolicy
from storage.span import Endpoint, Span, SpanKind
from tests.builders import HOUR, SECOND, TODAY_NS, a_short_trace_id, a_span, a_trace_id
from tests.contract.test_dependencies_agreement import trace_timestamp_ns
from tests.storage.duckdb.conftest import StoreMaker
from tests.storage.duckdb.lives import (
    HOUR_STARTS_NS,
    KEEP_EVERYTHING,
    MINUTE,
    MOMENTS,
    Step,
    live,
    lives,
    rows_of,
)
from tests.storage.linking.traces import sane_traces, spans

IDS = [a_trace_id(1), a_short_trace_id(1), *(a_trace_id(number) for number in range(2, 7))]


@st.composite
def some_spans(draw: st.DrawFn) -> list[Span]:
    trace_id = draw(st.sampled_from(IDS))
    starts = st.none() | MOMENTS
    if draw(st.booleans()):
        found = draw(sane_traces(trace_id, starts=starts))
    else:
        found = draw(st.lists(spans(trace_id, starts=starts), max_size=6))
    repeated = draw(st.lists(st.sampled_from(found), max_size=3)) if found else []
    return found + repeated


STEPS = lives(some_spans(), st.tuples(MOMENTS, MOMENTS).map(lambda ends: (min(ends), max(ends))))
WINDOWS = [
    (HOUR_STARTS_NS - 100 * HOUR, HOUR_STARTS_NS + 100 * HOUR),
    (HOUR_STARTS_NS, HOUR_STARTS_NS + HOUR - 1),
    (HOUR_STARTS_NS - MINUTE, HOUR_STARTS_NS + HOUR + MINUTE - 1),
    (HOUR_STARTS_NS - MINUTE - SECOND, HOUR_STARTS_NS + HOUR + MINUTE + SECOND),
    (HOUR_STARTS_NS, HOUR_STARTS_NS + SECOND - 1),
]


def linked_from_scratch(store: DuckDBStore, ids: Sequence[TraceId], window: Window) -> list[DependencyLink]:
    start_ns, end_ns = window
    return link_traces(
        [link_span_of(span) for span in trace]
        for trace in store.get_traces(ids, strict=False)
        if (at_ns := trace_timestamp_ns(trace)) is not None and start_ns <= at_ns <= end_ns
    )


@pytest.fixture
def tiny_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few spans, few of them a round, so that the sums lag behind; short runs; large traces of 9 spans."""
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 6)
    monkeypatch.setattr(upkeep, "MAX_LINKED_SLICES", 2)
    monkeypatch.setattr(link_sums, "SETTLED_ROWS", 4)
    monkeypatch.setattr(link_sums, "RELINKED_SPANS", 9)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tiny_sums")
@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_graph_is_that_of_linking_from_scratch_all_the_life_of_a_store(steps: list[Step[Window]]) -> None:
    def check(store: DuckDBStore, asked: Window) -> None:
        for window in [asked, *WINDOWS]:
            assert store.dependencies(*window) == linked_from_scratch(store, IDS, window)

    live(steps, check)


def a_call(trace: int, start_ns: int, child: str = "app") -> list[Span]:
    return [
        a_span(trace, 1, kind=SpanKind.CLIENT, service="web", start_ns=start_ns),
        a_span(trace, 2, parent=1, kind=SpanKind.SERVER, service=child, start_ns=start_ns + 1),
    ]


def day(store: DuckDBStore) -> list[DependencyLink]:
    return store.dependencies(HOUR_STARTS_NS, HOUR_STARTS_NS + 24 * HOUR - 1)


@pytest.fixture
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_sums, "SETTLED_ROWS", 1)


@pytest.fixture
def unlinked(monkeypatch: pytest.MonkeyPatch) -> list[pa.Table]:
    """The traces that questions link beside the sums."""
    found: list[pa.Table] = []

    def noting(table: pa.Table, counted: Window, asked: Window) -> Counter[Call]:
        found.append(table)
        return change_within(table, counted, asked)

    monkeypatch.setattr(dependencies, "change_within", noting)
    return found


@pytest.mark.usefixtures("settling")
class TestSums:
    def test_a_settled_hour_is_answered_without_reading_a_span(
        self, store: DuckDBStore, unlinked: list[pa.Table]
    ) -> None:
        store.write(SpanBatch.of([*a_call(1, HOUR_STARTS_NS), *a_call(2, HOUR_STARTS_NS + MINUTE)]))
        store.maintain(KEEP_EVERYTHING, 0)
        assert day(store) == [DependencyLink("web", "app", 2)]
        assert unlinked == []
        minute = HOUR_STARTS_NS // MINUTE
        assert rows_of(store, "link_minutes") == [(minute, "web", "app", 1, 0), (minute + 1, "web", "app", 1, 0)]
        assert rows_of(store, "link_hours") == [(490_000, "web", "app", 2, 0)]
        assert [row[0] for row in rows_of(store, "link_seconds")] == [60 * minute, 60 * minute + 60]
        assert rows_of(store, "recent_links") == []

    def test_a_span_is_in_the_graph_before_any_upkeep(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of(a_call(1, HOUR_STARTS_NS)))
        assert day(store) == [DependencyLink("web", "app", 1)]

    def test_a_trace_stays_in_the_minute_of_the_root_that_was_written_first(self, store: DuckDBStore) -> None:
        for span in reversed(a_call(1, HOUR_STARTS_NS + HOUR)):
            store.write(SpanBatch.of([span]))
            store.maintain(KEEP_EVERYTHING, 0)
        store.write(SpanBatch.of([a_span(1, 3, service="edge", start_ns=HOUR_STARTS_NS)]))
        store.maintain(KEEP_EVERYTHING, 0)
        assert rows_of(store, "link_minutes") == [(HOUR_STARTS_NS // MINUTE + 60, "web", "app", 1, 0)]

    def test_a_trace_whose_first_root_comes_late_leaves_its_old_minute(self, store: DuckDBStore) -> None:
        orphan = a_span(1, 2, parent=9, kind=SpanKind.SERVER, service="app", start_ns=HOUR_STARTS_NS + HOUR)
        caller = a_span(1, 1, parent=8, kind=SpanKind.CLIENT, service="web", start_ns=HOUR_STARTS_NS + HOUR)
        called = a_span(1, 3, parent=1, kind=SpanKind.SERVER, service="app", start_ns=HOUR_STARTS_NS + HOUR + 5)
        store.write(SpanBatch.of([orphan, caller, called]))
        store.maintain(KEEP_EVERYTHING, 0)
        hour = HOUR_STARTS_NS // HOUR
        assert {row[0] for row in rows_of(store, "link_hours")} == {hour + 1}
        store.write(SpanBatch.of([a_span(1, 8, service="edge", start_ns=HOUR_STARTS_NS)]))
        store.maintain(KEEP_EVERYTHING, 0)
        assert {row[0] for row in rows_of(store, "link_hours")} == {hour}
        assert {row[0] for row in rows_of(store, "link_minutes")} == {HOUR_STARTS_NS // MINUTE}

    def test_dropped_traces_leave_no_rows(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of(a_call(1, HOUR_STARTS_NS), 1))
        store.write(SpanBatch.of(a_call(2, HOUR_STARTS_NS + HOUR, "db"), 5))
        store.maintain(KEEP_EVERYTHING, 5)
        store.maintain(RetentionPolicy(3, None), 5)
        assert rows_of(store, "link_minutes") == [(HOUR_STARTS_NS // MINUTE + 60, "web", "db", 1, 0)]
        assert rows_of(store, "link_seconds") == [(HOUR_STARTS_NS // SECOND + 3600, "web", "db", 1, 0)]
        assert rows_of(store, "link_hours") == [(490_001, "web", "db", 1, 0)]
        assert day(store) == [DependencyLink("web", "db", 1)]

    @pytest.mark.parametrize("by_age", [True, False])
    def test_a_trace_that_lost_its_older_half_keeps_the_links_of_the_other(
        self, store: DuckDBStore, by_age: bool
    ) -> None:
        for now, child in ((1, "app"), (5, "db")):
            store.write(SpanBatch.of([a_span(1, now, parent=9, service="web", remote=Endpoint(child))], now))
        whole = (TODAY_NS - HOUR, TODAY_NS + HOUR)
        store.maintain(KEEP_EVERYTHING, 5)
        assert [link.child for link in store.dependencies(*whole)] == ["app", "db"]
        if by_age:
            store.maintain(RetentionPolicy(3, None), 5)
        else:
            store._retention._drop_oldest(1)
        assert store.dependencies(*whole) == [DependencyLink("web", "db", 1)]

    def test_sums_of_other_rules_are_counted_anew(
        self, make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with make_store() as store:
            store.write(SpanBatch.of(a_call(1, HOUR_STARTS_NS)))
            store.maintain(KEEP_EVERYTHING, 0)
        monkeypatch.setattr("storage.duckdb.link_sums.RULES", RULES + 1)
        with make_store() as store:
            assert rows_of(store, "link_hours") == []
            assert day(store) == [DependencyLink("web", "app", 1)]
            store.maintain(KEEP_EVERYTHING, 0)
            assert rows_of(store, "link_hours") == [(490_000, "web", "app", 1, 0)]
            assert rows_of(store, "linked") == [(1, RULES + 1)]


class TestLargeTraces:
    @pytest.fixture(autouse=True)
    def _small_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(link_sums, "RELINKED_SPANS", 3)
        monkeypatch.setattr(link_sums, "SETTLED_ROWS", 1)

    def grow(self, store: DuckDBStore, first: int, received_ns: int = 0) -> None:
        """Two spans, one call more, of trace 1."""
        store.write(
            SpanBatch.of(
                [
                    a_span(1, first, kind=SpanKind.CLIENT, service="web", start_ns=HOUR_STARTS_NS),
                    a_span(1, first + 1, parent=first, kind=SpanKind.SERVER, service="app", start_ns=HOUR_STARTS_NS),
                ],
                received_ns,
            )
        )
        store.maintain(KEEP_EVERYTHING, 0)

    def test_a_trace_that_keeps_growing_is_set_aside_and_linked_when_asked_for(self, store: DuckDBStore) -> None:
        for calls in range(1, 6):
            self.grow(store, 2 * calls)
            assert day(store) == [DependencyLink("web", "app", calls)]
        assert len(rows_of(store, "set_aside")) == 1
        assert rows_of(store, "link_hours") == []

    def test_a_large_trace_that_comes_at_once_is_summed(self, store: DuckDBStore) -> None:
        store.write(SpanBatch.of([span for trace in range(1, 4) for span in a_call(trace, HOUR_STARTS_NS)]))
        store.maintain(KEEP_EVERYTHING, 0)
        assert rows_of(store, "set_aside") == []
        assert rows_of(store, "link_hours") == [(490_000, "web", "app", 3, 0)]

    def test_a_trace_set_aside_is_summed_again_when_it_was_dropped_and_came_anew(self, store: DuckDBStore) -> None:
        for first in (2, 4, 6):
            self.grow(store, first, received_ns=1)
        assert len(rows_of(store, "set_aside")) == 1
        store.maintain(RetentionPolicy(1, None), 10)
        assert rows_of(store, "set_aside") == []
        assert day(store) == []
        self.grow(store, 2, received_ns=10)
        assert rows_of(store, "link_hours") == [(490_000, "web", "app", 1, 0)]
