"""Services, operations, remote services, resources and tag values, from the tables that views fill at each insert."""

import json
from functools import lru_cache

from storage import attributes as attrs
from storage.attributes import KEY_SEPARATOR, AttributeValue
from storage.clickhouse import sql
from storage.clickhouse.connection import Connection
from storage.requests import Operation, TagFilter

_RESOURCE_PREFIX = "resource."
_PARSED_RESOURCES = 4096


def services(connection: Connection) -> list[str]:
    """As SpanReader.services."""
    return sorted(service for (service,) in connection.rows(sql.SERVICES))


def operations(connection: Connection, service: str, *, ignore_case: bool) -> list[Operation]:
    """As SpanReader.operations."""
    local = spellings(connection, "service", service, ignore_case=ignore_case)
    found = connection.rows(sql.OPERATIONS, {"services": local})
    return [Operation(name, kind) for name, kind in sorted(map(tuple, found))]


def remote_services(connection: Connection, service: str, *, ignore_case: bool) -> list[str]:
    """As SpanReader.remote_services."""
    local = spellings(connection, "service", service, ignore_case=ignore_case)
    return sorted(name for (name,) in connection.rows(sql.REMOTE_SERVICES, {"services": local}))


def spellings(connection: Connection, column: str, asked: str, *, ignore_case: bool) -> list[str]:
    """The stored values of a column of names that equal `asked`; just that itself when case counts."""
    if not ignore_case:
        return [asked]
    lowered = asked.lower()
    found = connection.rows(sql.spellings(column), {"lowered": lowered})
    return sorted(value for (value,) in found if value.lower() == lowered)


def resources_with(connection: Connection, tag: TagFilter) -> list[str]:
    """The stored resource texts with an attribute that satisfies the tag, also under `resource.<key>`."""
    found = _resources_with(connection, tag.key, tag.text)
    if tag.text is not None and tag.key.startswith(_RESOURCE_PREFIX):
        found |= _resources_with(connection, tag.key.removeprefix(_RESOURCE_PREFIX), tag.text)
    return sorted(found)


def tag_values(connection: Connection, key: str) -> list[str]:
    """As SpanReader.tag_values."""
    enclosed = f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}"
    found = connection.rows(sql.TAG_VALUES, {"key": key, "enclosed": enclosed})
    return sorted({attrs.text_of(attrs.untagged(json.loads(value))) for (value,) in found if value})


def _resources_with(connection: Connection, key: str, text: str | None) -> set[str]:
    found = connection.rows(sql.RESOURCES_WITH, {"key": key})
    return {resource for (resource,) in found if _has(_parsed(resource), key, text)}


def _has(resource: dict[str, AttributeValue], key: str, text: str | None) -> bool:
    return key in resource and (text is None or attrs.text_of(resource[key]) == text)


@lru_cache(_PARSED_RESOURCES)
def _parsed(resource: str) -> dict[str, AttributeValue]:
    return attrs.decode(resource)
