"""How a span that came by OTLP reads in Zipkin's JSON (reference 8)."""

import json
from typing import Any

import pytest

from storage.span import Endpoint, Event, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, a_span_id, a_trace_id
from tests.query.render.documents import trace_json

SHOP = Resource({"service.name": "shop"})


def an_otlp_span(**changes: Any) -> Span:
    values: dict[str, Any] = {
        "trace_id": a_trace_id(1),
        "span_id": a_span_id(0xB),
        "service": "shop",
        "resource": SHOP,
        "start_ns": TODAY_NS,
        "duration_ns": MS,
    }
    return Span(**(values | changes))


def rendered(span: Span) -> dict[str, Any]:
    (only,) = json.loads(trace_json([span]))
    assert isinstance(only, dict)
    return only


def test_otlp_span_has_lower_case_names() -> None:
    span = rendered(an_otlp_span(name="GET /Cart", service="Checkout"))

    assert (span["name"], span["localEndpoint"]) == ("get /cart", {"serviceName": "checkout"})


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (SpanKind.UNSPECIFIED, None),
        (SpanKind.INTERNAL, None),
        (SpanKind.SERVER, "SERVER"),
        (SpanKind.CLIENT, "CLIENT"),
        (SpanKind.PRODUCER, "PRODUCER"),
        (SpanKind.CONSUMER, "CONSUMER"),
    ],
)
def test_otlp_kind_is_shown_unless_internal(kind: SpanKind, shown: str | None) -> None:
    assert rendered(an_otlp_span(kind=kind)).get("kind") == shown


@pytest.mark.parametrize(
    ("duration_ns", "duration_us"), [(0, 1), (999, 1), (1999, 1), (2000, 2), (-7, 1), (5_000_999, 5000)]
)
def test_otlp_duration_is_rounded_down_and_at_least_one_microsecond(duration_ns: int, duration_us: int) -> None:
    assert rendered(an_otlp_span(duration_ns=duration_ns))["duration"] == duration_us


def test_otlp_start_is_rounded_down_to_microseconds() -> None:
    assert rendered(an_otlp_span(start_ns=1_999_999))["timestamp"] == 1999


def test_otlp_span_without_start_and_end_has_neither_timestamp_nor_duration() -> None:
    span = rendered(an_otlp_span(start_ns=None, duration_ns=None))

    assert "timestamp" not in span
    assert "duration" not in span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", ""),
        (True, "true"),
        (500, "500"),
        (72.5, "72.5"),
        (200.0, "200"),
        (None, ""),
        (b"\x01\x02", "AQI="),
        (["a", 1, False], "a,1,false"),
        ([], ""),
        ([["a", "b"], {"k": 1}], 'a,b,{"k":1}'),
        ({"k": "v", "n": [1, 2]}, '{"k":"v","n":[1,2]}'),
    ],
)
def test_otlp_attribute_becomes_a_text_tag(value: Any, text: str) -> None:
    assert rendered(an_otlp_span(attributes={"key": value}))["tags"] == {"key": text}


def test_otlp_resource_attributes_are_tags_except_the_service_name() -> None:
    resource = Resource({"service.name": "shop", "host.name": "h1", "both": "resource"})

    tags = rendered(an_otlp_span(resource=resource, attributes={"both": "span"}))["tags"]

    assert tags == {"host.name": "h1", "both": "span"}


def test_otlp_scope_and_dropped_counts_are_tags() -> None:
    span = an_otlp_span(scope=Scope("lib", "1.2"), dropped_attributes=3, dropped_events=4)

    assert rendered(span)["tags"] == {
        "otel.scope.name": "lib",
        "otel.scope.version": "1.2",
        "otel.dropped_attributes_count": "3",
        "otel.dropped_events_count": "4",
    }


@pytest.mark.parametrize(
    ("status", "message", "attributes", "tags"),
    [
        pytest.param(StatusCode.UNSET, "", {}, None, id="unset"),
        pytest.param(StatusCode.OK, "", {}, {"otel.status_code": "OK"}, id="ok"),
        pytest.param(StatusCode.ERROR, "boom", {}, {"otel.status_code": "ERROR", "error": "boom"}, id="message"),
        pytest.param(StatusCode.ERROR, "", {}, {"otel.status_code": "ERROR", "error": ""}, id="without_message"),
        pytest.param(
            StatusCode.ERROR, "boom", {"error": "own"}, {"otel.status_code": "ERROR", "error": "own"}, id="own_error"
        ),
    ],
)
def test_otlp_status_becomes_tags(
    status: StatusCode, message: str, attributes: dict[str, str], tags: dict[str, str] | None
) -> None:
    span = an_otlp_span(status_code=status, status_message=message, attributes=attributes)

    assert rendered(span).get("tags") == tags


@pytest.mark.parametrize(
    ("event", "value"),
    [
        (Event(2_000, "started"), "started"),
        (Event(2_000, "exception", {"type": "E", "n": 1}), '"exception":{"type":"E","n":1}'),
        (Event(2_000, 'a"b', {"k": "v"}), '"a\\"b":{"k":"v"}'),
    ],
)
def test_otlp_event_becomes_an_annotation(event: Event, value: str) -> None:
    assert rendered(an_otlp_span(events=(event,)))["annotations"] == [{"timestamp": 2, "value": value}]


def test_otlp_span_has_no_local_endpoint_when_the_resource_has_no_service_name() -> None:
    span = an_otlp_span(
        resource=Resource({"host.name": "h"}),
        service="missing-service-name",
        attributes={"network.local.address": "10.0.0.1"},
    )

    assert "localEndpoint" not in rendered(span)


@pytest.mark.parametrize(
    ("address", "port", "endpoint"),
    [
        ("10.0.0.1", 8080, {"ipv4": "10.0.0.1", "port": 8080}),
        ("10.0.0.1", "8080", {"ipv4": "10.0.0.1", "port": 8080}),
        ("2001:DB8:0:0:0:0:0:1", 0, {"ipv6": "2001:db8::1"}),
        ("::ffff:1.2.3.4", 65536, {"ipv4": "1.2.3.4"}),
        ("fe80::1%eth0", -1, {}),
        ("/var/run/socket", "x", {}),
        (17, True, {}),
    ],
)
def test_otlp_local_endpoint_has_the_network_address_when_it_is_one(
    address: Any, port: Any, endpoint: dict[str, Any]
) -> None:
    span = an_otlp_span(attributes={"network.local.address": address, "network.local.port": port})

    assert rendered(span)["localEndpoint"] == {"serviceName": "shop"} | endpoint


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.PRODUCER])
@pytest.mark.parametrize(
    ("attributes", "endpoint"),
    [
        ({}, None),
        ({"network.peer.port": 80}, None),
        ({"peer.service": "Db"}, {"serviceName": "db"}),
        (
            {"peer.service": "Db", "network.peer.address": "10.0.0.9", "network.peer.port": 5432},
            {"serviceName": "db", "ipv4": "10.0.0.9", "port": 5432},
        ),
        ({"network.peer.address": "10.0.0.9"}, {"serviceName": "10.0.0.9", "ipv4": "10.0.0.9"}),
        ({"network.peer.address": "db.local"}, {"serviceName": "db.local"}),
    ],
)
def test_otlp_caller_has_the_remote_endpoint_it_names(
    kind: SpanKind, attributes: dict[str, Any], endpoint: dict[str, Any] | None
) -> None:
    assert rendered(an_otlp_span(kind=kind, attributes=attributes)).get("remoteEndpoint") == endpoint


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.INTERNAL])
def test_otlp_callee_has_no_remote_endpoint(kind: SpanKind) -> None:
    span = an_otlp_span(kind=kind, attributes={"peer.service": "db", "network.peer.address": "10.0.0.9"})

    assert "remoteEndpoint" not in rendered(span)


def test_otlp_remote_endpoint_shows_the_stored_name_that_searches_compare() -> None:
    span = an_otlp_span(kind=SpanKind.CLIENT, remote=Endpoint("db"), attributes={"network.peer.address": "10.0.0.9"})

    assert rendered(span)["remoteEndpoint"] == {"serviceName": "db", "ipv4": "10.0.0.9"}
