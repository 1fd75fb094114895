"""Whole traces by id: the buckets of time they are in, then the granules of those that hold one of their spans."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from storage.clickhouse import sql
from storage.clickhouse.connection import Connection
from storage.ids import grouping_key
from storage.rows import span_of
from storage.span import Span


def traces_by_key(connection: Connection, keys: Sequence[bytes], *, strict: bool) -> dict[bytes, list[Span]]:
    """The spans of each trace that exists, in the order they were written. Keys are `grouping_key`s, distinct."""
    if not keys:
        return {}
    lows = [sql.low_number(key) for key in keys]
    found = connection.table(sql.spans_of_traces(lows, keys if strict else None))
    traces: dict[bytes, list[Span]] = {}
    for row in rows_of(found):
        span = span_of(row)
        traces.setdefault(grouping_key(span.trace_id, strict), []).append(span)
    return traces


def rows_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The rows of an Arrow table as tuples of plain values."""
    return zip(*(column.to_pylist() for column in table.columns), strict=True)
