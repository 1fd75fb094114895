"""Search by names, time and limit: which traces, whole, newest first.

Every condition must hold on ONE span. Zipkin's own reference predicate lets different spans of a trace satisfy
different conditions (zipkin.md 3.2, 3.3) while its API text asks for one span, as its SQL and Elasticsearch stores and
Jaeger do; `test_conditions_met_by_different_spans_of_a_trace_find_nothing` and
`test_the_window_is_that_of_the_satisfying_span` are where an answer differs.
"""

from typing import Any

import pytest

from storage.contract import SpanStore
from storage.span import Endpoint, Span, SpanKind
from tests.builders import (
    BACKEND,
    DAY,
    FRONTEND,
    KAFKA,
    MS,
    TODAY_NS,
    US,
    a_half_truncated_trace,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
    exactly,
)
from tests.contract.asking import a_query, found, same_spans
from tests.contract.conftest import Corpus, Loaded, Writing

QUESTIONS: list[dict[str, Any]] = [
    {"service": FRONTEND},
    {"service": FRONTEND, "remote_service": BACKEND},
    {"service": FRONTEND, "operation": "get"},
    {"service": FRONTEND, "tags": {"foo": None}},
    {"service": FRONTEND, "tags": {"http.path": "/api"}},
    {"duration_min_ns": 1},
    {"tags": {"foo": None}},
]


@pytest.mark.parametrize("question", [{}, *QUESTIONS], ids=str)
def test_an_empty_store_finds_nothing(store: SpanStore, question: dict[str, Any]) -> None:
    assert found(store, **question) == []


def ids_only() -> list[Span]:
    return [a_zipkin_span(1, name=None, service=None, start_ns=None, duration_ns=None, tags={})]


@pytest.mark.parametrize("question", [{}, *QUESTIONS], ids=str)
def test_a_span_of_ids_only_is_found_by_no_question(loaded: Loaded, question: dict[str, Any]) -> None:
    """zipkin.md 3.8 ITSpanStore: one span with only traceId+id stored."""
    assert found(loaded(ids_only), **question) == []


def one_call() -> list[Span]:
    return [a_zipkin_span(1, kind=SpanKind.CLIENT, remote=BACKEND)]


def one_call_and_a_truncated_sibling() -> list[Span]:
    return [a_zipkin_span(a_short_trace_id(1), name="bar", service="other", remote="elsewhere"), *one_call()]


@pytest.mark.parametrize(
    ("question", "matches"),
    [
        ({"service": FRONTEND}, True),
        ({"service": FRONTEND + "1"}, False),
        ({"service": ""}, False),
        ({"service": BACKEND}, False),
        ({"operation": "get"}, True),
        ({"operation": "get1"}, False),
        ({"service": FRONTEND, "operation": "get"}, True),
        ({"service": FRONTEND, "operation": "get1"}, False),
        ({"service": FRONTEND + "1", "operation": "get"}, False),
        ({"remote_service": BACKEND}, True),
        ({"remote_service": FRONTEND}, False),
        ({"service": FRONTEND, "remote_service": BACKEND}, True),
        ({"service": FRONTEND, "remote_service": BACKEND + "1"}, False),
        ({"service": FRONTEND, "remote_service": BACKEND, "operation": "get"}, True),
        ({"service": FRONTEND, "remote_service": BACKEND, "operation": "get", "tags": {"environment": "test"}}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("corpus", [one_call, one_call_and_a_truncated_sibling])
def test_names_find_the_span_that_has_exactly_them(
    loaded: Loaded, question: dict[str, Any], matches: bool, corpus: Corpus
) -> None:
    """zipkin.md 3.8 ITSpanStore: exact, name + "1", wrong remote; again with a truncated-id sibling of other names."""
    answer = loaded(corpus).find_traces(a_query(**question))
    assert exactly(answer) == exactly([one_call()] if matches else [])


def two_spans_that_have_nothing_in_common() -> list[Span]:
    second: dict[str, Any] = {"tags": {"a": "2", "b": "2"}, "annotations": {"web": TODAY_NS}, "remote": KAFKA}
    return [
        a_zipkin_span(1, 1, duration_ns=100 * MS, tags={"a": "1"}),
        a_zipkin_span(1, 2, name="post", service=BACKEND, **second),
    ]


@pytest.mark.parametrize(
    "question",
    [
        {"service": FRONTEND, "operation": "post"},
        {"service": BACKEND, "operation": "get"},
        {"service": FRONTEND, "tags": {"a": "2"}},
        {"operation": "get", "tags": {"a": "2"}},
        {"service": FRONTEND, "remote_service": KAFKA},
        {"service": FRONTEND, "duration_min_ns": 200 * MS},
        {"tags": {"a": "1", "b": "2"}},
        {"tags": {"a": "1", "web": None}},
    ],
    ids=str,
)
def test_conditions_met_by_different_spans_of_a_trace_find_nothing(loaded: Loaded, question: dict[str, Any]) -> None:
    assert found(loaded(two_spans_that_have_nothing_in_common), **question) == []


def test_spans_without_a_service_are_found_by_their_other_facts_only(store: SpanStore, write: Writing) -> None:
    write(a_zipkin_span(1, service=None, name="lonely"))
    assert found(store, operation="lonely") == [1]
    assert found(store, service="lonely") == []


def test_absent_names_are_not_empty_names(store: SpanStore, write: Writing) -> None:
    write(a_span(1, name=None, service=None), a_span(2, name=""))
    assert found(store, operation="") == [2]
    assert found(store, service="") == []


UPPER_CASE_QUESTIONS: list[dict[str, Any]] = [
    {"service": "FrontEnd"},
    {"operation": "GET"},
    {"remote_service": "BACKEND"},
]
LOWER_CASE_QUESTIONS: list[dict[str, Any]] = [
    {"service": "frontend"},
    {"operation": "get /api"},
    {"remote_service": "backend"},
]


class TestIgnoringCase:
    """zipkin.md 3.8: upper-case remoteServiceName and spanName in the query still match."""

    def test_upper_case_questions_match_when_case_is_ignored(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(1, remote=BACKEND))
        for question in UPPER_CASE_QUESTIONS:
            assert found(store, ignore_case=True, **question) == [1], question

    def test_upper_case_spans_match_lower_case_questions_when_case_is_ignored(
        self, store: SpanStore, write: Writing
    ) -> None:
        """OpenTelemetry names keep their case; Zipkin's API lower-cases what is asked."""
        write(a_span(1, service="FrontEnd", name="GET /API", remote=Endpoint("BackEnd")))
        for question in LOWER_CASE_QUESTIONS:
            assert found(store, ignore_case=True, **question) == [1], question

    def test_names_are_compared_exactly_otherwise(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, service="FrontEnd", name="GET /API", remote=Endpoint("BackEnd")))
        assert found(store, service="FrontEnd", operation="GET /API", remote_service="BackEnd") == [1]
        for question in LOWER_CASE_QUESTIONS:
            assert found(store, **question) == [], question

    def test_names_outside_ascii_fold_too(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, service="ПЛАТЕЖИ", name="ÜBERWEISUNG"))
        assert found(store, service="платежи", operation="überweisung", ignore_case=True) == [1]

    def test_tags_are_compared_exactly_even_when_case_is_ignored(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, attributes={"http.method": "GET"}))
        assert found(store, tags={"http.method": "get"}, ignore_case=True) == []
        assert found(store, tags={"HTTP.method": "GET"}, ignore_case=True) == []
        assert found(store, tags={"http.method": "GET"}, ignore_case=True) == [1]


class TestTime:
    @pytest.mark.parametrize(
        ("start_min_ms", "start_max_ms", "expected"),
        [
            (-1, 0, []),
            (0, 1, [1]),
            (0, 2, [2, 1]),
            (0, 3, [2, 1]),
            (1, 2, [2, 1]),
            (2, 3, [2]),
            (3, 4, []),
            (2, 1, []),
        ],
    )
    def test_both_bounds_are_inclusive(
        self, store: SpanStore, write: Writing, start_min_ms: int, start_max_ms: int, expected: list[int]
    ) -> None:
        """zipkin.md 3.8 ITSpanStore: endTs/lookback with spans at T+1 and T+2 ms."""
        write(a_span(1, start_ns=TODAY_NS + 1 * MS), a_span(2, start_ns=TODAY_NS + 2 * MS))
        window: dict[str, Any] = {
            "start_min_ns": TODAY_NS + start_min_ms * MS,
            "start_max_ns": TODAY_NS + start_max_ms * MS,
        }
        assert found(store, **window) == expected

    def test_bounds_are_exact_to_the_nanosecond(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, start_ns=TODAY_NS + 1))
        assert found(store, start_min_ns=TODAY_NS + 1, start_max_ns=TODAY_NS + 1) == [1]
        assert found(store, start_min_ns=TODAY_NS + 2) == []
        assert found(store, start_max_ns=TODAY_NS) == []

    def test_a_window_that_ends_inside_the_trace_finds_it_whole(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITSpanStore: endTs inside the trace; jaeger.md 4.2 Q5: whole trace returned."""
        trace = a_zipkin_trace(1)
        write(*trace)
        (answer,) = store.find_traces(a_query(start_min_ns=TODAY_NS, start_max_ns=TODAY_NS + 60 * MS))
        assert same_spans(answer, trace)

    def test_spans_days_outside_the_window_come_with_their_trace(self, store: SpanStore, write: Writing) -> None:
        spans = [a_span(1, n + 2, start_ns=TODAY_NS + n * DAY) for n in (-1, 0, 30)]
        write(*spans)
        (answer,) = store.find_traces(a_query(start_min_ns=TODAY_NS, start_max_ns=TODAY_NS + 1))
        assert same_spans(answer, spans)

    def test_the_window_is_that_of_the_satisfying_span(self, store: SpanStore, write: Writing) -> None:
        """Zipkin's reference predicate would take the root's start instead (zipkin.md 3.2)."""
        write(a_span(1, 1), a_span(1, 2, parent=1, service=BACKEND, start_ns=TODAY_NS + 10 * MS))
        late_window: dict[str, Any] = {"start_min_ns": TODAY_NS + 5 * MS, "start_max_ns": TODAY_NS + 20 * MS}
        assert found(store, service=BACKEND, **late_window) == [1]
        assert found(store, service=FRONTEND, **late_window) == []

    def test_the_widest_window_finds_every_start(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, start_ns=-(2**63)), a_span(2, start_ns=0), a_span(3, start_ns=2**63 - 1))
        assert found(store, start_min_ns=-(2**63), start_max_ns=2**63 - 1) == [3, 2, 1]

    def test_a_span_without_a_start_is_never_found(self, store: SpanStore, write: Writing) -> None:
        write(a_zipkin_span(1, start_ns=None, remote=BACKEND))
        assert found(store) == []
        assert found(store, service=FRONTEND) == []
        assert found(store, service=FRONTEND, operation="get") == []

    def test_a_copy_with_a_start_makes_the_trace_found_with_both_fragments(
        self, store: SpanStore, write: Writing
    ) -> None:
        """zipkin.md 3.8 ITSpanStore: span with no timestamp, then the timestamped copy arrives."""
        fragments = [
            a_zipkin_span(1, start_ns=None, duration_ns=None, remote=BACKEND),
            a_zipkin_span(1, remote=BACKEND),
        ]
        write(*fragments)
        for query in (a_query(), a_query(service=FRONTEND, remote_service=BACKEND), a_query(operation="get")):
            (trace,) = store.find_traces(query)
            assert same_spans(trace, fragments)


class TestOrderAndLimit:
    def test_newest_comes_first_whatever_the_order_of_writing(self, store: SpanStore, write: Writing) -> None:
        write(*(a_span(n, start_ns=TODAY_NS + n * MS) for n in (3, 1, 5, 2, 4)))
        assert found(store) == [5, 4, 3, 2, 1]

    def test_newest_is_by_the_satisfying_span_not_by_others_of_its_trace(
        self, store: SpanStore, write: Writing
    ) -> None:
        write(
            a_span(1, 1, start_ns=TODAY_NS + 1 * MS),
            a_span(1, 2, service=BACKEND, start_ns=TODAY_NS + 9 * MS),
            a_span(2, 1, start_ns=TODAY_NS + 2 * MS),
        )
        assert found(store, service=FRONTEND) == [2, 1]
        assert found(store) == [1, 2]

    def test_newest_is_by_the_latest_of_several_satisfying_spans(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(1, 1, start_ns=TODAY_NS + 1 * MS),
            a_span(1, 2, start_ns=TODAY_NS + 5 * MS),
            a_span(2, 1, start_ns=TODAY_NS + 2 * MS),
            a_span(2, 2, start_ns=TODAY_NS + 3 * MS),
        )
        assert found(store) == [1, 2]
        assert found(store, limit=1) == [1]

    def test_limit_one_gives_the_later_of_two(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, start_ns=TODAY_NS), a_span(2, start_ns=TODAY_NS + MS))
        assert found(store, service=FRONTEND, limit=1) == [2]

    def test_ten_early_and_ten_late_traces_obey_limit_and_window(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITSpanStore: 10 services, early spans at T-i ms, late at T+100-i."""
        write(
            *(a_span(i, service=f"service{i}", start_ns=TODAY_NS - i * MS) for i in range(1, 11)),
            *(a_span(100 + i, service=f"service{i}", start_ns=TODAY_NS + (100 - i) * MS) for i in range(1, 11)),
        )
        early, late = list(range(1, 11)), list(range(101, 111))
        assert found(store) == late + early
        assert found(store, limit=10) == late
        assert found(store, start_min_ns=TODAY_NS, start_max_ns=TODAY_NS + 100 * MS) == late
        assert found(store, start_max_ns=TODAY_NS) == early
        assert found(store, service="service1") == [101, 1]

    def test_a_trace_of_many_satisfying_spans_counts_as_one(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 Heavy: a 101-span trace counts as one, all spans back by search and id."""
        big = [a_span(1, n + 1, start_ns=TODAY_NS + n * US) for n in range(101)]
        write(*big, a_span(2, start_ns=TODAY_NS - MS))
        assert found(store, limit=2) == [1, 2]
        (newest,) = store.find_traces(a_query(limit=1))
        assert same_spans(newest, big)
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([big])

    def test_traces_under_a_few_huge_ones_still_fill_the_limit(self, store: SpanStore, write: Writing) -> None:
        """A store that reads the newest N spans and then counts traces must read on."""
        huge = [a_span(n % 2 + 1, n + 1, start_ns=TODAY_NS + (5000 + n) * US) for n in range(4000)]
        write(*huge, *(a_span(10 + n, start_ns=TODAY_NS + n * US) for n in range(30)))
        assert found(store, limit=20) == [2, 1, *range(39, 21, -1)]

    def test_a_thousand_traces_are_all_found_by_every_question(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 Heavy: limit 1000 returns 1000 with none, service, remote, span name, tag."""
        write(*(a_zipkin_span(n, remote=BACKEND, start_ns=TODAY_NS + n * US) for n in range(1, 1001)))
        newest_first = list(range(1000, 0, -1))
        for question in (
            {},
            {"service": FRONTEND},
            {"remote_service": BACKEND},
            {"operation": "get"},
            {"tags": {"environment": "test"}},
        ):
            assert found(store, limit=1000, **question) == newest_first

    def test_traces_of_one_start_are_kept_apart(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 InMemoryStorage: same timestamp, different trace ids."""
        write(*(a_span(n) for n in (1, 2, 3)))
        assert sorted(found(store)) == [1, 2, 3]

    def test_a_trace_comes_with_its_spans_in_the_order_written(self, store: SpanStore, write: Writing) -> None:
        trace = a_zipkin_trace(1)
        shuffled = [trace[2], trace[0], trace[3], trace[1]]
        write(*shuffled)
        assert exactly(store.find_traces(a_query())) == exactly([shuffled])


class TestIdLength:
    def test_siblings_with_equal_low_halves_are_found_apart_when_strict(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITSpanStore: ids X, HX and 1X with tag foo=1,2,3."""
        spans = [
            a_zipkin_span(a_short_trace_id(0xBEEF), tags={"foo": "1"}),
            a_zipkin_span(a_trace_id(0xBEEF), tags={"foo": "2"}),
            a_zipkin_span(type(a_trace_id(1))(bytes(7) + b"\x01" + a_trace_id(0xBEEF)[8:]), tags={"foo": "3"}),
        ]
        write(*spans)
        for span in spans:
            answer = store.find_traces(a_query(service=FRONTEND, tags={"foo": str(span.attributes["foo"])}))
            assert exactly(answer) == exactly([[span]])

    @pytest.mark.parametrize(
        "question",
        [{}, {"service": FRONTEND, "tags": {"foo": None}}, {"service": BACKEND, "tags": {"error": None}}],
        ids=str,
    )
    @pytest.mark.parametrize("trace", [a_zipkin_trace(1), a_half_truncated_trace(1)], ids=["full", "mixed"])
    def test_the_complete_trace_is_found_when_lenient(
        self, store: SpanStore, write: Writing, question: dict[str, Any], trace: Any
    ) -> None:
        """zipkin.md 3.8 ITStrictTraceIdFalse: full 128-bit trace and mixed, three queries."""
        write(*trace)
        (answer,) = store.find_traces(a_query(**question), strict=False)
        assert same_spans(answer, trace)

    def test_siblings_count_as_one_trace_in_the_limit_when_lenient(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(a_trace_id(1), start_ns=TODAY_NS + 3 * MS),
            a_span(a_short_trace_id(1), start_ns=TODAY_NS + 2 * MS),
            a_span(2, start_ns=TODAY_NS + 1 * MS),
        )
        assert found(store, strict=False, limit=2) == [1, 2]
        assert found(store, strict=True, limit=2) == [1, 1]
