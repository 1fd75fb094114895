"""Services, operations, remote services, resources: asked of the tables of what spans share, never of spans."""

from functools import lru_cache

from storage import attributes as attrs
from storage.attributes import KEY_SEPARATOR, AttributeValue
from storage.postgresql import nul, sql
from storage.postgresql.reader import Marks
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts, Role
from storage.requests import Operation, TagFilter

_RESOURCE_PREFIX = "resource."
_PARSED_RESOURCES = 4096


def services(rows: Rows, marks: Marks) -> list[str]:
    """As SpanReader.services."""
    return sorted(nul.plain(name) for (name,) in rows.fetch(sql.SERVICE_NAMES, sql.visible({}, marks)))


def operations(rows: Rows, texts: KnownTexts, marks: Marks, service: str, *, ignore_case: bool) -> list[Operation]:
    """As SpanReader.operations."""
    local = spellings(rows, texts, marks, "service_id", service, ignore_case=ignore_case)
    found = rows.fetch(sql.OPERATION_NAMES, sql.visible({"service_ids": local}, marks))
    return [Operation(name, kind) for name, kind in sorted((nul.plain(name), kind) for name, kind in found)]


def remote_services(rows: Rows, texts: KnownTexts, marks: Marks, service: str, *, ignore_case: bool) -> list[str]:
    """As SpanReader.remote_services."""
    local = spellings(rows, texts, marks, "service_id", service, ignore_case=ignore_case)
    found = rows.fetch(sql.REMOTE_SERVICE_NAMES, sql.visible({"service_ids": local}, marks))
    return sorted(nul.plain(name) for (name,) in found if name)


def spellings(rows: Rows, texts: KnownTexts, marks: Marks, column: str, asked: str, *, ignore_case: bool) -> list[int]:
    """The numbers of the names in a column of span_names that equal `asked`."""
    if not ignore_case:
        return texts.numbers_of(rows, Role.NAME if column == "name_id" else Role.SERVICE, asked)
    lowered = asked.lower()
    found = rows.fetch(sql.spellings(column), sql.visible({"lowered": nul.stored(lowered)}, marks))
    return sorted(number for number, text in found if nul.plain(text).lower() == lowered)


def resources_with(rows: Rows, texts: KnownTexts, tag: TagFilter) -> list[int]:
    """The numbers of the resources with an attribute that satisfies the tag, also under `resource.<key>`."""
    found = _resources_with(rows, texts, tag.key, tag.text)
    if tag.text is not None and tag.key.startswith(_RESOURCE_PREFIX):
        found |= _resources_with(rows, texts, tag.key.removeprefix(_RESOURCE_PREFIX), tag.text)
    return sorted(found)


def key_sets_with(rows: Rows, texts: KnownTexts, key: str, *, elsewhere: bool = True) -> list[int]:
    """The numbers of the sets of keys with this one; elsewhere: or of those of events, links and scopes."""
    enclosed = f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}"
    found = texts.containing(rows, Role.KEYS, nul.stored(enclosed))
    if elsewhere:
        return [number for number, _ in found]
    return [number for number, keys in found if enclosed in keys.partition(attrs.KEYS_ELSEWHERE)[0]]


def _resources_with(rows: Rows, texts: KnownTexts, key: str, text: str | None) -> set[int]:
    # As JSON writes it; a decoder may have escaped more than that, and then all of them are looked at.
    written = attrs.encode_value(key)
    found = texts.containing(rows, Role.RESOURCE, written if written.isascii() and "\\" not in written else "")
    return {number for number, resource in found if _has(_parsed(resource), key, text)}


def _has(resource: dict[str, AttributeValue], key: str, text: str | None) -> bool:
    return key in resource and (text is None or attrs.text_of(resource[key]) == text)


@lru_cache(_PARSED_RESOURCES)
def _parsed(resource: str) -> dict[str, AttributeValue]:
    return attrs.decode(resource)
