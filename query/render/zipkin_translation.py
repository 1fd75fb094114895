"""What Zipkin shows of a span that came by another protocol: its tags, endpoints and annotation values.

A Zipkin span's own are given back as they were posted. The rules for the others are those of the OTLP collector that
Zipkin's contributors maintain (zipkin-otel), with its resource attributes on; texts of values are the ones that a tag
search compares (`storage.attributes.text_of`), except that arrays are joined with commas.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address

from storage.attributes import AttributeValue, encode_value, text_of
from storage.conventions import SERVICE_NAME_KEY
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode

_NONE = Endpoint()
_CALLERS = (SpanKind.CLIENT, SpanKind.PRODUCER)


def tags_of(span: Span) -> Mapping[str, str]:
    """The tags of a span, in no promised order.

    Other than Zipkin: resource attributes without service.name, then span attributes over them, then otel.* facts, and
    `error` with the status message when the status is ERROR and the span has no such attribute. A Jaeger span has its
    otel.* facts among its attributes, if it has any, and its kind in a tag that Zipkin shows as the kind.
    """
    if span.protocol is Protocol.ZIPKIN:
        return {key: text_of(value) for key, value in span.attributes.items()}
    tags = {key: _tag_text(value) for key, value in span.resource.attributes.items() if key != SERVICE_NAME_KEY}
    tags.update((key, _tag_text(value)) for key, value in span.attributes.items())
    if span.protocol is Protocol.JAEGER:
        if span.kind not in (SpanKind.UNSPECIFIED, SpanKind.INTERNAL):
            tags.pop("span.kind", None)
    elif span.status_code is not StatusCode.UNSET:
        tags["otel.status_code"] = span.status_code.name
    if span.status_code is StatusCode.ERROR and "error" not in span.attributes:
        tags["error"] = span.status_message
    if span.scope.name:
        tags["otel.scope.name"] = span.scope.name
    if span.scope.version:
        tags["otel.scope.version"] = span.scope.version
    if span.dropped_attributes:
        tags["otel.dropped_attributes_count"] = str(span.dropped_attributes)
    if span.dropped_events:
        tags["otel.dropped_events_count"] = str(span.dropped_events)
    return tags


def annotation_value(event: Event) -> str:
    """The event's name; with attributes `"name":{json}`, as OpenTelemetry's Zipkin exporters write it."""
    return f"{encode_value(event.name)}:{text_of(dict(event.attributes))}" if event.attributes else event.name


def local_endpoint(span: Span) -> Endpoint:
    """Who reported the span. Other than Zipkin: nobody when the resource had no service.name at all."""
    if span.protocol is Protocol.ZIPKIN:
        return _with_service(span.local, span.service)
    if SERVICE_NAME_KEY not in span.resource.attributes:
        return _NONE
    return _filled(
        _with_service(span.local, span.service),
        span.attributes.get("network.local.address"),
        span.attributes.get("network.local.port"),
    )


def remote_endpoint(span: Span) -> Endpoint:
    """The other side. Other than Zipkin: only a CLIENT or PRODUCER has one, and only when it is named.

    Its name is peer.service, else network.peer.address as it stands.
    """
    if span.protocol is Protocol.ZIPKIN:
        return span.remote
    address = span.attributes.get("network.peer.address")
    service = span.remote.service
    if not service and span.kind in _CALLERS:
        named = span.attributes.get("peer.service", address)
        service = text_of(named) if named is not None else None
    if not service:
        return span.remote
    return _filled(_with_service(span.remote, service), address, span.attributes.get("network.peer.port"))


def _tag_text(value: AttributeValue) -> str:
    if isinstance(value, str):
        return value
    return ",".join(map(_tag_text, value)) if isinstance(value, list) else text_of(value)


def _with_service(endpoint: Endpoint, service: str | None) -> Endpoint:
    return Endpoint(service, endpoint.ipv4, endpoint.ipv6, endpoint.port)


def _filled(endpoint: Endpoint, address: AttributeValue, port: AttributeValue) -> Endpoint:
    ipv4, ipv6 = _ip(address)
    return Endpoint(endpoint.service, endpoint.ipv4 or ipv4, endpoint.ipv6 or ipv6, endpoint.port or _port(port))


def _ip(address: AttributeValue) -> tuple[str | None, str | None]:
    """(ipv4, ipv6) in canonical text, an IPv4-mapped address as IPv4; (None, None) when it is no address."""
    if not isinstance(address, str) or "%" in address:
        return None, None
    try:
        parsed = ip_address(address)
    except ValueError:
        return None, None
    if isinstance(parsed, IPv4Address):
        return str(parsed), None
    return (str(parsed.ipv4_mapped), None) if parsed.ipv4_mapped else (None, str(parsed))


def _port(port: AttributeValue) -> int | None:
    text = text_of(port)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return number if 0 < number <= 65535 else None
