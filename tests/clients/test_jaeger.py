"""Clients that speak Jaeger's Thrift: over HTTP to 14268, over UDP to 6831 and 6832, sampled as 5778 says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from storage.attributes import Attributes, AttributeValue
from tests.clients.expectations import assert_every_window_shows
from tests.clients.seen import (
    JaegerSpan,
    Typed,
    json_text,
    otlp_form_of_jaeger,
    typed,
    typed_all,
    zipkin_form_of_jaeger,
    zipkin_text,
)
from tests.clients.sending import Sent, send_by_node, send_by_python
from tests.clients.windows import zipkin_json
from tests.clients.workload import LINKED_SPAN, LINKED_TRACE, RESOURCE, SCOPE, SPANS, Planned
from tests.process.clew_process import Clew
from tests.waiting import wait_until

TagValue = Callable[[AttributeValue], Typed | None]
"""How a client types a tag; None when it cannot have it."""


@pytest.fixture(scope="module")
def targets(clew: Clew) -> dict[str, object]:
    """Where each transport of the Node clients sends."""
    return {"http": f"{clew.url('jaeger_thrift_http')}/api/traces", "udp": host_and_port(clew, "jaeger_udp_binary")}


@pytest.fixture(scope="module")
def jaeger_client_node(targets: dict[str, object]) -> dict[str, Sent]:
    """What npm's jaeger-client sent."""
    return send_by_node("jaeger", "legacy", targets)


@pytest.fixture(scope="module")
def opentelemetry_node(targets: dict[str, object]) -> dict[str, Sent]:
    """What OpenTelemetry's Jaeger exporter sent."""
    return send_by_node("otel", "legacy", {f"jaeger-{name}": target for name, target in targets.items()})


@pytest.mark.parametrize("transport", ["http", "udp"])
def test_jaeger_client_node_spans_read_back_complete_through_every_window(
    clew: Clew, jaeger_client_node: Mapping[str, Sent], transport: str
) -> None:
    sent = jaeger_client_node[transport]

    assert_read_back(clew, sent, [client_span(sent, plan, javascript_value) for plan in SPANS])


@pytest.mark.parametrize("transport", ["http", "udp"])
def test_opentelemetry_node_spans_read_back_complete_through_every_window(
    clew: Clew, opentelemetry_node: Mapping[str, Sent], transport: str
) -> None:
    """This exporter has no process tags: the resource and the scope are tags of each span."""
    sent = opentelemetry_node[f"jaeger-{transport}"]

    def span(plan: Planned) -> JaegerSpan:
        found = client_span(sent, plan, exporter_value)
        tags = typed_all({"service.name": sent.service, **RESOURCE})
        tags = {**tags, **typed_all({"otel.library.name": SCOPE[0], "otel.library.version": SCOPE[1]})}
        if plan.error is not None:
            tags = {**tags, **typed_all({"otel.status_code": "ERROR", "otel.status_description": plan.error})}
        duration_ns = plan.duration_ns // 1000 * 1000
        return replace(found, duration_ns=duration_ns, tags={**found.tags, **tags}, process={})

    assert_read_back(clew, sent, [span(plan) for plan in SPANS])


def test_jaeger_client_python_asks_whether_to_sample_and_its_spans_read_back_complete(clew: Clew) -> None:
    host, udp_port = host_and_port(clew, "jaeger_udp_compact")
    _, sampling_port = host_and_port(clew, "sampling_http")
    target = {"reporting_host": host, "reporting_port": udp_port, "sampling_port": sampling_port}
    sent = send_by_python("jaeger", {"udp": target})["udp"]

    def value(of: AttributeValue) -> Typed:
        return typed(str(of)) if isinstance(of, list | bytes) else typed(of)

    assert_read_back(clew, sent, [client_span(sent, plan, value) for plan in SPANS])


def assert_read_back(clew: Clew, sent: Sent, spans: list[JaegerSpan]) -> None:
    """UDP acknowledges nothing: wait until the spans are there, then read them through every window."""
    wait_until(lambda: len(found(clew, sent.trace_id)) == len(spans), f"the spans of {sent.service} have arrived")
    addresses = {span["id"]: span["localEndpoint"].get("ipv4") for span in found(clew, sent.trace_id)}

    def with_address(shown: dict[str, Any]) -> dict[str, Any]:
        """The client puts its machine's address into the process."""
        address = addresses[shown["id"]]
        return shown if address is None else shown | {"localEndpoint": shown["localEndpoint"] | {"ipv4": address}}

    assert_every_window_shows(
        clew,
        [otlp_form_of_jaeger(span) for span in spans],
        [with_address(zipkin_form_of_jaeger(span)) for span in spans],
        spans,
    )


def found(clew: Clew, trace_id: str) -> list[dict[str, Any]]:
    known = httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{trace_id}").status_code == 200
    return list(zipkin_json(clew, trace_id).values()) if known else []


def client_span(sent: Sent, plan: Planned, value: TagValue) -> JaegerSpan:
    """A span of the workload in Jaeger's model, whose times are microseconds."""
    parents = [("CHILD_OF", sent.trace_id, sent.span_ids[plan.parent])] if plan.parent else []
    links = [("FOLLOWS_FROM", LINKED_TRACE, LINKED_SPAN) for _ in plan.links]
    tags = values(plan.attributes, value) | typed_all({"span.kind": plan.kind})
    if plan.error is not None:
        tags |= typed_all({"error": True})
    start_us = (sent.base_ns + plan.offset_ns) // 1000
    end_us = (sent.base_ns + plan.offset_ns + plan.duration_ns) // 1000
    return JaegerSpan(
        sent.trace_id,
        sent.span_ids[plan.name],
        plan.name,
        (*parents, *links),
        start_us * 1000,
        (end_us - start_us) * 1000,
        tags,
        tuple(
            (
                (sent.base_ns + event.offset_ns) // 1000 * 1000,
                typed_all({"event": event.name}) | values(event.attributes, value),
            )
            for event in plan.events
        ),
        sent.service,
        typed_all(RESOURCE),
    )


def values(attributes: Attributes, value: TagValue) -> dict[str, Typed]:
    return {key: tag for key, of in attributes.items() if (tag := value(of)) is not None}


def javascript_value(value: AttributeValue) -> Typed | None:
    """jaeger-client: every number is a double, a list is JSON text; bytes and larger integers were not given to it."""
    if isinstance(value, list):
        return "str", json_text(typed(value))
    if isinstance(value, bytes) or value == 2**63 - 1:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "float", float(value)
    return typed(value)


def exporter_value(value: AttributeValue) -> Typed | None:
    """OpenTelemetry's exporter: every number is a double, a list is text with commas."""
    return ("str", zipkin_text(typed(value))) if isinstance(value, list) else javascript_value(value)


def host_and_port(clew: Clew, door: str) -> tuple[str, int]:
    host, _, port = clew.doors[door].rpartition(":")
    return host, int(port)
