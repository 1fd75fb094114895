"""A Jaeger span in OpenTelemetry's terms: the tags that are OpenTelemetry's fields moved into those.

Source: OpenTelemetry collector's translator from Jaeger. The decoder has read kind, status and message already; here
their tags go, for OTLP would say the same thing twice. Jaeger's own renderings show the span as it was sent.
"""

from msgspec.structs import replace

from storage.attributes import AttributeValue, text_of
from storage.span import Protocol, Scope, Span, SpanKind, StatusCode

_SCOPE_NAME_KEYS = ("otel.scope.name", "otel.library.name")
_SCOPE_VERSION_KEYS = ("otel.scope.version", "otel.library.version")
_W3C_SAMPLED = 1


def jaeger_as_otel(span: Span) -> Span:
    """The span without the tags that its fields tell; one of another protocol as it is."""
    if span.protocol is not Protocol.JAEGER:
        return span
    attributes = dict(span.attributes)
    if span.kind is not SpanKind.UNSPECIFIED:
        attributes.pop("span.kind", None)
    _drop_status(span, attributes)
    trace_state = _lifted(attributes, ("w3c.tracestate",)) or span.trace_state
    name, version = _lifted(attributes, _SCOPE_NAME_KEYS), _lifted(attributes, _SCOPE_VERSION_KEYS)
    scope = Scope(name or span.scope.name, version or span.scope.version)
    flags = span.flags & _W3C_SAMPLED
    return replace(span, attributes=attributes, trace_state=trace_state, scope=scope, flags=flags)


def _drop_status(span: Span, attributes: dict[str, AttributeValue]) -> None:
    if span.status_code is StatusCode.ERROR and attributes.get("error") is True:
        del attributes["error"]
    if text_of(attributes.get("otel.status_code")).upper() == span.status_code.name:
        del attributes["otel.status_code"]
    if span.status_message and attributes.get("otel.status_description") == span.status_message:
        del attributes["otel.status_description"]


def _lifted(attributes: dict[str, AttributeValue], keys: tuple[str, ...]) -> str:
    """The text under the first of the keys that has one, which is removed; "" when none has."""
    for key in keys:
        value = attributes.get(key)
        if value and isinstance(value, str):
            del attributes[key]
            return value
    return ""
