"""Zipkin reference, section 2.2: endpoints."""

from typing import Any

import pytest

from collector.errors import MalformedPayload
from storage.span import Endpoint
from tests.collector.decode.zipkin.reading import span_from, span_with


def test_local_service_is_lower_cased_and_absent_when_empty() -> None:
    assert span_with(localEndpoint={"serviceName": "FrontEnd"}).service == "frontend"
    assert span_with(localEndpoint={"serviceName": ""}).service is None


def test_remote_service_is_lower_cased_and_absent_when_empty() -> None:
    assert span_with(remoteEndpoint={"serviceName": "BackEnd"}).remote == Endpoint("backend")
    assert span_with(remoteEndpoint={"serviceName": ""}).remote == Endpoint()


@pytest.mark.parametrize("side", ["localEndpoint", "remoteEndpoint"])
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, Endpoint()),
        (None, Endpoint()),
        ({"ipv4": None, "ipv6": None, "port": None, "serviceName": None}, Endpoint()),
        ({"ipv4": "1.2.3.4"}, Endpoint(ipv4="1.2.3.4")),
        ({"ipv6": "2001:DB8::C001"}, Endpoint(ipv6="2001:db8::c001")),
        ({"ipv4": "1.2.3.4", "ipv6": "::1"}, Endpoint(ipv4="1.2.3.4", ipv6="::1")),
        ({"ipv4": "2001:db8::c001"}, Endpoint(ipv6="2001:db8::c001")),
        ({"ipv6": "1.2.3.4"}, Endpoint(ipv4="1.2.3.4")),
        ({"ipv6": "::ffff:1.2.3.4"}, Endpoint(ipv4="1.2.3.4")),
        ({"ipv4": "1.2.3.4", "ipv6": "::ffff:1.2.3.5"}, Endpoint(ipv4="1.2.3.5")),
        ({"ipv4": "nowhere", "ipv6": "1.2.3.4.5"}, Endpoint()),
        ({"ipv4": ""}, Endpoint()),
        ({"port": 8080}, Endpoint(port=8080)),
        ({"port": 65535}, Endpoint(port=65535)),
        ({"port": 0}, Endpoint()),
        ({"port": -1}, Endpoint()),
        ({"port": "80"}, Endpoint(port=80)),
        ({"port": 80.0}, Endpoint(port=80)),
        ({"ipv4": "1.2.3.4", "zone": {"a": [1, None]}}, Endpoint(ipv4="1.2.3.4")),
    ],
)
def test_endpoint_keeps_what_is_an_address_or_a_port(side: str, sent: Any, stored: Endpoint) -> None:
    span = span_with(**{side: sent})
    assert (span.local, span.remote) == ((stored, Endpoint()) if side == "localEndpoint" else (Endpoint(), stored))


def test_endpoint_has_addresses_without_a_service() -> None:
    span = span_with(localEndpoint={"ipv4": "1.2.3.4"})
    assert (span.service, span.local.ipv4) == (None, "1.2.3.4")


@pytest.mark.parametrize("side", ["localEndpoint", "remoteEndpoint"])
@pytest.mark.parametrize("port", [65536, 99999999999])
def test_port_refuses_the_list_when_it_is_over_65535(side: str, port: int) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_with(**{side: {"port": port}})
    assert str(refusal.value) == f"invalid port {port} reading List<Span> from json, at $[0].{side}.port"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('"localEndpoint":{"port":"http"}', 'For input string: "http" reading '),
        ('"localEndpoint":{"port":true}', "Expected a long but was BOOLEAN at "),
        ('"localEndpoint":{"serviceName":true}', "Expected a string but was BOOLEAN at "),
        ('"localEndpoint":"frontend"', "Malformed reading List<Span> from json, Expected BEGIN_OBJECT at "),
    ],
)
def test_endpoint_refuses_the_list_when_a_member_is_of_another_type(text: str, cause: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_from(text)
    assert str(refusal.value).startswith(cause)


def test_service_may_be_a_json_number() -> None:
    assert span_from('"localEndpoint":{"serviceName":7.50}').service == "7.50"
