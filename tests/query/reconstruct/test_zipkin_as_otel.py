"""A Zipkin span in OpenTelemetry's terms: reference section 3.2, receiver era."""

import pytest
from msgspec.structs import replace

from query.reconstruct.zipkin_as_otel import as_otel, structured
from storage.attributes import AttributeValue
from storage.span import Endpoint, Event, Scope, SpanKind, StatusCode
from tests.builders import TODAY_NS, a_span, a_zipkin_span


def test_a_span_of_another_protocol_is_left_as_it_is() -> None:
    span = a_span(attributes={"error": "true", "otel.status_code": "OK"}, start_ns=None)

    assert as_otel(span) is span


def test_the_endpoints_become_attributes_under_the_names_of_jaeger_2_18() -> None:
    local = Endpoint(ipv4="10.0.0.1", port=8080)
    remote = Endpoint(service="backend", ipv4="10.0.0.2", port=9090)

    assert as_otel(replace(a_zipkin_span(tags={}), local=local, remote=remote)).attributes == {
        "network.local.address": "10.0.0.1",
        "net.host.port": 8080,
        "peer.service": "backend",
        "network.peer.address": "10.0.0.2",
        "net.peer.port": 9090,
    }


def test_an_ipv6_address_is_used_when_there_is_no_ipv4() -> None:
    local, remote = Endpoint(ipv6="2001:db8::1"), Endpoint(ipv6="2001:db8::2")

    assert as_otel(replace(a_zipkin_span(tags={}), local=local, remote=remote)).attributes == {
        "network.local.address": "2001:db8::1",
        "network.peer.address": "2001:db8::2",
    }


def test_a_tag_of_the_sender_wins_over_the_endpoint() -> None:
    span = a_zipkin_span(tags={"peer.service": "Backend"}, remote="backend")

    assert as_otel(span).attributes == {"peer.service": "Backend"}


@pytest.mark.parametrize(
    ("tags", "status", "kept"),
    [
        ({}, StatusCode.UNSET, {}),
        ({"error": "true"}, StatusCode.ERROR, {}),
        ({"error": "500"}, StatusCode.ERROR, {"error": "500"}),
        ({"error": ""}, StatusCode.ERROR, {"error": ""}),
        ({"error": "false"}, StatusCode.ERROR, {"error": "false"}),
        ({"otel.status_code": "STATUS_CODE_OK"}, StatusCode.OK, {}),
        ({"otel.status_code": "STATUS_CODE_ERROR"}, StatusCode.ERROR, {}),
        ({"otel.status_code": "STATUS_CODE_UNSET"}, StatusCode.UNSET, {}),
        ({"otel.status_code": "OK"}, StatusCode.OK, {}),
        ({"otel.status_code": "OK", "error": "x"}, StatusCode.ERROR, {"error": "x"}),
        ({"otel.status_code": "ERROR", "error": "boom"}, StatusCode.ERROR, {"error": "boom"}),
        ({"otel.status_code": "ERROR"}, StatusCode.UNSET, {"otel.status_code": "ERROR"}),
        ({"otel.status_code": "odd"}, StatusCode.UNSET, {"otel.status_code": "odd"}),
    ],
)
def test_the_status_comes_from_the_tags(
    tags: dict[str, str], status: StatusCode, kept: dict[str, AttributeValue]
) -> None:
    span = as_otel(a_zipkin_span(tags=tags))

    assert (span.status_code, span.attributes) == (status, kept)


def test_the_status_message_and_the_trace_state_come_out_of_the_tags() -> None:
    span = as_otel(a_zipkin_span(tags={"otel.status_description": "why", "w3c.tracestate": "a=1"}))

    assert (span.status_message, span.trace_state, span.attributes) == ("why", "a=1", {})


@pytest.mark.parametrize(
    ("kind", "tag", "shown", "kept"),
    [
        (SpanKind.UNSPECIFIED, "internal", SpanKind.INTERNAL, {}),
        (SpanKind.UNSPECIFIED, "odd", SpanKind.UNSPECIFIED, {"span.kind": "odd"}),
        (SpanKind.SERVER, "internal", SpanKind.SERVER, {"span.kind": "internal"}),
    ],
)
def test_only_a_span_without_a_kind_is_made_internal_by_its_tag(
    kind: SpanKind, tag: str, shown: SpanKind, kept: dict[str, AttributeValue]
) -> None:
    span = as_otel(a_zipkin_span(kind=kind, tags={"span.kind": tag}))

    assert (span.kind, span.attributes) == (shown, kept)


def test_an_absent_start_is_said_in_an_attribute() -> None:
    assert as_otel(a_zipkin_span(tags={}, start_ns=None)).attributes == {"otel.zipkin.absentField.startTime": True}


def test_resource_like_tags_stay_on_their_span() -> None:
    tags = {"k8s.pod.name": "fe-1", "service.version": "2.0"}

    assert as_otel(a_zipkin_span(tags=tags)).attributes == tags


def test_a_structured_annotation_becomes_an_event_with_typed_attributes() -> None:
    event = structured(Event(TODAY_NS, 'cache miss|{"key":"a|b","n":3.0,"f":1.5,"hit":false,"x":null}|2'))

    assert event == Event(TODAY_NS, "cache miss", {"key": "a|b", "n": 3, "f": 1.5, "hit": False}, 2)


@pytest.mark.parametrize(
    "value",
    [
        "ss",
        "",
        "a|b",
        "a|b|c",
        "a|{}|",
        "a|{}|x",
        "a|[1]|0",
        "a|{|0",
        "a|{}|99999999999",
        "a|{}|-1",
        "a|" + "[" * 9999 + "|0",
    ],
)
def test_any_other_annotation_stays_whole(value: str) -> None:
    event = Event(TODAY_NS, value)

    assert structured(event) is event


@pytest.mark.parametrize("prefix", ["otel.scope", "otel.library"])
def test_the_scope_that_opentelemetrys_exporters_put_into_tags_is_the_scope_again(prefix: str) -> None:
    span = as_otel(a_zipkin_span(tags={f"{prefix}.name": "shop.lib", f"{prefix}.version": "0.9", "a": "b"}))

    assert (span.scope, span.attributes) == (Scope("shop.lib", "0.9"), {"a": "b"})


def test_both_generations_of_scope_tags_are_one_scope() -> None:
    tags = {"otel.scope.name": "new", "otel.library.name": "old", "otel.library.version": "1"}

    assert as_otel(a_zipkin_span(tags=tags)).scope == Scope("new", "1")
