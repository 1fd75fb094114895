"""Summaries of the traces that a search finds, from the narrow columns of their spans.

DuckDB keeps columns apart, so a summary costs what some short columns of its spans do. Attributes, events and links
are read only of spans that look like another one of their trace.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from storage.duckdb import sql
from storage.duckdb.marks import Marks, snapshot
from storage.duckdb.reader import Place, places_of, rows_at, spans_at
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
    found = find_trace_ids(cursor, marks, query, strict=strict)
    keys = [grouping_key(trace_id, strict) for trace_id in found]
    with snapshot(cursor, marks) as known:
        summaries = _summaries(cursor, places_of(cursor, known, keys, strict=strict), strict=strict)
    return [summaries[key] for key in keys if key in summaries]


def _summaries(
    cursor: duckdb.DuckDBPyConnection, places: Sequence[Place], *, strict: bool
) -> dict[bytes, TraceSummary]:
    if not places:
        return {}
    table = pa.concat_tables(reading.to_arrow_table() for reading in rows_at(cursor, sql.SUMMARY, places))
    row_ids = table["rowid"]
    place_of = {place[0]: place for place in places}

    def whole(rows: Sequence[int]) -> list[Span]:
        asked = row_ids.take(rows).to_pylist()
        found = spans_at(cursor, [place_of[row_id] for row_id in asked])
        return [found[row_id] for row_id in asked]

    return summaries_of_table(table.drop_columns("rowid").cast(SUMMARY_TABLE), whole, strict=strict)
