"""A TraceQuery as SQL conditions on one span: every span that satisfies it passes, and hardly any other.

`storage.matching` decides afterwards: a token is a 32-bit hash, so a row that passes here is a candidate only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from storage.attributes import KEY_SEPARATOR, token
from storage.clickhouse.sql import BUCKET_NS, HELD, SPANS
from storage.requests import TagFilter, TraceQuery
from storage.span import SpanKind, StatusCode

Condition = sa.ColumnElement[bool]

_INT64_MAX = 2**63 - 1
_SPAN = SPANS.c

_SHOWN_COLUMNS = {
    "otel.status_description": _SPAN.status_message,
    "otel.scope.name": _SPAN.scope_name,
    "scope.name": _SPAN.scope_name,
    "otel.scope.version": _SPAN.scope_version,
    "scope.version": _SPAN.scope_version,
    "w3c.tracestate": _SPAN.trace_state,
}


@dataclass(frozen=True, slots=True)
class StoredNames:
    """The exact stored spellings that a query's names stand for; None where it names nothing."""

    services: Sequence[str] | None
    operations: Sequence[str] | None
    remote_services: Sequence[str] | None

    def exist(self) -> bool:
        """Whether any span can have them all."""
        return all(names is None or names for names in (self.services, self.operations, self.remote_services))


def conditions_of(
    query: TraceQuery, names: StoredNames, resources_with: Callable[[TagFilter], Sequence[str]]
) -> list[Condition]:
    """All that a row of `spans` must meet, except the window of time. resources_with: the texts that satisfy a tag."""
    conditions: list[Condition] = [sa.text(HELD)]  # type: ignore[list-item]  # where() takes it like any other
    conditions += [
        column.in_(spellings)
        for column, spellings in (
            (_SPAN.service, names.services),
            (_SPAN.name, names.operations),
            (_SPAN.remote_service, names.remote_services),
        )
        if spellings is not None
    ]
    conditions += _durations(query)
    conditions += [_tag(tag, resources_with(tag)) for tag in query.tags]
    return conditions


def started_within(first_ns: int, last_ns: int) -> list[Condition]:
    """The window of time, both ends inclusive, and the buckets it lies in, which alone ClickHouse prunes by."""
    first_ns, last_ns = _int64(first_ns), _int64(last_ns)
    return [
        _SPAN.bucket.between(bucket_of(first_ns), bucket_of(last_ns)),
        _SPAN.start_ns.between(first_ns, last_ns),
    ]


def bucket_of(start_ns: int) -> int:
    """The bucket of spans that start then: rounded towards 0, as intDiv does."""
    return start_ns // BUCKET_NS if start_ns >= 0 else -(-start_ns // BUCKET_NS)


def _durations(query: TraceQuery) -> list[Condition]:
    found: list[Condition] = []
    if query.duration_min_ns is not None:
        column = _SPAN.duration_ns if query.duration_min_ns > 0 else sa.func.ifNull(_SPAN.duration_ns, 0)
        found.append(column >= _int64(query.duration_min_ns))
    if query.duration_max_ns is not None:
        found.append(sa.func.ifNull(_SPAN.duration_ns, 0) <= _int64(query.duration_max_ns))
    return found


def _tag(tag: TagFilter, resources: Sequence[str]) -> Condition:
    ways = _shown_or_stored(tag.key, tag.text) if tag.text is not None else _present(tag.key)
    if resources:
        ways.append(_SPAN.resource.in_(resources))
    if len(ways) == 1 and tag.key != "event":
        # No token without its key, and keys are asked once a distinct set.
        return sa.and_(_has_key(tag.key), *ways)
    return sa.or_(*ways)


def _present(key: str) -> list[Condition]:
    ways = [_has_key(key), _has_token("event", key)]
    if key == "error":
        ways.append(_SPAN.status_code == int(StatusCode.ERROR))
    return ways


def _shown_or_stored(key: str, text: str) -> list[Condition]:
    ways = [_has_token(key, text)]
    if key in _SHOWN_COLUMNS:
        ways.append(_SHOWN_COLUMNS[key] == text)
    elif key == "error" and text in ("true", "false"):
        is_error = _SPAN.status_code == int(StatusCode.ERROR)
        ways.append(is_error if text == "true" else sa.not_(is_error))
    elif key == "otel.status_code" and text in StatusCode.__members__:
        ways.append(_SPAN.status_code == int(StatusCode[text]))
    elif key == "span.kind" and text.upper() in SpanKind.__members__:
        ways.append(_SPAN.kind == int(SpanKind[text.upper()]))
    return ways


def _has_key(key: str) -> Condition:
    return sa.func.position(_SPAN.attribute_keys, f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}") > 0


def _has_token(key: str, text: str) -> Condition:
    # 0 and 1, which `!= 0` would keep the index from being used for.
    return sa.func.has(_SPAN.tokens, token(key, text), type_=sa.Boolean)


def _int64(number: int) -> int:
    return max(-_INT64_MAX - 1, min(number, _INT64_MAX))
