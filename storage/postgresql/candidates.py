"""How PostgreSQL is asked for the spans that may satisfy a TraceQuery: see storage.span_conditions.

Texts are numbers here, so that conditions compare those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.attributes import token
from storage.postgresql import nul
from storage.postgresql.columns import signed_token
from storage.postgresql.sql import SPANS
from storage.requests import TagFilter, TraceQuery
from storage.span import StatusCode
from storage.span_conditions import Condition, StoredNames, shown_by_number, within_int64

Numbers = Sequence[int]

_SPAN = SPANS.c
_FEW_KEY_SETS = 100
"""A key in more of them is not one that hardly any span has."""


@dataclass(frozen=True, slots=True)
class SharedTexts:
    """Asks for the numbers of texts that many spans share: key sets with a key, resources that satisfy a tag, texts."""

    key_sets: Callable[[str], Numbers]
    resources: Callable[[TagFilter], Numbers]
    scope_names: Callable[[str], Numbers]
    scope_versions: Callable[[str], Numbers]


def conditions_of(query: TraceQuery, names: StoredNames[int], shared: SharedTexts) -> list[Condition]:
    """All that a row of `spans` must meet, except the window of time."""
    conditions = [
        _one_of(column, numbers)
        for column, numbers in (
            (_SPAN.service_id, names.services),
            (_SPAN.name_id, names.operations),
            (_SPAN.remote_service_id, names.remote_services),
        )
        if numbers is not None
    ]
    conditions += _durations(query)
    conditions += [_tag(tag, shared) for tag in query.tags]
    return conditions


def started_within(first_ns: int, last_ns: int) -> Condition:
    """The window of time, both ends inclusive."""
    return _SPAN.start_ns.between(within_int64(first_ns), within_int64(last_ns))


def visible(marks: tuple[int, int]) -> list[Condition]:
    """Neither of the marks that all reads look past lies beyond the span."""
    horizon_ns, first_written = marks
    return [_SPAN.received_ns >= horizon_ns, _SPAN.written >= first_written]


def _one_of(column: sa.Column[int], numbers: Numbers) -> Condition:
    # A single one is compared as such: only then do rows come sorted from the index on (service, start).
    return column == numbers[0] if len(numbers) == 1 else column.in_(numbers)


def _durations(query: TraceQuery) -> list[Condition]:
    """Spelled without functions, of whose values PostgreSQL keeps no statistics."""
    found: list[Condition] = []
    if query.duration_min_ns is not None:
        at_least = _SPAN.duration_ns >= within_int64(query.duration_min_ns)
        found.append(at_least if query.duration_min_ns > 0 else sa.or_(at_least, _SPAN.duration_ns.is_(None)))
    if query.duration_max_ns is not None:
        at_most = _SPAN.duration_ns <= within_int64(query.duration_max_ns)
        found.append(at_most if query.duration_max_ns < 0 else sa.or_(at_most, _SPAN.duration_ns.is_(None)))
    return found


def _tag(tag: TagFilter, shared: SharedTexts) -> Condition:
    ways = _present(tag.key, shared) if tag.text is None else _shown_or_stored(tag.key, tag.text, shared)
    if resources := shared.resources(tag):
        ways.append(_SPAN.resource_id.in_(resources))
    if tag.text is not None and tag.key != "event" and len(ways) == 1:
        # No token without its key, so that a key of few spans leads to them by the index of key sets.
        key_sets = shared.key_sets(tag.key)
        if len(key_sets) <= _FEW_KEY_SETS:
            return sa.and_(_SPAN.keys_id.in_(key_sets), *ways)
    return sa.or_(*ways)


def _present(key: str, shared: SharedTexts) -> list[Condition]:
    ways = [_has_token("event", key)]
    if key_sets := shared.key_sets(key):
        ways.append(_SPAN.keys_id.in_(key_sets))
    if key == "error":
        ways.append(_SPAN.status_code == int(StatusCode.ERROR))
    return ways


def _shown_or_stored(key: str, text: str, shared: SharedTexts) -> list[Condition]:
    ways = [_has_token(key, text), *shown_by_number(SPANS, key, text)]
    match key:
        case "otel.status_description":
            ways.append(_SPAN.status_message == nul.stored(text))
        case "w3c.tracestate":
            ways.append(_SPAN.trace_state == nul.stored(text))
        case "otel.scope.name" | "scope.name":
            ways.append(_SPAN.scope_name_id.in_(shared.scope_names(text)))
        case "otel.scope.version" | "scope.version":
            ways.append(_SPAN.scope_version_id.in_(shared.scope_versions(text)))
    return ways


def _has_token(key: str, text: str) -> Condition:
    return _SPAN.tokens.contains([signed_token(token(key, text))])
