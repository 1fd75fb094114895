"""Collections inside a span in one order, so that readers can compare spans by eye."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from storage.attributes import Attributes
from storage.span import Event, Resource, Span


def sort_collections(span: Span) -> Span:
    """Attributes of every level but the resource's by key; events by name, those of one name as they were.

    Source: Jaeger v2.
    """
    changes: dict[str, Any] = {}
    if not _is_sorted(span.attributes):
        changes["attributes"] = _sorted(span.attributes)
    if span.events:
        changes["events"] = tuple(sorted((_event(event) for event in span.events), key=lambda event: event.name))
    if span.links:
        changes["links"] = tuple(replace(link, attributes=_sorted(link.attributes)) for link in span.links)
    if not _is_sorted(span.scope.attributes):
        changes["scope"] = replace(span.scope, attributes=_sorted(span.scope.attributes))
    return replace(span, **changes) if changes else span


def sort_resource(resource: Resource) -> Resource:
    """Attributes by key."""
    if _is_sorted(resource.attributes):
        return resource
    return replace(resource, attributes=_sorted(resource.attributes))


def _event(event: Event) -> Event:
    return event if _is_sorted(event.attributes) else replace(event, attributes=_sorted(event.attributes))


def _is_sorted(attributes: Mapping[str, object]) -> bool:
    return list(attributes) == sorted(attributes)


def _sorted(attributes: Attributes) -> Attributes:
    return dict(sorted(attributes.items()))
