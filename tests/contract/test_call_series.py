"""Call rates, error rates and latencies of any store: SpanReader.call_series."""

from functools import cache
from random import Random
from typing import Any

import pytest

from storage.calls import call_series
from storage.contract import SpanStore
from storage.requests import CallQuery, CallSeries
from storage.span import Span, SpanKind, StatusCode
from tests.builders import DAY, MS, SECOND, TODAY_NS, a_span
from tests.contract.conftest import Loaded, Writing

SERVER = SpanKind.SERVER
MINUTE = 60 * SECOND


def a_call(number: int = 1, *, at_ns: int, **changes: Any) -> Span:
    """A server span of the frontend that starts `at_ns` after TODAY_NS and lasts 10 ms."""
    return a_span(number, number, **({"kind": SERVER, "start_ns": TODAY_NS + at_ns, "duration_ns": 10 * MS} | changes))


def a_call_query(**changes: Any) -> CallQuery:
    """The frontend's server calls of three minutes, counted a minute long at the end of each."""
    values: dict[str, Any] = {
        "services": ("frontend",),
        "kinds": (int(SERVER),),
        "end_ns": TODAY_NS + 3 * MINUTE,
        "step_ns": MINUTE,
        "points": 3,
        "window_ns": MINUTE,
    }
    return CallQuery(**(values | changes))


def test_nothing_was_called_in_an_empty_store(store: SpanStore) -> None:
    assert store.call_series(a_call_query(quantile=0.5)) == []


def test_calls_are_counted_at_the_end_of_their_window(store: SpanStore, write: Writing) -> None:
    write(
        a_call(1, at_ns=1),
        a_call(2, at_ns=MINUTE),
        a_call(3, at_ns=MINUTE + 1, status_code=StatusCode.ERROR),
        a_call(4, at_ns=3 * MINUTE, status_code=StatusCode.OK),
    )

    assert store.call_series(a_call_query()) == [CallSeries("frontend", None, (2, 1, 1), (0, 1, 0))]


def test_a_call_at_the_windows_very_begin_or_after_its_end_is_not_counted(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=0), a_call(2, at_ns=3 * MINUTE + 1))

    assert store.call_series(a_call_query()) == []


def test_a_window_longer_than_the_step_slides(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=-MINUTE), a_call(2, at_ns=30 * SECOND), a_call(3, at_ns=150 * SECOND))

    (series,) = store.call_series(a_call_query(window_ns=3 * MINUTE))

    assert series.calls == (2, 1, 2)


def test_a_window_shorter_than_the_step_leaves_calls_out(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=45 * SECOND), a_call(2, at_ns=50 * SECOND), a_call(3, at_ns=51 * SECOND))

    (series,) = store.call_series(a_call_query(window_ns=10 * SECOND))

    assert series.calls == (1, 0, 0)


def test_services_and_kinds_that_were_not_asked_are_left_out(store: SpanStore, write: Writing) -> None:
    write(
        a_call(1, at_ns=1),
        a_call(2, at_ns=1, service="Frontend"),
        a_call(3, at_ns=1, service=None),
        a_call(4, at_ns=1, kind=SpanKind.CLIENT),
        a_call(5, at_ns=1, service="backend", kind=SpanKind.CONSUMER),
    )

    series = store.call_series(a_call_query(services=("frontend", "backend", "nobody"), kinds=(2, 5)))

    assert [(one.service, one.calls) for one in series] == [("backend", (1, 0, 0)), ("frontend", (1, 0, 0))]


def test_operations_are_apart_when_asked_and_an_absent_name_is_empty(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=1), a_call(2, at_ns=2, name="post"), a_call(3, at_ns=3, name=None), a_call(4, at_ns=4))

    series = store.call_series(a_call_query(by_operation=True))

    assert [(one.operation, one.calls[0]) for one in series] == [("", 1), ("get", 2), ("post", 1)]


def test_of_too_many_operations_the_most_called_come_in_the_order_of_their_names(
    store: SpanStore, write: Writing
) -> None:
    for number, name in enumerate(["d", "b", "c", "c", "a"], 1):
        write(a_call(number, at_ns=number, name=name))
    write(a_call(9, at_ns=-MINUTE, name="d"))  # before the first window

    series = store.call_series(a_call_query(by_operation=True, limit=2))

    assert [one.operation for one in series] == ["a", "c"]


def test_repeated_spans_count_each_time(store: SpanStore, write: Writing) -> None:
    write(a_call(at_ns=1), a_call(at_ns=1))

    assert store.call_series(a_call_query())[0].calls == (2, 0, 0)


def test_a_span_without_a_start_is_no_call(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=0, start_ns=None))

    assert store.call_series(a_call_query(end_ns=0)) == []


@pytest.mark.parametrize(("quantile", "expected_ms"), [(0.0, 10.0), (0.5, 20.0), (0.75, 30.0), (1.0, 40.0)])
def test_a_latency_is_interpolated_between_the_closest_ranks(
    store: SpanStore, write: Writing, quantile: float, expected_ms: float
) -> None:
    write(*(a_call(n, at_ns=n, duration_ns=ms * MS) for n, ms in enumerate([40, 10, 20], 1)))

    (series,) = store.call_series(a_call_query(quantile=quantile))

    assert series.latencies_ns == (expected_ms * MS, None, None)


def test_an_absent_or_negative_duration_counts_as_0(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=1, duration_ns=None), a_call(2, at_ns=2, duration_ns=-5), a_call(3, at_ns=MINUTE + 1))

    (series,) = store.call_series(a_call_query(quantile=1.0))

    assert series.latencies_ns == (0, 10 * MS, None)


@pytest.mark.parametrize("duration_ns", [0, 1, 127, 128, 2**31 - 1, 2**50 - 1, 2**50, 2**63 - 1])
def test_the_latency_of_one_call_is_its_duration_however_long(
    store: SpanStore, write: Writing, duration_ns: int
) -> None:
    write(a_call(at_ns=1, duration_ns=duration_ns))

    assert store.call_series(a_call_query(quantile=0.95))[0].latencies_ns[0] == float(duration_ns)


def test_times_at_the_ends_of_int64_do_no_harm(store: SpanStore, write: Writing) -> None:
    write(a_call(1, at_ns=0, start_ns=2**63 - 1), a_call(2, at_ns=0, start_ns=0), a_call(3, at_ns=1))

    assert store.call_series(a_call_query())[0].calls == (1, 0, 0)
    assert store.call_series(a_call_query(end_ns=2**63 - 1))[0].calls == (0, 0, 1)
    assert store.call_series(a_call_query(end_ns=1))[0].calls == (0, 0, 1)


SPANS = 2000


@cache
def corpus() -> list[Span]:
    draw = Random(1605)
    return [
        a_call(
            number,
            at_ns=draw.randrange(int(0.5 * DAY)),
            service=draw.choice(["frontend", "frontend", "backend", "db", None]),
            name=draw.choice(["get", "get", "post", None, ""]),
            kind=draw.choice([SERVER, SERVER, SpanKind.CLIENT]),
            status_code=draw.choice([StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR]),
            duration_ns=draw.choice([None, 0, 5, int(draw.lognormvariate(17, 2)), int(draw.lognormvariate(17, 1))]),
        )
        for number in range(1, SPANS + 1)
    ]


def random_call_query(draw: Random) -> CallQuery:
    step_ns = draw.choice([1, 7, 30, 60]) * MINUTE
    return a_call_query(
        services=tuple(draw.sample(["frontend", "backend", "db", "nobody"], draw.randrange(1, 4))),
        kinds=tuple(draw.sample([2, 3], draw.randrange(1, 3))),
        end_ns=TODAY_NS + draw.randrange(int(0.6 * DAY)),
        step_ns=step_ns,
        points=draw.choice([1, 2, 60]),
        window_ns=draw.choice([step_ns // 3, step_ns, 5 * step_ns]),
        by_operation=draw.random() < 0.5,
        quantile=draw.choice([None, 0.0, 0.5, 0.95, 1.0]),
        limit=draw.choice([1, 3, 100]),
    )


@pytest.mark.parametrize("seed", range(60))
def test_any_store_answers_as_the_definition_and_a_latency_within_a_64th(loaded: Loaded, seed: int) -> None:
    query = random_call_query(Random(seed))

    answer, expected = loaded(corpus).call_series(query), call_series(corpus(), query)

    assert [without_latencies(one) for one in answer] == [without_latencies(one) for one in expected]
    for one, other in zip(answer, expected, strict=True):
        assert list(one.latencies_ns) == [
            latency if latency is None else pytest.approx(latency, rel=1 / 64) for latency in other.latencies_ns
        ]


def without_latencies(series: CallSeries) -> tuple[object, ...]:
    return series.service, series.operation, series.calls, series.errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step_ns": 0}, "expected step_ns >= 1, got 0"),
        ({"points": 0}, "expected points >= 1, got 0"),
        ({"limit": 0}, "expected limit >= 1, got 0"),
        ({"window_ns": 90 * SECOND}, "expected window_ns up to 60000000000 or a multiple of it, got 90000000000"),
        ({"quantile": 1.5}, "expected a quantile from 0 to 1, got 1.5"),
        ({"quantile": float("nan")}, "expected a quantile from 0 to 1, got nan"),
    ],
)
def test_a_query_that_makes_no_sense_cannot_be_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_call_query(**changes)
