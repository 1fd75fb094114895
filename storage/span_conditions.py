"""A TraceQuery as SQL conditions on one span: every span that satisfies it passes, and hardly any other.

`storage.matching` decides afterwards: a token is a 32-bit hash, so a row that passes here is a candidate only.
`SpanConditions` is for stores whose columns are those of SPAN_SCHEMA, the rest for any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import sqlalchemy as sa

from storage.requests import TagFilter, TraceQuery
from storage.span import SpanKind, StatusCode

Condition = sa.ColumnElement[bool]
Name = TypeVar("Name", str, int)

_INT64_MAX = 2**63 - 1
_SHOWN_COLUMNS = {
    "otel.status_description": "status_message",
    "otel.scope.name": "scope_name",
    "scope.name": "scope_name",
    "otel.scope.version": "scope_version",
    "scope.version": "scope_version",
    "w3c.tracestate": "trace_state",
}


@dataclass(frozen=True, slots=True)
class StoredNames(Generic[Name]):
    """The exact stored spellings that a query's names stand for, or their numbers; None where it names nothing."""

    services: Sequence[Name] | None
    operations: Sequence[Name] | None
    remote_services: Sequence[Name] | None

    def exist(self) -> bool:
        """Whether any span can have them all."""
        return all(names is None or names for names in (self.services, self.operations, self.remote_services))


@dataclass(frozen=True, slots=True)
class SpanConditions:
    """How one store asks its table of spans. has_key, has_token: for a tag's key, and for its key and text."""

    spans: sa.Table
    has_key: Callable[[str], Condition]
    has_token: Callable[[str, str], Condition]

    def of(
        self, query: TraceQuery, names: StoredNames[str], resources_with: Callable[[TagFilter], Sequence[str]]
    ) -> list[Condition]:
        """All that a span must meet, except the window of time. resources_with: the texts that satisfy a tag."""
        conditions: list[Condition] = [
            self.spans.c[column].in_(spellings)
            for column, spellings in (
                ("service", names.services),
                ("name", names.operations),
                ("remote_service", names.remote_services),
            )
            if spellings is not None
        ]
        conditions += self._durations(query)
        conditions += [self._tag(tag, resources_with(tag)) for tag in query.tags]
        return conditions

    def _durations(self, query: TraceQuery) -> list[Condition]:
        duration_ns = self.spans.c.duration_ns
        or_zero = sa.func.coalesce(duration_ns, 0)
        found: list[Condition] = []
        if query.duration_min_ns is not None:
            column = duration_ns if query.duration_min_ns > 0 else or_zero
            found.append(column >= within_int64(query.duration_min_ns))
        if query.duration_max_ns is not None:
            found.append(or_zero <= within_int64(query.duration_max_ns))
        return found

    def _tag(self, tag: TagFilter, resources: Sequence[str]) -> Condition:
        ways = self._shown_or_stored(tag.key, tag.text) if tag.text is not None else self._present(tag.key)
        if resources:
            ways.append(self.spans.c.resource.in_(resources))
        if len(ways) == 1 and tag.key != "event":
            # No token without its key; and keys are asked once a distinct set, tokens of every span: 30 ms against 190
            # for 10 million spans in DuckDB. It pays only as a filter of its own, and before the other.
            return sa.and_(self.has_key(tag.key), *ways)
        return sa.or_(*ways)

    def _present(self, key: str) -> list[Condition]:
        ways = [self.has_key(key), self.has_token("event", key)]
        if key == "error":
            ways.append(self.spans.c.status_code == int(StatusCode.ERROR))
        return ways

    def _shown_or_stored(self, key: str, text: str) -> list[Condition]:
        ways = [self.has_token(key, text), *shown_by_number(self.spans, key, text)]
        if key in _SHOWN_COLUMNS:
            ways.append(self.spans.c[_SHOWN_COLUMNS[key]] == text)
        return ways


def shown_by_number(spans: sa.Table, key: str, text: str) -> list[Condition]:
    """How a span may show that tag by its status_code or kind; none, or one."""
    if key == "error" and text in ("true", "false"):
        is_error = spans.c.status_code == int(StatusCode.ERROR)
        return [is_error if text == "true" else sa.not_(is_error)]
    if key == "otel.status_code" and text in StatusCode.__members__:
        return [spans.c.status_code == int(StatusCode[text])]
    if key == "span.kind" and text.upper() in SpanKind.__members__:
        return [spans.c.kind == int(SpanKind[text.upper()])]
    return []


def within_int64(number: int) -> int:
    """The nearest that a column holds. Beyond int64 a bound would make DuckDB widen the whole column."""
    return max(-_INT64_MAX - 1, min(number, _INT64_MAX))
