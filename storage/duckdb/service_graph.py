"""The service graph of a time window: sums that upkeep keeps, and linking of what they do not cover (`beyond_sums`)."""

import duckdb
import pyarrow as pa

from storage.duckdb.beyond_sums import beyond_sums
from storage.duckdb.graph_sums import sums_between
from storage.duckdb.trace_slices import SLICE_SPANS, whole_traces
from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.linking.graph_change import graph_change_within
from storage.linking.graph_counts import graph_of_counts
from storage.requests import ServiceGraph
from storage.times import clamped_ns


def graph(
    cursor: duckdb.DuckDBPyConnection, start_ns: int, end_ns: int, *, slice_spans: int = SLICE_SPANS
) -> ServiceGraph:
    """SpanReader.service_graph of the store behind `cursor`, as of the moment of the call.

    The cursor must be idle, and is in no transaction before and after. slice_spans: as in `whole_traces`.
    Raises what DuckDB raises.
    """
    minutes = whole_minutes(start_ns, end_ns)
    window = clamped_ns(minutes.start * MINUTE_NS), clamped_ns(minutes.stop * MINUTE_NS - 1)
    cursor.begin()
    try:
        beyond = beyond_sums(cursor, window, MINUTE_NS)
        calls = [sums_between(cursor, beyond.summed)]
        # Not linked in a thread while the next slice is read, as links are: describing asks the same cursor.
        calls += (
            graph_change_within(part.spans, beyond.counted, window, part.describe)
            for part in whole_traces(cursor, beyond.asked, slice_spans=slice_spans)
        )
        return graph_of_counts(pa.concat_tables(calls))
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()
