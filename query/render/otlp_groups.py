"""What both forms of OTLP traces share: spans by resource and scope, times, and what is said of a span besides."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from query.reconstruct.jaeger_as_otel import jaeger_as_otel
from query.reconstruct.trace import Trace, TraceSpan
from storage.attributes import Attributes, encode
from storage.conventions import SERVICE_NAME_KEY, WARNINGS_KEY
from storage.span import Resource, Scope, Span

MAX_VALUE_DEPTH = 24
"""Arrays and maps that lie deeper in a value are given as their JSON text: protobuf's parsers stop at 100 messages."""
_LARGEST_UINT64 = 2**64 - 1


@dataclass(frozen=True, slots=True)
class ScopeSpans:
    """The spans of one instrumentation scope."""

    scope: Scope
    spans: list[TraceSpan]


@dataclass(frozen=True, slots=True)
class ResourceSpans:
    """The spans of one resource. attributes: the resource's, with the service's name among them."""

    attributes: Attributes
    resource: Resource
    scopes: dict[tuple[object, ...], ScopeSpans] = field(default_factory=dict)


def by_resource(traces: Iterable[Trace]) -> list[ResourceSpans]:
    """Every span of the traces below its resource and scope, all in order of first use; equal ones are one."""
    groups: dict[tuple[object, ...], ResourceSpans] = {}
    for shown in (_as_otel(shown) for trace in traces for shown in trace.spans):
        span = shown.span
        resource = groups.get(key := _resource_key(span))
        if resource is None:
            resource = groups[key] = ResourceSpans(_with_service(span), span.resource)
        scope = resource.scopes.setdefault(_scope_key(span.scope), ScopeSpans(span.scope, []))
        scope.spans.append(shown)
    return list(groups.values())


def times_ns(span: Span) -> tuple[int, int]:
    """Start and end, within OTLP's uint64; an absent start is 0 and an absent duration too."""
    start_ns = span.start_ns or 0
    return unsigned(start_ns), unsigned(start_ns + (span.duration_ns or 0))


def unsigned(number: int) -> int:
    """The nearest number that uint64 holds."""
    return max(0, min(number, _LARGEST_UINT64))


def attributes_of(shown: TraceSpan) -> Attributes:
    """The span's attributes, with its warnings as the attribute that Jaeger passes them in."""
    if not shown.warnings:
        return shown.span.attributes
    return {**shown.span.attributes, WARNINGS_KEY: list(shown.warnings)}


def _as_otel(shown: TraceSpan) -> TraceSpan:
    span = jaeger_as_otel(shown.span)
    return shown if span is shown.span else TraceSpan(span, shown.warnings)


def _resource_key(span: Span) -> tuple[object, ...]:
    resource = span.resource
    return span.service, encode(resource.attributes), resource.dropped_attributes, resource.schema_url


def _scope_key(scope: Scope) -> tuple[object, ...]:
    attributes = encode(scope.attributes) if scope.attributes else ""
    return scope.name, scope.version, attributes, scope.dropped_attributes, scope.schema_url


def _with_service(span: Span) -> Attributes:
    attributes = span.resource.attributes
    if span.service is None or attributes.get(SERVICE_NAME_KEY) == span.service:
        return attributes
    return {**attributes, SERVICE_NAME_KEY: span.service}
