"""Sums of calls by minute and hour: whatever comes, goes and is repeated, what they answer is counted from scratch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.calls import OTHER_OPERATIONS, call_series
from storage.duckdb import call_sums, metrics
from storage.duckdb.store import DuckDBStore
from storage.latency_buckets import RELATIVE_ACCURACY
from storage.requests import CallQuery, CallSeries, RetentionPolicy
from storage.span import Span, SpanKind, StatusCode
from tests.builders import HOUR, SECOND, a_span, a_trace_id
from tests.storage.duckdb.conftest import StoreMaker
from tests.storage.duckdb.lives import HOUR_STARTS_NS, KEEP_EVERYTHING, MINUTE, MOMENTS, Step, live, lives, rows_of

TRACES = 4

SPANS = st.builds(
    lambda trace, **changes: a_span(trace, 1, **changes),
    st.integers(1, TRACES),
    start_ns=st.none() | MOMENTS | st.sampled_from([0, -1, -90 * SECOND, 2**63 - 1, -(2**63)]),
    duration_ns=st.none() | st.sampled_from([-5, 0, 1, 2**63 - 1]) | st.integers(0, 10 * SECOND),
    service=st.sampled_from(["frontend", "frontend", "backend", None]),
    name=st.sampled_from(["get", "put", None, ""]),
    kind=st.sampled_from([SpanKind.SERVER, SpanKind.SERVER, SpanKind.CLIENT]),
    status_code=st.sampled_from(StatusCode),
)
QUERIES = st.builds(
    lambda step, points, width, **changes: CallQuery(
        step_ns=step, points=points, window_ns=step * width if width else MINUTE, **changes
    ),
    st.sampled_from([MINUTE, 3 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR]),
    st.sampled_from([1, 2, 30]),
    st.sampled_from([0, 1, 3]),
    services=st.sampled_from([("frontend",), ("backend", "frontend"), ("nobody",)]),
    kinds=st.sampled_from([(2,), (2, 3), (3, 4)]),
    end_ns=MOMENTS,
    by_operation=st.booleans(),
    quantile=st.none() | st.sampled_from([0.0, 0.5, 0.95, 1.0]),
    limit=st.sampled_from([1, 2, 100]),
)


A_DAY = CallQuery(("backend", "frontend"), (2, 3), HOUR_STARTS_NS + 27 * HOUR, HOUR, 30, HOUR, quantile=0.5)
TEN_MINUTES = replace(A_DAY, step_ns=10 * MINUTE, window_ns=10 * MINUTE, points=200)
WIDE = [
    A_DAY,
    TEN_MINUTES,
    replace(A_DAY, by_operation=True),
    replace(A_DAY, step_ns=MINUTE, window_ns=5 * MINUTE, points=2000),
]


@pytest.fixture
def tiny_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of a few spans each, which are asked however few the spans are."""
    monkeypatch.setattr(call_sums, "COUNTED_SPANS", 6)
    monkeypatch.setattr(metrics, "FEW_SPANS", -1)


def as_of_whole_periods(query: CallQuery) -> CallQuery:
    """The query at the end of the last whole hour, when it asks for hours, or ten minutes, or minute."""
    lengths_ns = (HOUR, 10 * MINUTE, MINUTE)
    period_ns = next(ns for ns in lengths_ns if query.step_ns % ns == 0 and query.window_ns % ns == 0)
    return replace(query, end_ns=query.end_ns // period_ns * period_ns)


def counted_from_scratch(store: DuckDBStore, query: CallQuery) -> list[CallSeries]:
    traces = store.get_traces([a_trace_id(number) for number in range(1, TRACES + 1)])
    return call_series((span for trace in traces for span in trace), as_of_whole_periods(query))


def assert_agree(answer: Sequence[CallSeries], expected: Sequence[CallSeries]) -> None:
    assert [replace(each, latencies_ns=()) for each in answer] == [replace(each, latencies_ns=()) for each in expected]
    for each, other in zip(answer, expected, strict=True):
        assert list(each.latencies_ns) == [
            latency if latency is None else pytest.approx(latency, rel=RELATIVE_ACCURACY * 1.001, abs=0)
            for latency in other.latencies_ns
        ]


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("tiny_sums")
@settings(max_examples=40, deadline=None)
@given(lives(st.lists(SPANS, max_size=9), QUERIES))
def test_calls_are_those_counted_from_scratch_all_the_life_of_a_store(steps: list[Step[CallQuery]]) -> None:
    def check(store: DuckDBStore, asked: CallQuery) -> None:
        for query in (asked, *WIDE):
            answer = store.call_series(query)
            assert_agree(answer, counted_from_scratch(store, query))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(metrics, "CELLS_AT_ONCE", 20)
                assert store.call_series(query) == answer, "read in parts it is another"

    live(steps, check)


@pytest.mark.usefixtures("tiny_sums")
def test_the_sums_begin_with_what_a_store_held_before_there_were_any(store: DuckDBStore) -> None:
    """As after an upgrade: a bounded part a round."""
    store.write(SpanBatch.of([a_call(number) for number in range(1, 8)], 1))
    with store._instance.cursor() as cursor:
        counted_of_commits = [call_sums.CountedState.read(cursor).seq]

    for _ in range(2):
        store.maintain(KEEP_EVERYTHING, 1)
        with store._instance.cursor() as cursor:
            counted_of_commits.append(call_sums.CountedState.read(cursor).seq)

    assert counted_of_commits == [0, 1, 1]
    assert len(rows_of(store, "call_minutes")) == 2  # of the operation, and of all of the service


@pytest.mark.usefixtures("tiny_sums")
def test_a_service_with_ids_in_its_span_names_has_few_operations_and_loses_no_call(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sums, "MOST_OPERATIONS", 2)
    names = ["get", "get", "get", "put", "put", *(f"get {number}" for number in range(20))]
    for first in range(0, len(names), 5):
        calls = [a_call(number, name=name) for number, name in enumerate(names[first : first + 5], first + 1)]
        store.write(SpanBatch.of(calls, first))
        store.maintain(KEEP_EVERYTHING, first)
    store.write(SpanBatch.of([a_call(99, name="new"), a_call(99, name="put")], 99))

    by_operation = store.call_series(replace(A_DAY, by_operation=True))

    assert {each.operation: sum(each.calls) for each in by_operation} == {"get": 3, "put": 3, OTHER_OPERATIONS: 21}
    assert [sum(each.calls) for each in store.call_series(A_DAY)] == [27]
    assert len(rows_of(store, "call_operations")) == 4


@pytest.mark.usefixtures("tiny_sums")
def test_retention_makes_room_for_operations_and_takes_each_span_from_where_it_was_counted(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_sums, "MOST_OPERATIONS", 1)
    old = [a_call(number, name="old") for number in range(1, 7)]
    new = [a_call(number, name="new", start_ns=HOUR_STARTS_NS + HOUR) for number in range(7, 13)]
    for received_ns, calls in enumerate((old, new, new, new), 1):
        store.write(SpanBatch.of(calls, received_ns))
        store.maintain(RetentionPolicy(1, None), received_ns)
    question = replace(A_DAY, by_operation=True)
    both = {each.operation: sum(each.calls) for each in store.call_series(question)}

    store.maintain(RetentionPolicy(0, None), 4)
    left = {each.operation: sum(each.calls) for each in store.call_series(question)}

    assert both == {"new": 6, OTHER_OPERATIONS: 6}
    assert left == {"new": 6}


@pytest.mark.usefixtures("tiny_sums")
def test_nothing_is_kept_of_what_retention_dropped(store: DuckDBStore) -> None:
    for moment in range(3):
        store.write(
            SpanBatch.of([a_call(number, start_ns=HOUR_STARTS_NS + moment * HOUR) for number in range(1, 8)], moment)
        )
        store.maintain(KEEP_EVERYTHING, moment)

    store.maintain(RetentionPolicy(0, None), 3)

    assert {table: len(rows_of(store, table)) for table in call_sums.TABLES} == dict.fromkeys(call_sums.TABLES, 0)


@pytest.mark.usefixtures("tiny_sums")
def test_sums_made_by_other_rules_are_forgotten_and_made_anew(make_store: StoreMaker) -> None:
    with make_store() as store:
        store.write(SpanBatch.of([a_call(number) for number in range(1, 8)], 1))
        store.maintain(KEEP_EVERYTHING, 1)
        with store._instance.cursor() as cursor:
            cursor.execute("UPDATE counted SET rules = 7")
            cursor.execute("UPDATE call_hours SET calls = 1000")

    with make_store() as store:
        assert len(rows_of(store, "call_hours")) == 0
        store.maintain(KEEP_EVERYTHING, 2)
        assert [sum(each.calls) for each in store.call_series(A_DAY)] == [7]


def test_few_spans_are_counted_at_the_very_moment_and_many_at_the_whole_minute_before(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(SpanBatch.of([a_call(1, start_ns=HOUR_STARTS_NS), a_call(2, start_ns=HOUR_STARTS_NS + 5)], 1))
    question = replace(A_DAY, end_ns=HOUR_STARTS_NS + 5, step_ns=MINUTE, window_ns=MINUTE, points=1)
    few = store.call_series(question)
    monkeypatch.setattr(metrics, "FEW_SPANS", 1)

    many = store.call_series(question)

    assert [each.calls for each in few] == [(2,)]
    assert [each.calls for each in many] == [(1,)]


def test_windows_that_are_not_of_whole_minutes_are_counted_from_the_spans(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "FEW_SPANS", -1)
    store.write(SpanBatch.of([a_call(1, start_ns=HOUR_STARTS_NS), a_call(2, start_ns=HOUR_STARTS_NS + 5)], 1))

    series = store.call_series(replace(A_DAY, end_ns=HOUR_STARTS_NS + 5, step_ns=SECOND, window_ns=SECOND, points=2))

    assert [each.calls for each in series] == [(0, 2)]


def a_call(number: int, **changes: Any) -> Span:
    """A server span of the frontend."""
    values: dict[str, Any] = {"kind": SpanKind.SERVER, "start_ns": HOUR_STARTS_NS, "name": "get"}
    return a_span(number, number, **(values | changes))
