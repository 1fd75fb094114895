"""Jaeger v2's sort adjuster: reference section 5.1, step 2."""

from query.reconstruct.sorting import sort_collections, sort_resource
from storage.attributes import Attributes
from storage.span import Event, Link, Resource, Scope, Span
from tests.builders import TODAY_NS, a_span, a_span_id, a_trace_id

UNSORTED = {"b": 1, "a": 2, "C": 3}
SORTED_KEYS = ["C", "a", "b"]


def test_attributes_of_every_level_are_sorted_by_key() -> None:
    span = sort_collections(
        a_span(
            attributes=UNSORTED,
            scope=Scope("s", attributes=UNSORTED),
            events=(Event(TODAY_NS, "e", UNSORTED),),
            links=(Link(a_trace_id(1), a_span_id(1), attributes=UNSORTED),),
        )
    )

    assert [list(attributes) for attributes in _levels(span)] == [SORTED_KEYS] * 4


def test_a_resource_is_sorted_by_key_and_left_as_it_is_when_it_was() -> None:
    resource = sort_resource(Resource(UNSORTED))

    assert list(resource.attributes) == SORTED_KEYS
    assert sort_resource(resource) is resource


def test_events_are_sorted_by_name_and_those_of_one_name_stay_in_order() -> None:
    events = (Event(3, "b"), Event(2, "a"), Event(1, "b"), Event(9, ""))

    assert sort_collections(a_span(events=events)).events == (events[3], events[1], events[0], events[2])


def test_a_span_that_is_sorted_is_left_as_it_is() -> None:
    span = a_span(attributes={"a": 1, "b": 2})

    assert sort_collections(span) is span


def _levels(span: Span) -> list[Attributes]:
    return [
        span.attributes,
        span.scope.attributes,
        span.events[0].attributes,
        span.links[0].attributes,
    ]
