"""One order, and each span once."""

import pytest
from msgspec.structs import replace

from query.reconstruct.canonical import in_canonical_order
from storage.attributes import AttributeValue
from storage.repeats import content_of, distinct
from storage.span import Event, Link, Resource, Scope, Span, SpanKind
from tests.builders import MS, TODAY_NS, a_span, a_span_id, a_trace_id


def test_spans_stand_by_start_then_id_with_absent_starts_first() -> None:
    late, early = a_span(span=1, start_ns=TODAY_NS + MS), a_span(span=2, start_ns=TODAY_NS)
    tied, absent = a_span(span=9, start_ns=TODAY_NS), a_span(span=3, start_ns=None)

    assert in_canonical_order([late, tied, early, absent]) == [absent, early, tied, late]


def test_spans_of_one_start_and_id_stand_in_the_same_order_however_they_arrive() -> None:
    one, other = a_span(name="a"), a_span(name="b")

    assert in_canonical_order([one, other]) == in_canonical_order([other, one])


def test_a_repeated_span_is_kept_once() -> None:
    assert distinct([a_span(), a_span(span=2), a_span()]) == [a_span(), a_span(span=2)]


def test_a_span_repeated_with_its_attributes_in_another_order_is_kept_once() -> None:
    one = a_span(attributes={"a": 1, "b": "x"}, resource=Resource({"c": 1, "d": 2}))
    other = a_span(attributes={"b": "x", "a": 1}, resource=Resource({"d": 2, "c": 1}))

    assert distinct([one, other]) == [one]


def test_a_span_repeated_with_a_nan_is_kept_once() -> None:
    assert len(distinct([a_span(attributes={"a": float("nan")}), a_span(attributes={"a": float("nan")})])) == 1


@pytest.mark.parametrize(
    "different",
    [
        a_span(name="other"),
        a_span(kind=SpanKind.SERVER),
        a_span(shared=True),
        a_span(duration_ns=None),
        a_span(parent=7),
        a_span(attributes={"a": "1"}),
        a_span(events=(Event(TODAY_NS, "e"),)),
        a_span(links=(Link(a_trace_id(2), a_span_id(3)),)),
        a_span(resource=Resource({"host.name": "h"})),
        a_span(scope=Scope(attributes={"a": 1})),
        a_span(status_message="m"),
    ],
)
def test_spans_that_share_an_id_and_differ_in_anything_both_stay(different: Span) -> None:
    assert distinct([a_span(), different]) == [a_span(), different]


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ("1", 1), (0.0, -0.0), (b"a", "YQ=="), ([], {})])
def test_values_of_different_types_make_different_content(one: AttributeValue, other: AttributeValue) -> None:
    span = a_span(attributes={"a": one})

    assert content_of(span) != content_of(replace(span, attributes={"a": other}))
