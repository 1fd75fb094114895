"""Clients that speak Zipkin: its own libraries and OpenTelemetry's exporters, each with its own way to write tags."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from storage.attributes import AttributeValue
from tests.clients.expectations import assert_every_window_shows
from tests.clients.seen import otlp_form_of_zipkin, typed, zipkin_text
from tests.clients.sending import Sent, send_by_node, send_by_python
from tests.clients.workload import RESOURCE, SCOPE, SPANS, Moment, Planned
from tests.process.clew_process import Clew

LOCAL = {"ipv4": "10.1.2.3", "port": 8080}
REMOTE = {"serviceName": "orders-db", "ipv4": "10.9.8.7", "port": 5432}
BEYOND_JAVASCRIPT = ("int.largest", "bytes")


def shown(
    sent: Sent,
    plan: Planned,
    tags: dict[str, str],
    annotation: Callable[[Moment], str],
    rounding_ns: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A span of the workload in Zipkin's JSON. rounding_ns: what a client adds before it cuts to microseconds."""

    def at_us(offset_ns: int) -> int:
        return (sent.base_ns + offset_ns + rounding_ns) // 1000

    found: dict[str, Any] = {
        "traceId": sent.trace_id,
        "id": sent.span_ids[plan.name],
        "kind": plan.kind.upper(),
        "name": plan.name.lower(),
        "timestamp": at_us(plan.offset_ns),
        "localEndpoint": {"serviceName": sent.service.lower()},
        "tags": tags,
    }
    if plan.parent:
        found["parentId"] = sent.span_ids[plan.parent]
    if plan.events:
        found["annotations"] = [
            {"timestamp": at_us(event.offset_ns), "value": annotation(event)} for event in plan.events
        ]
    return found | more


def assert_read_back(clew: Clew, spans: list[dict[str, Any]]) -> None:
    """Zipkin's window shows these spans, and every other window what Jaeger's Zipkin receiver makes of them."""
    assert_every_window_shows(clew, [otlp_form_of_zipkin(span) for span in spans], zipkin=spans)


def rounded_us(plan: Planned) -> int:
    return (plan.duration_ns + 500) // 1000


def whole_duration_us(plan: Planned) -> int:
    """From one cut time to another, as clients that record start and end have it."""
    return (plan.offset_ns + plan.duration_ns) // 1000 - plan.offset_ns // 1000


class TestOpenTelemetryPython:
    def test_spans_read_back_complete_through_every_window(self, clew: Clew) -> None:
        sent = send_by_python("otel", {"zipkin": f"{clew.url('zipkin')}/api/v2/spans"})["zipkin"]

        assert_read_back(
            clew,
            [
                shown(sent, plan, self.tags(sent, plan), self.annotation, 500, duration=rounded_us(plan), debug=True)
                for plan in SPANS
            ],
        )

    def tags(self, sent: Sent, plan: Planned) -> dict[str, str]:
        tags = {key: self.text(value) for key, value in plan.attributes.items()}
        tags |= {"service.name": sent.service, **RESOURCE}
        tags |= {f"otel.{word}.{key}": value for word in ("library", "scope") for key, value in self.scope.items()}
        if plan.error is not None:
            tags |= {"otel.status_code": "ERROR", "error": plan.error}
        return tags

    scope: Mapping[str, str] = dict(zip(("name", "version"), SCOPE, strict=True))

    def text(self, value: AttributeValue) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | bytes):
            return json.dumps([self.text(item) for item in value], separators=(",", ":"))
        return str(value)

    def annotation(self, event: Moment) -> str:
        return json.dumps({event.name: event.attributes}, sort_keys=True)


@pytest.mark.parametrize("packages", ["current", "legacy"])
def test_opentelemetry_node_spans_read_back_complete_through_every_window(clew: Clew, packages: str) -> None:
    sent = send_by_node("otel", packages, {"zipkin": f"{clew.url('zipkin')}/api/v2/spans"})["zipkin"]

    def tags(plan: Planned) -> dict[str, str]:
        status = {} if plan.error is None else {"otel.status_code": "ERROR", "error": plan.error}
        return javascript_tags(plan) | status | {"service.name": sent.service} | RESOURCE

    spans = [
        shown(sent, plan, tags(plan), lambda event: event.name, duration=whole_duration_us(plan)) for plan in SPANS
    ]
    assert_read_back(clew, spans)


@pytest.fixture(scope="module")
def javascript(clew: Clew) -> dict[str, Sent]:
    """What npm's zipkin sent; v1 is its default encoding."""
    targets = {f"JSON_{version}": f"{clew.url('zipkin')}/api/{version.lower()}/spans" for version in ("V1", "V2")}
    return send_by_node("zipkin", "legacy", targets)


@pytest.mark.parametrize("encoding", ["JSON_V1", "JSON_V2"])
def test_zipkin_js_spans_read_back_complete_through_every_window(
    clew: Clew, javascript: Mapping[str, Sent], encoding: str
) -> None:
    sent = javascript[encoding]

    def tags(plan: Planned) -> dict[str, str]:
        return javascript_tags(plan) | ({} if plan.error is None else {"error": plan.error})

    def endpoints(plan: Planned) -> dict[str, Any]:
        local: dict[str, Any] = {"localEndpoint": {"serviceName": sent.service.lower(), **LOCAL}}
        return local | ({"remoteEndpoint": REMOTE} if plan.kind == "client" else {})

    assert_read_back(
        clew,
        [
            shown(sent, plan, tags(plan), lambda event: event.name, duration=whole_duration_us(plan), **endpoints(plan))
            for plan in SPANS
        ],
    )


@pytest.fixture(scope="module")
def python(clew: Clew) -> dict[str, Sent]:
    """What py_zipkin sent."""
    targets = {f"{version}_JSON": f"{clew.url('zipkin')}/api/{version.lower()}/spans" for version in ("V1", "V2")}
    return send_by_python("zipkin", targets)


@pytest.mark.parametrize("encoding", ["V1_JSON", "V2_JSON"])
def test_py_zipkin_spans_read_back_complete_through_every_window(
    clew: Clew, python: Mapping[str, Sent], encoding: str
) -> None:
    sent = python[encoding]
    durations = {span["id"]: span["duration"] for span in sent.posted}

    def tags(plan: Planned) -> dict[str, str]:
        # In v1 numbers and booleans stay what they are, and Zipkin's reader passes over what is not text.
        lost = (bool, int, float) if encoding == "V1_JSON" else ()
        kept = {key: str(value) for key, value in plan.attributes.items() if not isinstance(value, lost)}
        return kept | ({} if plan.error is None else {"error": plan.error})

    def endpoints(plan: Planned) -> dict[str, Any]:
        local: dict[str, Any] = {"localEndpoint": {"serviceName": sent.service.lower(), **LOCAL}}
        return local | ({"remoteEndpoint": REMOTE} if plan.kind == "client" else {})

    spans = [
        shown(
            sent,
            plan,
            tags(plan),
            lambda event: event.name,
            duration=durations[sent.span_ids[plan.name]],
            **endpoints(plan),
        )
        for plan in SPANS
    ]
    assert_read_back(clew, spans)


def javascript_tags(plan: Planned) -> dict[str, str]:
    """Attributes as JavaScript's String() writes them."""
    kept = {key: value for key, value in plan.attributes.items() if key not in BEYOND_JAVASCRIPT}
    return {key: zipkin_text(typed(value)) for key, value in kept.items()}
