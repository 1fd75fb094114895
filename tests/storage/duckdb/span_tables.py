"""The tables the dependency graph is read from, filled as the store's writer and its upkeep fill them."""

from collections.abc import Sequence

import duckdb

from storage.batch import SpanBatch
from storage.duckdb import sql
from storage.duckdb.schema import migrate
from storage.span import Span


def an_empty_database(path: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A database with the store's tables, all empty."""
    connection = duckdb.connect(path)
    migrate(connection.cursor(), path)
    return connection


def write(connection: duckdb.DuckDBPyConnection, spans: Sequence[Span]) -> None:
    """Append these spans in one commit."""
    records = SpanBatch.of(spans).records  # noqa: F841  # DuckDB finds it by its name
    connection.execute(sql.INSERT_SPANS, [_last_seq(connection) + 1])


def locate(connection: duckdb.DuckDBPyConnection, *, settle: bool = False) -> None:
    """Bring the tables of traces up to date; settle: move what is recent into the sorted table."""
    watermark, segment, rows = connection.execute(sql.UPKEEP_STATE).fetchall()[0]
    connection.execute(sql.ROLL_UP_TRACES, [watermark, _last_seq(connection)])
    connection.execute(sql.SET_UPKEEP_STATE, [_last_seq(connection), segment, rows])
    if settle:
        connection.execute(sql.SORT_RECENT_TRACES)
        connection.execute(sql.CLEAR_RECENT_TRACES)


def _last_seq(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute(sql.LAST_SEQ).fetchall()[0][0])
