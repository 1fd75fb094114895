"""Jaeger's IP, SDK and link adjusters: reference section 5.1, steps 5 to 7."""

import pytest

from query.reconstruct.attribute_repairs import (
    addresses_as_text,
    library_attributes_on_resources,
    without_invalid_links,
)
from query.reconstruct.trace import TraceSpan
from storage.attributes import AttributeValue
from storage.ids import NO_TRACE
from storage.span import Link, Resource
from tests.builders import a_span, a_span_id, a_trace_id

SDK = {"telemetry.sdk.language": "go", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.27.0"}
DISTRO = {"telemetry.distro.name": "opentelemetry", "telemetry.distro.version": "blah"}


@pytest.mark.parametrize("key", ["ip", "peer.ipv4"])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 << 24 | 2 << 16 | 3 << 8 | 4, "1.2.3.4"),
        (float(1 << 24 | 2 << 16 | 3 << 8 | 4), "1.2.3.4"),
        (0xC0A80001, "192.168.0.1"),
        (-1, "255.255.255.255"),
        (0, "0.0.0.0"),
    ],
)
def test_a_number_becomes_a_dotted_address_on_span_and_resource(key: str, value: AttributeValue, text: str) -> None:
    assert addresses_as_text(a_span(attributes={key: value})).attributes == {key: text}
    assert addresses_as_text(Resource({key: value})).attributes == {key: text}


@pytest.mark.parametrize(
    ("key", "value"),
    [("ip", "not an ip"), ("ip", True), ("ip", float("inf")), ("ip", [1]), ("peer.ipv6", 1), ("count", 16909060)],
)
def test_what_is_no_packed_address_is_left_as_it_is(key: str, value: AttributeValue) -> None:
    span = a_span(attributes={key: value})

    assert addresses_as_text(span) is span


def test_links_to_no_trace_are_removed_with_a_warning_each() -> None:
    good, bad = Link(a_trace_id(1), a_span_id(1)), Link(NO_TRACE, a_span_id(2))

    shown = without_invalid_links(TraceSpan(a_span(links=(bad, good, bad)), ("before",)))

    assert shown.span.links == (good,)
    assert shown.warnings == ("before", "Invalid span link removed", "Invalid span link removed")


def test_library_attributes_move_from_the_span_to_its_resource() -> None:
    span = a_span(attributes={"a": 1, **SDK, **DISTRO}, resource=Resource({"host.name": "h"}))

    (shown,) = library_attributes_on_resources([TraceSpan(span)])

    assert shown.span.attributes == {"a": 1}
    assert shown.span.resource.attributes == {"host.name": "h", **SDK, **DISTRO}
    assert shown.warnings == ()


def test_spans_of_one_resource_share_what_one_of_them_brought() -> None:
    spans = [TraceSpan(a_span(attributes=SDK)), TraceSpan(a_span(span=2)), TraceSpan(a_span(span=3, service="other"))]

    shown = library_attributes_on_resources(spans)

    assert [one.span.resource.attributes for one in shown] == [SDK, SDK, {}]


def test_a_conflicting_value_stays_on_its_span_with_a_warning() -> None:
    resource = Resource({"telemetry.sdk.language": "java"})
    span = a_span(attributes={"telemetry.sdk.language": "go", "telemetry.sdk.name": "x"}, resource=resource)

    (shown,) = library_attributes_on_resources([TraceSpan(span)])

    assert shown.span.attributes == {"telemetry.sdk.language": "go"}
    assert shown.span.resource.attributes == {"telemetry.sdk.language": "java", "telemetry.sdk.name": "x"}
    assert shown.warnings == ("conflicting values between Span and Resource for attribute telemetry.sdk.language",)


def test_an_equal_value_is_removed_from_the_span_without_a_warning() -> None:
    (shown,) = library_attributes_on_resources([TraceSpan(a_span(attributes=SDK, resource=Resource(SDK)))])

    assert (shown.span.attributes, shown.span.resource.attributes, shown.warnings) == ({}, SDK, ())


def test_spans_without_library_attributes_are_left_as_they_are() -> None:
    spans = [TraceSpan(a_span(attributes={"random_key": "random_value"}))]

    assert library_attributes_on_resources(spans) == spans
