"""Summaries of the traces that a search finds, from the narrow columns of their spans.

DuckDB keeps columns apart, so a summary costs what some short columns of its spans do. Attributes, events and links
are read only of spans that look like another one of their trace.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from storage.duckdb import sql
from storage.duckdb.marks import Marks
from storage.duckdb.reader import parameters_of, ranges_of, spans_of_rows
from storage.duckdb.search import find_trace_ids
from storage.ids import grouping_key
from storage.requests import TraceQuery
from storage.span import Span
from storage.summary_table import SUMMARY_TABLE, summaries_of_table
from storage.trace_summary import TraceSummary


def find_trace_summaries(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, *, strict: bool
) -> list[TraceSummary]:
    """As SpanReader.find_trace_summaries."""
    # Rows are read again by their numbers, which are the same ones only within a transaction.
    cursor.begin()
    try:
        found = find_trace_ids(cursor, marks, query, strict=strict)
        keys = [grouping_key(trace_id, strict) for trace_id in found]
        summaries = _summaries(cursor, marks, keys, strict=strict)
        return [summaries[key] for key in keys if key in summaries]
    finally:
        cursor.rollback()


def _summaries(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes], *, strict: bool
) -> dict[bytes, TraceSummary]:
    if not keys:
        return {}
    tables = []
    for ranges in ranges_of(cursor, marks, keys):
        statement = sql.summary_rows_of_traces(sql.trace_key(strict), len(keys), len(ranges))
        tables.append(cursor.execute(statement, parameters_of(keys, ranges)).to_arrow_table())
    table = pa.concat_tables(tables)
    row_ids = table["rowid"]

    def whole(rows: Sequence[int]) -> list[Span]:
        asked = row_ids.take(rows).to_pylist()
        found = spans_of_rows(cursor, asked)
        return [found[row_id] for row_id in asked]

    return summaries_of_table(table.drop_columns("rowid").cast(SUMMARY_TABLE), whole, strict=strict)
