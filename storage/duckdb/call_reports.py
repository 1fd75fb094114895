"""Telling a CallObserver of the spans that upkeep has just rolled up: one GROUP BY of those of the round."""

import duckdb
import pyarrow as pa

from storage.duckdb.call_sums import BUCKET
from storage.reported_calls import SPAN_CALLS

_SPAN_CALLS = f"""
SELECT service, coalesce(name, '') AS name, kind, status_code, {BUCKET} AS bucket, count(*) AS calls,
    sum(greatest(coalesce(duration_ns, 0), 0)::DOUBLE) AS duration_ns
FROM spans WHERE seq > $1 AND seq <= $2 AND service IS NOT NULL GROUP BY ALL
"""


def span_calls(cursor: duckdb.DuckDBPyConnection, after: int, upto: int) -> pa.Table:
    """SPAN_CALLS of the commits (after, upto]."""
    return cursor.execute(_SPAN_CALLS, [after, upto]).to_arrow_table().cast(SPAN_CALLS)
