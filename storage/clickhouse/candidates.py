"""How ClickHouse is asked for the spans that may satisfy a TraceQuery: see storage.span_conditions."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from storage.attributes import KEY_SEPARATOR, token
from storage.clickhouse.sql import BUCKET_NS, HELD, SPANS
from storage.requests import TagFilter, TraceQuery
from storage.span_conditions import Condition, SpanConditions, StoredNames, within_int64


def conditions_of(
    query: TraceQuery, names: StoredNames[str], resources_with: Callable[[TagFilter], Sequence[str]]
) -> list[Condition]:
    """As SpanConditions.of, and that retention has not let the span go."""
    held: Condition = sa.text(HELD)  # type: ignore[assignment]  # where() takes it like any other
    return [held, *SpanConditions(SPANS, _has_key, _has_token).of(query, names, resources_with)]


def started_within(first_ns: int, last_ns: int) -> list[Condition]:
    """The window of time, both ends inclusive, and the buckets it lies in, which alone ClickHouse prunes by."""
    first_ns, last_ns = within_int64(first_ns), within_int64(last_ns)
    return [
        SPANS.c.bucket.between(bucket_of(first_ns), bucket_of(last_ns)),
        SPANS.c.start_ns.between(first_ns, last_ns),
    ]


def bucket_of(start_ns: int) -> int:
    """The bucket of spans that start then: rounded towards 0, as intDiv does."""
    return start_ns // BUCKET_NS if start_ns >= 0 else -(-start_ns // BUCKET_NS)


def _has_key(key: str) -> Condition:
    return sa.func.position(SPANS.c.attribute_keys, f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}") > 0


def _has_token(key: str, text: str) -> Condition:
    # 0 and 1, which `!= 0` would keep the index from being used for.
    return sa.func.has(SPANS.c.tokens, token(key, text), type_=sa.Boolean)
