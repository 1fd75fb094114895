"""The ways calls took through services."""

import tracemalloc

import pytest

from query.reconstruct.call_paths import MOST_STEPS, call_paths
from query.reconstruct.trace import Trace, TraceSpan
from storage.span import Span
from tests.builders import a_span, a_trace_id


def ways(*spans: Span, service: str = "b", operation: str | None = None) -> list[str]:
    """Each path as `service:operation > ...`."""
    trace = Trace(a_trace_id(1), [TraceSpan(span) for span in spans])
    return [" > ".join(":".join(step) for step in path) for path in call_paths(trace, service, operation)]


def call(span: int, parent: int | None, service: str | None, name: str | None = "get") -> Span:
    return a_span(1, span, parent=parent, service=service, name=name)


def test_a_path_has_a_step_wherever_it_enters_a_service() -> None:
    spans = [call(1, None, "a", "in"), call(2, 1, "a", "out"), call(3, 2, "b", "in"), call(4, 3, "b"), call(5, 4, "c")]

    assert ways(*spans) == ["a:in > b:in > c:get"]


def test_every_leaf_has_its_own_path_and_equal_ones_are_one() -> None:
    spans = [call(1, None, "a"), call(2, 1, "b"), call(3, 2, "c"), call(4, 2, "c"), call(5, 2, "d")]

    assert ways(*spans) == ["a:get > b:get > c:get", "a:get > b:get > d:get"]


def test_paths_that_do_not_lead_through_the_service_are_left_out() -> None:
    assert ways(call(1, None, "a"), call(2, 1, "b"), call(3, 1, "c")) == ["a:get > b:get"]


def test_an_operation_narrows_it_to_paths_that_enter_by_it() -> None:
    spans = [call(1, None, "a"), call(2, 1, "b", "get"), call(3, 1, "b", "post")]

    assert ways(*spans, operation="post") == ["a:get > b:post"]


def test_a_service_that_is_entered_twice_has_two_steps() -> None:
    assert ways(call(1, None, "b"), call(2, 1, "a"), call(3, 2, "b")) == ["b:get > a:get > b:get"]


def test_a_span_whose_parent_is_missing_begins_a_path() -> None:
    assert ways(call(2, 1, "b"), call(3, 2, "c", None)) == ["b:get > c:"]


@pytest.mark.parametrize("service", [None, ""])
def test_a_span_without_a_service_is_passed_over(service: str | None) -> None:
    assert ways(call(1, None, "a"), call(2, 1, service), call(3, 2, "b")) == ["a:get > b:get"]


def test_a_circle_of_parents_ends() -> None:
    assert ways(call(1, 3, "a"), call(2, 1, "b"), call(3, 2, "c"), call(4, 3, "d")) == ["b:get > c:get > d:get"]


def test_a_trace_deeper_than_the_stack_is_followed() -> None:
    spans = [call(1, None, "b"), *(call(n, n - 1, "a") for n in range(2, 5000))]

    assert ways(*reversed(spans)) == ["b:get > a:get"]


def test_a_path_through_very_many_services_ends_at_its_bound_and_takes_little_memory() -> None:
    spans = [call(n, n - 1 or None, "ab"[n % 2]) for n in range(1, 5000)]
    tracemalloc.start()

    (way,) = ways(*spans)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert way.split(" > ") == ["b:get", "a:get"] * (MOST_STEPS // 2)
    assert peak_bytes < 10_000_000
