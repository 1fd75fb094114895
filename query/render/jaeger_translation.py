"""What Jaeger shows of a span, before it is written as JSON or protobuf: its tags, references, logs and times.

Source: OpenTelemetry collector's translator to Jaeger.
"""

from typing import NamedTuple

from storage import conventions
from storage.attributes import Attributes, AttributeValue
from storage.conventions import REF_TYPE_KEY, SERVICE_NAME_KEY
from storage.ids import SpanId, TraceId
from storage.span import Event, Link, Protocol, Span, SpanKind, StatusCode

Tag = tuple[str, AttributeValue]

CHILD_OF = "CHILD_OF"
FOLLOWS_FROM = "FOLLOWS_FROM"
_KIND_TEXTS = {
    SpanKind.UNSPECIFIED: "",
    SpanKind.INTERNAL: "internal",
    SpanKind.SERVER: "server",
    SpanKind.CLIENT: "client",
    SpanKind.PRODUCER: "producer",
    SpanKind.CONSUMER: "consumer",
}


class Reference(NamedTuple):
    """A reference to another span. type: CHILD_OF or FOLLOWS_FROM."""

    type: str
    trace_id: TraceId
    span_id: SpanId


def span_kind_text(kind: SpanKind) -> str:
    """The lower-case name of the kind; "" when it is unspecified."""
    return _KIND_TEXTS[kind]


def span_tags(span: Span) -> list[Tag]:
    """The scope, the attributes, kind, status and trace state, in the translator's order.

    A span that came from a Jaeger client has all of them among its attributes: it is given back as it was sent.
    """
    if span.protocol is Protocol.JAEGER:
        return list(span.attributes.items())
    tags: list[Tag] = []
    if span.scope.name:
        tags.append(("otel.scope.name", span.scope.name))
    if span.scope.version:
        tags.append(("otel.scope.version", span.scope.version))
    tags += span.attributes.items()
    if kind := _KIND_TEXTS[span.kind]:
        tags.append(("span.kind", kind))
    if span.status_code is not StatusCode.UNSET:
        tags.append(("otel.status_code", span.status_code.name))
    if span.status_code is StatusCode.ERROR:
        tags.append(("error", True))
    if span.status_message:
        tags.append(("otel.status_description", span.status_message))
    if span.trace_state:
        tags.append(("w3c.tracestate", span.trace_state))
    return tags


def span_flags(span: Span) -> int:
    """The flags of a span that came from a Jaeger client; OTLP's mean something else and are not shown."""
    return span.flags if span.protocol is Protocol.JAEGER else 0


def process_tags(resource: Attributes) -> list[Tag]:
    """The resource's attributes but for the service name, which has a field of its own."""
    return [tag for tag in resource.items() if tag[0] != SERVICE_NAME_KEY]


def log_fields(event: Event) -> list[Tag]:
    """The event's name first, as `event`, unless it has none or an attribute of its own stands for it."""
    if event.name and "event" not in event.attributes:
        return [("event", event.name), *event.attributes.items()]
    return list(event.attributes.items())


def references(span: Span) -> list[Reference]:
    """The parent first, as clients take the first reference for it. A link to the parent only gives its type."""
    parent = span.parent_span_id
    parent_type = CHILD_OF
    found: list[Reference] = []
    for link in span.links:
        if parent is not None and link.span_id == parent and link.trace_id == span.trace_id:
            parent_type = _reference_type(link)
        else:
            found.append(Reference(_reference_type(link), link.trace_id, link.span_id))
    return found if parent is None else [Reference(parent_type, span.trace_id, parent), *found]


def shown_ns(time_ns: int | None) -> int:
    """A time or a duration as it is shown: never absent and never negative, for clients decode them as unsigned."""
    return max(0, time_ns or 0)


def _reference_type(link: Link) -> str:
    return CHILD_OF if link.attributes.get(REF_TYPE_KEY) == conventions.CHILD_OF else FOLLOWS_FROM
