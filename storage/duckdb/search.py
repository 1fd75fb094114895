"""Find traces: what the search driver asks of SQL, and the ids of the newest traces without reading them."""

from collections.abc import Collection, Sequence

import duckdb
import sqlalchemy as sa

from storage import searching
from storage.contract import Accepts
from storage.duckdb import names, sql
from storage.duckdb.candidates import conditions_of, started_within
from storage.duckdb.marks import Marks, snapshot
from storage.duckdb.newest import NewestSpan, newest_spans
from storage.duckdb.reader import spans_at, traces_by_key
from storage.ids import TraceId, grouping_key
from storage.matching import satisfies
from storage.requests import TraceQuery
from storage.searching import Candidate
from storage.span import Span
from storage.span_conditions import Condition, StoredNames

_SPANS_AT_ONCE = 500


def find_traces(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    candidates = _Candidates(cursor, marks, query, strict)
    newest = candidates.newest()
    traces = candidates.load([one.key for one in newest])
    if query.tags and not all(_has(traces.get(one.key, []), one, query) for one in newest):
        # One that a token named by mistake: the traces' other spans must be looked at.
        return list(searching.find(candidates, query).values())
    return [traces[one.key] for one in newest if one.key in traces]


def find_traces_where(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, accepts: Accepts, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(searching.find(_Candidates(cursor, marks, query, strict), query, accepts).values())


def find_trace_ids(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, *, strict: bool
) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Conditions other than tags are exact, so that then no span needs to be read."""
    candidates = _Candidates(cursor, marks, query, strict)
    with snapshot(cursor, marks):
        newest = candidates.newest()
        satisfied = not query.tags or _satisfy(cursor, query, newest)
    keys = [one.key for one in newest] if satisfied else searching.find(candidates, query)
    return [TraceId(key.rjust(16, b"\0")) for key in keys]


class _Candidates:
    """The Candidates of one query."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, strict: bool) -> None:
        self._cursor = cursor
        self._marks = marks
        self._query = query
        self._strict = strict
        self._conditions = _conditions(cursor, marks.watermark, query)

    def page(self, last_ns: int, size: int, found: Collection[bytes]) -> list[Candidate]:
        """As Candidates.page."""
        if self._conditions is None:
            return []
        columns = sql.SPANS.c
        window = started_within(self._query.start_min_ns, last_ns)
        statement = (
            sa.select(columns.trace_id, columns.start_ns)
            .where(window, *self._conditions, *self._not_of(found))
            .order_by(columns.start_ns.desc())
            .limit(size)
        )
        rows = self._cursor.execute(*sql.compiled(statement)).fetchall()
        return [(grouping_key(TraceId(trace_id), self._strict), start_ns) for trace_id, start_ns in rows]

    def load(self, keys: Sequence[bytes]) -> dict[bytes, list[Span]]:
        """As Candidates.load."""
        return traces_by_key(self._cursor, self._marks, keys, strict=self._strict)

    def newest(self) -> list[NewestSpan]:
        """The newest candidate of each trace, of `limit` traces, newest first."""
        if self._conditions is None:
            return []
        return newest_spans(self._cursor, self._conditions, self._query, strict=self._strict)

    def _not_of(self, found: Collection[bytes]) -> list[Condition]:
        if not found:
            return []
        trace_id = sql.SPANS.c.trace_id
        key = trace_id if self._strict else sa.func.array_slice(trace_id, 9, 16, type_=sa.LargeBinary)
        return [key.not_in(list(found))]


def _conditions(cursor: duckdb.DuckDBPyConnection, watermark: int, query: TraceQuery) -> list[Condition] | None:
    """What a span must meet besides its start; None when no span has the names asked for."""
    stored = _stored_names(cursor, watermark, query)
    if not stored.exist():
        return None
    return conditions_of(query, stored, lambda tag: names.resources_with(cursor, watermark, tag))


def _has(trace: Sequence[Span], newest: NewestSpan, query: TraceQuery) -> bool:
    """Whether a span that starts then satisfies the query."""
    return any(span.start_ns == newest.start_ns and satisfies(span, query) for span in trace)


def _satisfy(cursor: duckdb.DuckDBPyConnection, query: TraceQuery, newest: Sequence[NewestSpan]) -> bool:
    """Whether every one of these spans satisfies the query; they alone are read, as long as they do."""
    for start in range(0, len(newest), _SPANS_AT_ONCE):
        spans = spans_at(cursor, [one.place for one in newest[start : start + _SPANS_AT_ONCE]])
        if not all(satisfies(span, query) for span in spans.values()):
            return False
    return True


def _stored_names(cursor: duckdb.DuckDBPyConnection, watermark: int, query: TraceQuery) -> StoredNames[str]:
    def spelled(column: str, asked: str | None) -> list[str] | None:
        if asked is None:
            return None
        return names.spellings(cursor, watermark, column, asked, ignore_case=query.ignore_case)

    return StoredNames(
        spelled("service", query.service),
        spelled("name", query.operation),
        spelled("remote_service", query.remote_service),
    )
