"""Find traces: what the search driver asks of SQL."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from storage import searching
from storage.clickhouse import names, sql
from storage.clickhouse.candidates import conditions_of, started_within
from storage.clickhouse.connection import Connection
from storage.clickhouse.reader import traces_by_key
from storage.contract import Accepts
from storage.ids import TraceId, grouping_key
from storage.requests import TraceQuery
from storage.searching import Candidate
from storage.span import Span
from storage.span_conditions import Condition, StoredNames


def find_traces(connection: Connection, query: TraceQuery, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    return list(searching.find(_Candidates(connection, query, strict), query).values())


def find_traces_where(connection: Connection, query: TraceQuery, accepts: Accepts, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(searching.find(_Candidates(connection, query, strict), query, accepts).values())


def find_trace_ids(connection: Connection, query: TraceQuery, *, strict: bool) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Without tags the conditions are exact, so that no span needs to be read."""
    candidates = _Candidates(connection, query, strict)
    keys = searching.find(candidates, query) if query.tags else searching.find_keys(candidates, query)
    return [TraceId(key.rjust(16, b"\0")) for key in keys]


class _Candidates:
    """The Candidates of one query."""

    def __init__(self, connection: Connection, query: TraceQuery, strict: bool) -> None:
        self._connection = connection
        self._query = query
        self._strict = strict
        self._conditions = _conditions(connection, query)

    def page(self, last_ns: int, size: int, found: Collection[bytes]) -> list[Candidate]:
        """As Candidates.page."""
        if self._conditions is None:
            return []
        columns = sql.SPANS.c
        window = started_within(self._query.start_min_ns, last_ns)
        statement = (
            sa.select(columns.trace_id, columns.start_ns)
            .where(*window, *self._conditions, *self._not_of(found))
            # By bucket first, which is how rows are sorted: only the latest buckets are read.
            .order_by(columns.bucket.desc(), columns.start_ns.desc())
            .limit(size)
        )
        table = self._connection.table(*sql.compiled(statement))
        pairs = zip(table["trace_id"].to_pylist(), table["start_ns"].to_pylist(), strict=True)
        return [(grouping_key(TraceId(trace_id), self._strict), start_ns) for trace_id, start_ns in pairs]

    def load(self, keys: Sequence[bytes]) -> dict[bytes, list[Span]]:
        """As Candidates.load."""
        return traces_by_key(self._connection, keys, strict=self._strict)

    def _not_of(self, found: Collection[bytes]) -> list[Condition]:
        if not found:
            return []
        column = sql.TRACE_ID if self._strict else sql.TRACE_LOW_BYTES
        return [sa.text(f"{column} NOT IN ({sql.literals(found)})")]  # type: ignore[list-item]  # where() takes it like any other


def _conditions(connection: Connection, query: TraceQuery) -> list[Condition] | None:
    """What a span must meet besides its start; None when no span has the names asked for."""
    stored = _stored_names(connection, query)
    if not stored.exist():
        return None
    return conditions_of(query, stored, lambda tag: names.resources_with(connection, tag))


def _stored_names(connection: Connection, query: TraceQuery) -> StoredNames[str]:
    def spelled(column: str, asked: str | None) -> list[str] | None:
        if asked is None:
            return None
        return names.spellings(connection, column, asked, ignore_case=query.ignore_case)

    return StoredNames(
        spelled("service", query.service),
        spelled("name", query.operation),
        spelled("remote_service", query.remote_service),
    )
