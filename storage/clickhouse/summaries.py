"""Summaries of the traces that a search finds, from the narrow columns of their spans.

Attributes, events and links are read only of spans that look like another one of their trace.
"""

from collections.abc import Sequence

from storage.clickhouse import sql
from storage.clickhouse.connection import Connection
from storage.clickhouse.reader import rows_of
from storage.clickhouse.search import find_trace_ids
from storage.ids import grouping_key
from storage.requests import TraceQuery
from storage.rows import span_of
from storage.span import Span
from storage.summary_table import SUMMARY_TABLE, summaries_of_table
from storage.trace_summary import TraceSummary


def find_trace_summaries(connection: Connection, query: TraceQuery, *, strict: bool) -> list[TraceSummary]:
    """As SpanReader.find_trace_summaries."""
    found = find_trace_ids(connection, query, strict=strict)
    keys = [grouping_key(trace_id, strict) for trace_id in found]
    summaries = _summaries(connection, keys, strict=strict)
    return [summaries[key] for key in keys if key in summaries]


def _summaries(connection: Connection, keys: Sequence[bytes], *, strict: bool) -> dict[bytes, TraceSummary]:
    if not keys:
        return {}
    lows = [sql.low_number(key) for key in keys]
    table = connection.table(*sql.summary_rows_of_traces(lows, keys if strict else None))
    written = table["written"]

    def whole(rows: Sequence[int]) -> list[Span]:
        asked = written.take(rows).to_pylist()
        statement = sql.spans_written(lows, keys if strict else None)
        found = {row[0]: span_of(row[1:]) for row in rows_of(connection.table(statement, {"written": asked}))}
        return [found[number] for number in asked]

    return summaries_of_table(table.drop_columns("written").cast(SUMMARY_TABLE), whole, strict=strict)
