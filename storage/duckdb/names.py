"""Services, operations, remote services, resources and tag values: side tables united with the unrolled tail."""

import json
from functools import lru_cache

import duckdb

from storage import attributes as attrs
from storage.attributes import KEY_SEPARATOR, AttributeValue
from storage.duckdb import sql
from storage.requests import Operation, TagFilter

_RESOURCE_PREFIX = "resource."
_PARSED_RESOURCES = 4096

Cursor = duckdb.DuckDBPyConnection


def services(cursor: Cursor, watermark: int) -> list[str]:
    """As SpanReader.services."""
    return sorted(service for (service,) in cursor.execute(sql.SERVICES, [watermark]).fetchall())


def operations(cursor: Cursor, watermark: int, service: str, *, ignore_case: bool) -> list[Operation]:
    """As SpanReader.operations."""
    local = spellings(cursor, watermark, "service", service, ignore_case=ignore_case)
    found = cursor.execute(sql.OPERATIONS, [watermark, local]).fetchall()
    return [Operation(name, kind) for name, kind in sorted(found)]


def remote_services(cursor: Cursor, watermark: int, service: str, *, ignore_case: bool) -> list[str]:
    """As SpanReader.remote_services."""
    local = spellings(cursor, watermark, "service", service, ignore_case=ignore_case)
    return sorted(name for (name,) in cursor.execute(sql.REMOTE_SERVICES, [watermark, local]).fetchall())


def spellings(cursor: Cursor, watermark: int, column: str, asked: str, *, ignore_case: bool) -> list[str]:
    """The stored values of a column of span_names that equal `asked`; just that itself when case counts."""
    if not ignore_case:
        return [asked]
    lowered = asked.lower()
    found = cursor.execute(sql.spellings(column), [watermark, lowered]).fetchall()
    return sorted(value for (value,) in found if value.lower() == lowered)


def resources_with(cursor: Cursor, watermark: int, tag: TagFilter) -> list[str]:
    """The stored resource texts with an attribute that satisfies the tag, also under `resource.<key>`."""
    found = _resources_with(cursor, watermark, tag.key, tag.text)
    if tag.text is not None and tag.key.startswith(_RESOURCE_PREFIX):
        found |= _resources_with(cursor, watermark, tag.key.removeprefix(_RESOURCE_PREFIX), tag.text)
    return sorted(found)


def tag_values(cursor: Cursor, watermark: int, key: str) -> list[str]:
    """As SpanReader.tag_values, for a key that is complete up to the watermark (0: read every span)."""
    enclosed = f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}"
    found = cursor.execute(sql.TAG_VALUES, [watermark, key, sql.json_pointer(key), enclosed]).fetchall()
    return sorted({attrs.text_of(attrs.untagged(json.loads(value))) for (value,) in found if value is not None})


def _resources_with(cursor: Cursor, watermark: int, key: str, text: str | None) -> set[str]:
    found = cursor.execute(sql.RESOURCES_WITH, [watermark, sql.json_pointer(key)]).fetchall()
    return {resource for (resource,) in found if _has(_parsed(resource), key, text)}


def _has(resource: dict[str, AttributeValue], key: str, text: str | None) -> bool:
    return key in resource and (text is None or attrs.text_of(resource[key]) == text)


@lru_cache(_PARSED_RESOURCES)
def _parsed(resource: str) -> dict[str, AttributeValue]:
    return attrs.decode(resource)
