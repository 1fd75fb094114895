"""Search by duration: of one span, both bounds inclusive, an absent one counts as 0."""

from typing import Any

import pytest

from storage.contract import SpanStore
from storage.span import Span
from tests.builders import BACKEND, DB, FRONTEND, MS, TODAY_NS, a_span, a_zipkin_span
from tests.contract.asking import a_query, found, same_spans
from tests.contract.conftest import Loaded, Writing


def one_of_200_ms() -> list[Span]:
    return [a_zipkin_span(1, duration_ns=200 * MS)]


@pytest.mark.parametrize(
    ("bounds", "matches"),
    [
        ({"duration_min_ns": 200 * MS}, True),
        ({"duration_min_ns": 200 * MS + 1}, False),
        ({"duration_max_ns": 200 * MS}, True),
        ({"duration_max_ns": 200 * MS - 1}, False),
        ({"duration_min_ns": 200 * MS, "duration_max_ns": 200 * MS}, True),
        ({"duration_min_ns": 200 * MS - 2, "duration_max_ns": 200 * MS - 1}, False),
        ({"duration_min_ns": 200 * MS + 1, "duration_max_ns": 200 * MS + 2}, False),
        ({"duration_min_ns": 200 * MS + 1, "duration_max_ns": 200 * MS - 1}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("names", [{}, {"service": FRONTEND}, {"operation": "get"}], ids=str)
def test_both_bounds_are_inclusive(
    loaded: Loaded, bounds: dict[str, Any], matches: bool, names: dict[str, Any]
) -> None:
    """zipkin.md 3.8 ITSpanStore: minDuration = dur+1 none, = dur found, dur-2..dur-1 none, min=max=dur found."""
    assert found(loaded(one_of_200_ms), **names, **bounds) == ([1] if matches else [])


def absent_negative_zero_and_endless() -> list[Span]:
    durations = {1: None, 2: -5, 3: 0, 4: 2**63 - 1}
    return [a_span(n, start_ns=TODAY_NS + n, duration_ns=duration) for n, duration in durations.items()]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"duration_min_ns": 0}, [4, 3, 1]),
        ({"duration_min_ns": 1}, [4]),
        ({"duration_max_ns": 0}, [3, 2, 1]),
        ({"duration_max_ns": -1}, [2]),
        ({"duration_min_ns": -10, "duration_max_ns": -5}, [2]),
        ({"duration_min_ns": 0, "duration_max_ns": 0}, [3, 1]),
    ],
    ids=str,
)
def test_an_absent_duration_counts_as_zero_and_a_negative_one_as_itself(
    loaded: Loaded, bounds: dict[str, Any], expected: list[int]
) -> None:
    """zipkin.md 3.2: absent duration = 0. An OTLP span may end before it starts."""
    assert found(loaded(absent_negative_zero_and_endless), **bounds) == expected


def test_a_late_duration_makes_both_fragments_found(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITSpanStore: the same span without duration, then a fragment with it."""
    fragments = [
        a_zipkin_span(1, duration_ns=None),
        a_zipkin_span(1, name=None, tags={}, duration_ns=200 * MS),
    ]
    write(*fragments)
    assert found(store, service=FRONTEND, duration_min_ns=200 * MS + 1) == []
    (trace,) = store.find_traces(a_query(service=FRONTEND, duration_min_ns=200 * MS))
    assert same_spans(trace, fragments)


def three_traces_of_permuted_roles() -> list[Span]:
    return [
        a_zipkin_span(1, 1, name="targz", service=FRONTEND, duration_ns=200 * MS, start_ns=TODAY_NS),
        a_zipkin_span(1, 2, parent=1, name="tar", service=BACKEND, duration_ns=150 * MS, start_ns=TODAY_NS),
        a_zipkin_span(1, 3, parent=1, name="gz", service=DB, duration_ns=50 * MS, start_ns=TODAY_NS),
        a_zipkin_span(2, 1, name="targz", service=DB, duration_ns=200 * MS, start_ns=TODAY_NS + MS),
        a_zipkin_span(2, 2, parent=1, name="tar", service=BACKEND, duration_ns=150 * MS, start_ns=TODAY_NS + MS),
        a_zipkin_span(
            2, 3, parent=1, name="gz", service=FRONTEND, remote=BACKEND, duration_ns=50 * MS, start_ns=TODAY_NS + MS
        ),
        a_zipkin_span(3, 1, name="zip", service=BACKEND, duration_ns=50 * MS, start_ns=TODAY_NS + 2 * MS),
    ]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"service": FRONTEND, "duration_min_ns": 200 * MS}, [1]),
        ({"service": DB, "duration_min_ns": 200 * MS}, [2]),
        ({"service": BACKEND, "duration_min_ns": 50 * MS, "duration_max_ns": 150 * MS}, [3, 2, 1]),
        (
            {
                "service": FRONTEND,
                "remote_service": BACKEND,
                "duration_min_ns": 50 * MS,
                "duration_max_ns": 50 * MS,
            },
            [2],
        ),
        ({"service": BACKEND, "operation": "zip", "duration_max_ns": 50 * MS}, [3]),
        ({"service": BACKEND, "duration_min_ns": 50 * MS, "duration_max_ns": 50 * MS}, [3]),
    ],
    ids=str,
)
def test_the_duration_is_that_of_the_service_asked(
    loaded: Loaded, question: dict[str, Any], expected: list[int]
) -> None:
    """zipkin.md 3.8 ITSpanStore: duration per service, three traces with permuted roles."""
    assert found(loaded(three_traces_of_permuted_roles), **question) == expected


def test_the_duration_is_not_that_of_the_trace(store: SpanStore, write: Writing) -> None:
    """jaeger.md 5.3: users expect the trace's, peers compare the span's."""
    write(a_span(1, 1, duration_ns=5), a_span(1, 2, start_ns=TODAY_NS + 10 * MS, duration_ns=5))
    assert found(store, duration_min_ns=6) == []
