"""A span as a window shows it, in forms that compare exactly: types of values included, order of attributes not.

`SeenSpan` is OTLP's shape and `JaegerSpan` Jaeger's; Zipkin's is its JSON. `jaeger_form` and `zipkin_form` say how the
peers show what came by another protocol, written after their documentation and not after clew's renderers.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storage.attributes import Attributes, AttributeValue

Typed = tuple[str, object]
Values = Mapping[str, Typed]
LARGEST_SAFE_INT = 2**53 - 1


def typed(value: AttributeValue) -> Typed:
    """A value with its type, as 1, 1.0 and True are equal in Python: ("int", 1)."""
    if isinstance(value, list):
        return "list", [typed(item) for item in value]
    if isinstance(value, dict):
        return "map", {key: typed(item) for key, item in value.items()}
    return type(value).__name__, value


def typed_all(attributes: Attributes) -> dict[str, Typed]:
    """Every attribute with its type."""
    return {key: typed(value) for key, value in attributes.items()}


@dataclass(frozen=True)
class SeenEvent:
    """An event of a span."""

    time_ns: int
    name: str
    attributes: Values = field(default_factory=dict)


@dataclass(frozen=True)
class SeenLink:
    """A link to another span, or a Jaeger reference other than the parent's."""

    trace_id: str
    span_id: str
    attributes: Values = field(default_factory=dict)


@dataclass(frozen=True)
class SeenSpan:
    """A span as OTLP has it. Ids are lower-case hex; kind and status are OTLP's words in lower case."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: Values
    events: tuple[SeenEvent, ...] = ()
    links: tuple[SeenLink, ...] = ()
    status: str = "unset"
    message: str = ""
    resource: Values = field(default_factory=dict)
    scope: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class JaegerSpan:
    """A span as Jaeger has it. References are (type, trace id, span id), the parent first; times as exact as shown."""

    trace_id: str
    span_id: str
    name: str
    references: tuple[tuple[str, str, str], ...]
    start_ns: int
    duration_ns: int
    tags: Values
    logs: tuple[tuple[int, Values], ...]
    service: str
    process: Values
    warnings: tuple[str, ...] = ()


def jaeger_form(span: SeenSpan) -> JaegerSpan:
    """OpenTelemetry's translation to Jaeger: scope, kind and status are tags, an event's name is the field `event`."""
    tags = {key: jaeger_value(value) for key, value in span.attributes.items()}
    facts = {"otel.scope.name": span.scope[0], "otel.scope.version": span.scope[1]}
    facts |= {"span.kind": span.kind if span.kind != "unspecified" else "", "otel.status_description": span.message}
    tags |= {key: ("str", text) for key, text in facts.items() if text}
    if span.status != "unset":
        tags["otel.status_code"] = "str", span.status.upper()
    if span.status == "error":
        # A span that came by Zipkin shows the text of its own error tag besides, under the same key.
        tags.setdefault("error", ("bool", True))
    parents = [("CHILD_OF", span.trace_id, span.parent_id)] if span.parent_id else []
    links = [("FOLLOWS_FROM", link.trace_id, link.span_id) for link in span.links]
    return JaegerSpan(
        span.trace_id,
        span.span_id,
        span.name,
        (*parents, *links),
        span.start_ns,
        span.end_ns - span.start_ns,
        tags,
        tuple((event.time_ns, _log_fields(event)) for event in span.events),
        str(span.resource["service.name"][1]),
        {key: jaeger_value(value) for key, value in span.resource.items() if key != "service.name"},
    )


def jaeger_value(value: Typed) -> Typed:
    """Jaeger has no lists and maps: they are JSON text."""
    kind, content = value
    return ("str", json_text(value)) if kind in ("list", "map") else (kind, content)


def json_text(value: Typed) -> str:
    """Compact JSON of a value, as Go writes it."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def in_microseconds(span: JaegerSpan) -> JaegerSpan:
    """As Jaeger's JSON shows it: every time is cut to whole microseconds."""
    return replace(
        span,
        start_ns=span.start_ns // 1000 * 1000,
        duration_ns=span.duration_ns // 1000 * 1000,
        logs=tuple((time_ns // 1000 * 1000, fields) for time_ns, fields in span.logs),
    )


def zipkin_form(span: SeenSpan) -> dict[str, Any]:
    """A span that came by OTLP in Zipkin's JSON, as Zipkin's own OTLP collector makes it. Links are lost."""
    attributes = {**span.resource, **span.attributes}
    tags = {key: zipkin_text(value) for key, value in attributes.items() if key != "service.name"}
    tags |= {"otel.scope.name": span.scope[0], "otel.scope.version": span.scope[1]} if span.scope[0] else {}
    if span.status == "error":
        tags = {"otel.status_code": "ERROR", "error": span.message} | tags
    shown: dict[str, Any] = {
        "traceId": span.trace_id,
        "id": span.span_id,
        "name": span.name.lower(),
        "timestamp": span.start_ns // 1000,
        "duration": (span.end_ns - span.start_ns) // 1000,
        "localEndpoint": {"serviceName": str(span.resource["service.name"][1]).lower()},
        "tags": tags,
    }
    if span.parent_id:
        shown["parentId"] = span.parent_id
    if span.kind in ("client", "server", "producer", "consumer"):
        shown["kind"] = span.kind.upper()
    if span.kind in ("client", "producer") and "peer.service" in span.attributes:
        shown["remoteEndpoint"] = {"serviceName": str(span.attributes["peer.service"][1]).lower()}
    if span.events:
        shown["annotations"] = [_annotation(event) for event in span.events]
    return shown


def zipkin_text(value: Typed) -> str:
    """A tag's text: lists joined by commas, bytes in base64, numbers as JSON writes them."""
    kind, content = value
    if kind == "list" and isinstance(content, list):
        return ",".join(map(zipkin_text, content))
    if isinstance(content, bytes):
        return base64.b64encode(content).decode()
    if isinstance(content, str):
        return content
    if isinstance(content, float) and content.is_integer():
        return str(int(content))
    # Go's exponents have no leading zero, Python's have.
    return json_text(value).replace("e-0", "e-")


def otlp_form_of_zipkin(shown: Mapping[str, Any]) -> SeenSpan:
    """A span that came by Zipkin in OTLP's shape, as OpenTelemetry's Zipkin receiver makes it: every value is text."""
    tags = dict(shown.get("tags", {}))
    status = "error" if "error" in tags else "unset"
    tags.pop("otel.status_code", None)
    if tags.get("error") == "true":
        del tags["error"]
    scope = tags.pop("otel.scope.name", ""), tags.pop("otel.scope.version", "")
    for old_key in ("otel.library.name", "otel.library.version"):
        tags.pop(old_key, None)
    values = typed_all(tags)
    for key, value in _endpoint_values(shown):
        values = {key: typed(value), **values}
    return SeenSpan(
        shown["traceId"].rjust(32, "0"),
        shown["id"],
        shown.get("parentId", ""),
        shown["name"],
        shown.get("kind", "unspecified").lower(),
        shown["timestamp"] * 1000,
        (shown["timestamp"] + shown["duration"]) * 1000,
        values,
        tuple(SeenEvent(item["timestamp"] * 1000, item["value"]) for item in shown.get("annotations", [])),
        (),
        status,
        "",
        typed_all({"service.name": shown["localEndpoint"]["serviceName"]}),
        scope,
    )


def otlp_form_of_jaeger(span: JaegerSpan) -> SeenSpan:
    """A span that came by Jaeger's own model in OTLP's shape, as OpenTelemetry's translation from Jaeger makes it."""
    tags = dict(span.tags)
    kind = str(tags.pop("span.kind", ("str", "unspecified"))[1])
    status = str(tags.pop("otel.status_code", ("str", "unset"))[1]).lower()
    if tags.get("error") == ("bool", True):
        status = "error"
        del tags["error"]
    message, *scope = (
        str(tags.pop(key, ("str", ""))[1])
        for key in ("otel.status_description", "otel.library.name", "otel.library.version")
    )
    parents = [parent for kind, _, parent in span.references if kind == "CHILD_OF"]
    follows = typed_all({"opentracing.ref_type": "follows_from"})
    return SeenSpan(
        span.trace_id,
        span.span_id,
        parents[0] if parents else "",
        span.name,
        kind,
        span.start_ns,
        span.start_ns + span.duration_ns,
        tags,
        tuple(SeenEvent(time_ns, str(log["event"][1]), _without(log, "event")) for time_ns, log in span.logs),
        tuple(
            SeenLink(trace_id, span_id, follows)
            for ref_type, trace_id, span_id in span.references
            if ref_type == "FOLLOWS_FROM"
        ),
        status,
        message,
        {**typed_all({"service.name": span.service}), **span.process},
        (scope[0], scope[1]),
    )


def zipkin_form_of_jaeger(span: JaegerSpan) -> dict[str, Any]:
    """The same in Zipkin's JSON: process tags and span tags are its tags, as they were sent."""
    shown = zipkin_form(otlp_form_of_jaeger(span))
    tags = {**span.process, **_without(span.tags, "span.kind")}
    return shown | {"tags": {key: zipkin_text(value) for key, value in tags.items()}}


def _without(values: Values, key: str) -> dict[str, Typed]:
    return {name: value for name, value in values.items() if name != key}


def _endpoint_values(shown: Mapping[str, Any]) -> Iterable[tuple[str, AttributeValue]]:
    local, remote = shown.get("localEndpoint", {}), shown.get("remoteEndpoint", {})
    found = {
        "network.local.address": local.get("ipv4", local.get("ipv6")),
        "net.host.port": local.get("port"),
        "peer.service": remote.get("serviceName"),
        "network.peer.address": remote.get("ipv4", remote.get("ipv6")),
        "net.peer.port": remote.get("port"),
    }
    return ((key, value) for key, value in found.items() if value is not None)


def _log_fields(event: SeenEvent) -> Values:
    return {"event": ("str", event.name)} | {key: jaeger_value(value) for key, value in event.attributes.items()}


def _annotation(event: SeenEvent) -> dict[str, Any]:
    text = event.name
    if event.attributes:
        text = f"{json_text(('str', event.name))}:{json_text(('map', event.attributes))}"
    return {"timestamp": event.time_ns // 1000, "value": text}


def _plain(value: Typed) -> object:
    kind, content = value
    if kind == "list" and isinstance(content, list):
        return [_plain(item) for item in content]
    if kind == "map" and isinstance(content, Mapping):
        return {key: _plain(item) for key, item in content.items()}
    return content
