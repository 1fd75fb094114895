"""How DuckDB is asked for the spans that may satisfy a TraceQuery: see storage.span_conditions."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from duckdb_sqlalchemy.datatypes import UInteger

from storage.attributes import KEY_SEPARATOR, token
from storage.duckdb.sql import SPANS
from storage.requests import TagFilter, TraceQuery
from storage.span_conditions import Condition, SpanConditions, StoredNames, within_int64


def conditions_of(
    query: TraceQuery, names: StoredNames[str], resources_with: Callable[[TagFilter], Sequence[str]]
) -> list[Condition]:
    """As SpanConditions.of."""
    return SpanConditions(SPANS, _has_key, _has_token).of(query, names, resources_with)


def started_within(first_ns: int, last_ns: int) -> Condition:
    """The window of time, both ends inclusive."""
    return SPANS.c.start_ns.between(within_int64(first_ns), within_int64(last_ns))


def _has_key(key: str) -> Condition:
    return sa.func.contains(SPANS.c.attribute_keys, f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}", type_=sa.Boolean)


def _has_token(key: str, text: str) -> Condition:
    return sa.func.list_contains(SPANS.c.tokens, sa.cast(token(key, text), UInteger), type_=sa.Boolean)
