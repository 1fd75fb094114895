"""Small repairs of what old and careless clients put into attributes and links. Source: Jaeger v2's adjusters."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from math import isfinite
from typing import TypeVar

from msgspec.structs import replace

from query.reconstruct.trace import TraceSpan
from storage.attributes import Attributes, AttributeValue, encode, encode_value
from storage.ids import NO_TRACE
from storage.span import Resource, Span

_IP_KEYS = ("ip", "peer.ipv4")
_LIBRARY_KEYS = frozenset(
    {
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
        "telemetry.distro.name",
        "telemetry.distro.version",
    }
)
_INVALID_LINK = "Invalid span link removed"


Owner = TypeVar("Owner", Span, Resource)


def addresses_as_text(owner: Owner) -> Owner:
    """`ip` and `peer.ipv4` that are numbers, the 32 bits of an IPv4 address, in dotted form."""
    found = {key: text for key in _IP_KEYS if (text := _dotted_text(owner.attributes.get(key))) is not None}
    return replace(owner, attributes={**owner.attributes, **found}) if found else owner


def without_invalid_links(shown: TraceSpan) -> TraceSpan:
    """Without links to the trace id 0, and a warning for each."""
    valid = tuple(link for link in shown.span.links if link.trace_id != NO_TRACE)
    removed = len(shown.span.links) - len(valid)
    if not removed:
        return shown
    warnings = (*shown.warnings, *[_INVALID_LINK] * removed)
    return replace(shown, span=replace(shown.span, links=valid), warnings=warnings)


def library_attributes_on_resources(spans: Sequence[TraceSpan]) -> list[TraceSpan]:
    """The spans in their order, with telemetry.sdk.* and telemetry.distro.* on the resource instead of on the span.

    Spans of one service and equal resources share the result, so they stay one process. An attribute whose value
    differs from what the resource has stays on its span, with a warning.
    """
    if all(_LIBRARY_KEYS.isdisjoint(shown.span.attributes) for shown in spans):
        return list(spans)
    sources = [_source(shown.span) for shown in spans]
    gathered: dict[tuple[str, ...], dict[str, AttributeValue]] = {}
    moved: list[TraceSpan] = []
    for source, shown in zip(sources, spans, strict=True):
        resource = gathered.setdefault(source, dict(shown.span.resource.attributes))
        moved.append(_moved_to(resource, shown))
    resources = {source: dict(sorted(resource.items())) for source, resource in gathered.items()}
    return [_with_resource(shown, resources[source]) for source, shown in zip(sources, moved, strict=True)]


def _dotted_text(value: AttributeValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return str(IPv4Address(int(value) & 0xFFFF_FFFF))


def _source(span: Span) -> tuple[str, ...]:
    return span.service or "", encode(span.resource.attributes), span.resource.schema_url


def _moved_to(resource: dict[str, AttributeValue], shown: TraceSpan) -> TraceSpan:
    kept = dict(shown.span.attributes)
    warnings = list(shown.warnings)
    for key in sorted(_LIBRARY_KEYS & kept.keys()):
        if key in resource and encode_value(resource[key]) != encode_value(kept[key]):
            warnings.append(f"conflicting values between Span and Resource for attribute {key}")
        else:
            resource[key] = kept.pop(key)
    return replace(shown, span=replace(shown.span, attributes=kept), warnings=tuple(warnings))


def _with_resource(shown: TraceSpan, attributes: Attributes) -> TraceSpan:
    before = shown.span.resource
    after = Resource(attributes, before.dropped_attributes, before.schema_url)
    return replace(shown, span=replace(shown.span, resource=after))
