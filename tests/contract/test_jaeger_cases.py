"""Jaeger's storage integration suite (jaeger.md 4.2): its 25 searches, and its own tests that are about a store."""

import pytest

from storage.contract import SpanStore
from tests.builders import MS, TODAY_NS, a_span, exactly
from tests.contract.asking import a_query, found
from tests.contract.conftest import Loaded, Writing
from tests.contract.jaeger_cases import CASES, JaegerCase, all_spans


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"Q{case.number} {case.caption}")
def test_a_jaeger_search_gives_exactly_its_traces(loaded: Loaded, case: JaegerCase) -> None:
    store = loaded(all_spans)
    answer = store.find_traces(a_query(**case.criteria))
    assert sorted(map(repr, map(exactly, answer))) == sorted(map(repr, map(exactly, case.traces())))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"Q{case.number} {case.caption}")
def test_a_jaeger_search_gives_its_newest_trace_when_only_one_is_asked(loaded: Loaded, case: JaegerCase) -> None:
    store = loaded(all_spans)
    answer = store.find_traces(a_query(**(case.criteria | {"limit": 1})))
    assert exactly(answer) == exactly(case.traces()[-1:])


def test_a_search_without_a_service_finds_the_traces_of_all_services(store: SpanStore, write: Writing) -> None:
    """jaeger.md 4.2 T7: one attribute, no service -> traces of both services."""
    write(
        a_span(1, service="service-a", attributes={"shared.tag": "x"}, start_ns=TODAY_NS),
        a_span(2, service="service-b", attributes={"shared.tag": "x"}, start_ns=TODAY_NS + MS),
        a_span(3, service="service-b", attributes={"shared.tag": "y"}),
    )
    assert found(store, tags={"shared.tag": "x"}) == [2, 1]


def test_a_trace_found_by_service_and_time_has_all_that_a_summary_counts(store: SpanStore, write: Writing) -> None:
    """jaeger.md 4.2 T6: span count equal, min and max times, services non-empty."""
    spans = [a_span(1, n, service=f"service-{n % 2}", start_ns=TODAY_NS + n * MS) for n in range(1, 8)]
    write(*spans)
    (trace,) = store.find_traces(a_query(service="service-1"))
    assert exactly(trace) == exactly(spans)
