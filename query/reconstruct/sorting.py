"""Collections inside a span in one order, so that readers can compare spans by eye."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from storage.attributes import Attributes
from storage.span import Event, Span


def sort_collections(span: Span) -> Span:
    """Attributes of every level by key; events by name, those of one name as they were. Source: Jaeger v2."""
    changes: dict[str, Any] = {}
    if not _is_sorted(span.attributes):
        changes["attributes"] = _sorted(span.attributes)
    if span.events:
        changes["events"] = tuple(sorted((_event(event) for event in span.events), key=lambda event: event.name))
    if span.links:
        changes["links"] = tuple(replace(link, attributes=_sorted(link.attributes)) for link in span.links)
    if not _is_sorted(span.resource.attributes):
        changes["resource"] = replace(span.resource, attributes=_sorted(span.resource.attributes))
    if not _is_sorted(span.scope.attributes):
        changes["scope"] = replace(span.scope, attributes=_sorted(span.scope.attributes))
    return replace(span, **changes) if changes else span


def _event(event: Event) -> Event:
    return event if _is_sorted(event.attributes) else replace(event, attributes=_sorted(event.attributes))


def _is_sorted(attributes: Mapping[str, object]) -> bool:
    keys = list(attributes)
    return all(before <= after for before, after in pairwise(keys))


def _sorted(attributes: Attributes) -> Attributes:
    return dict(sorted(attributes.items()))
