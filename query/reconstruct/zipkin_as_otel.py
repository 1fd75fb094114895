"""A Zipkin span in OpenTelemetry's terms, by the rules of the receiver that Jaeger listens on 9411 with.

Source: OpenTelemetry collector's Zipkin translator, as Jaeger 2.18 and later carry it: addresses are
`network.local.address` and `network.peer.address` (before: `net.host.ip`, `net.peer.ip`), ports still `net.*.port`.
Where that translator loses what was sent, this one keeps it: resource-like tags stay on their own span, and an
annotation that only looks structured stays whole. `storage.zipkin_status` says how the status is read.
"""

import json

from msgspec.structs import replace

from storage.attributes import Attributes, AttributeValue, text_of
from storage.span import Event, Protocol, Scope, Span, SpanKind, StatusCode
from storage.zipkin_status import ERROR_KEY, STATUS_KEY, STATUS_TEXTS, zipkin_status

START_ABSENT_KEY = "otel.zipkin.absentField.startTime"
_MESSAGE_KEY = "otel.status_description"
_TRACE_STATE_KEY = "w3c.tracestate"
_SCOPE_KEYS = ("otel.scope.name", "otel.library.name", "otel.scope.version", "otel.library.version")
_ANY_SCOPE_KEY = frozenset(_SCOPE_KEYS)
_ZIPKIN = Protocol.ZIPKIN
_LARGEST_DROPPED = 2**32 - 1


def as_otel(span: Span) -> Span:
    """The span with its Zipkin facts as attributes, status, kind, scope and events; one of another protocol as it is.

    `local`, `remote`, `shared` and absent times are left in place besides.
    """
    if span.protocol is not _ZIPKIN:
        return span
    attributes = dict(span.attributes)
    kind = _lifted_kind(span.kind, attributes)
    status_code = _lifted_status(span.status_code, attributes)
    status_message = _lifted_text(_MESSAGE_KEY, attributes) or span.status_message
    trace_state = _lifted_text(_TRACE_STATE_KEY, attributes) or span.trace_state
    scope = _lifted_scope(attributes) or span.scope
    _add_endpoints(span, attributes)
    if span.start_ns is None:
        attributes[START_ABSENT_KEY] = True
    return replace(
        span,
        attributes=attributes,
        kind=kind,
        status_code=status_code,
        status_message=status_message,
        trace_state=trace_state,
        scope=scope,
        events=tuple(structured(event) for event in span.events) if span.events else (),
    )


def structured(event: Event) -> Event:
    """An annotation `name|{"key":"value"}|dropped`, which is how the collector writes an event, as that event again.

    Any other annotation is an event whose name is the whole value.
    """
    name, bar, rest = event.name.partition("|")
    details, last_bar, dropped_text = rest.rpartition("|")
    if not (bar and last_bar and dropped_text.isascii() and dropped_text.isdigit()):
        return event
    dropped = int(dropped_text) if len(dropped_text) <= 10 else _LARGEST_DROPPED + 1
    attributes = _json_attributes(details)
    if attributes is None or dropped > _LARGEST_DROPPED:
        return event
    return Event(event.time_ns, name, attributes, dropped)


def _lifted_kind(kind: SpanKind, attributes: dict[str, AttributeValue]) -> SpanKind:
    if kind is SpanKind.UNSPECIFIED and attributes.get("span.kind") == "internal":
        del attributes["span.kind"]
        return SpanKind.INTERNAL
    return kind


def _lifted_status(stored: StatusCode, attributes: dict[str, AttributeValue]) -> StatusCode:
    if STATUS_KEY not in attributes and ERROR_KEY not in attributes:
        return stored
    status = zipkin_status(stored, attributes)
    text = text_of(attributes.get(STATUS_KEY))
    if text in STATUS_TEXTS or text == status.name:
        # It is shown from the status; left among the tags it would be shown twice.
        attributes.pop(STATUS_KEY, None)
    if attributes.get(ERROR_KEY) == "true":
        del attributes[ERROR_KEY]
    return status


def _lifted_text(key: str, attributes: dict[str, AttributeValue]) -> str:
    return text_of(attributes.pop(key)) if key in attributes else ""


def _lifted_scope(attributes: dict[str, AttributeValue]) -> Scope | None:
    """What OpenTelemetry's exporters put into tags, under the names of today and of before 2022."""
    if _ANY_SCOPE_KEY.isdisjoint(attributes):
        return None
    name, old_name, version, old_version = (_lifted_text(key, attributes) for key in _SCOPE_KEYS)
    return Scope(name or old_name, version or old_version) if name or old_name or version or old_version else None


def _add_endpoints(span: Span, attributes: dict[str, AttributeValue]) -> None:
    local, remote = span.local, span.remote
    for key, value in (
        ("network.local.address", local.ipv4 or local.ipv6),
        ("net.host.port", local.port),
        ("peer.service", remote.service),
        ("network.peer.address", remote.ipv4 or remote.ipv6),
        ("net.peer.port", remote.port),
    ):
        if value is not None:
            attributes.setdefault(key, value)


def _json_attributes(text: str) -> Attributes | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {key: _whole_as_int(value) for key, value in found.items() if isinstance(value, str | bool | int | float)}


def _whole_as_int(value: AttributeValue) -> AttributeValue:
    return int(value) if isinstance(value, float) and value.is_integer() else value
