"""Find traces: candidates newest first from SQL, their whole traces, and the exact decision in storage.matching.

Only spans of candidate traces are read, `limit` traces at a time; a candidate that proves false costs another look.
"""

from collections.abc import Iterator, Sequence

import duckdb
import sqlalchemy as sa

from storage.contract import Accepts
from storage.duckdb import names, sql
from storage.duckdb.candidates import Condition, StoredNames, conditions_of, started_within
from storage.duckdb.marks import Marks
from storage.duckdb.newest import Candidate, newest_candidates
from storage.duckdb.reader import grouping_key, spans_of_rows, traces_by_key
from storage.ids import TraceId
from storage.matching import satisfies
from storage.requests import TraceQuery
from storage.span import Span

Hit = tuple[bytes, int]
"""The grouping key of a span's trace, and the span's start."""

_CANDIDATES_PER_TRACE = 10
_MIN_PAGE = 100
_PAGE_GROWTH = 4
_MAX_PAGE = 100_000
"""The longest page as long as the one before brought the search back in time."""
_SPANS_AT_ONCE = 500
_FIRST_LOAD = 20
_MOST_LOAD = 320
"""Traces read at once, at first and at most, when they may be refused: the more were, the more are read."""


def find_traces(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    return list(_Search(cursor, marks, query, strict).run().values())


def find_traces_where(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, accepts: Accepts, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(_ChoosySearch(cursor, marks, query, strict, accepts).run().values())


def find_trace_ids(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, *, strict: bool
) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Conditions other than tags are exact, so that then no span needs to be read."""
    candidates = _newest_candidates(cursor, marks, query, strict)
    if query.tags and not _satisfy(cursor, query, candidates, strict):
        # One that a token named by mistake: the traces' other spans must be looked at.
        return [TraceId(key.rjust(16, b"\0")) for key in _Search(cursor, marks, query, strict).run()]
    return [TraceId(one.key.rjust(16, b"\0")) for one in candidates]


class _Search:
    """One search under way. found: the traces that satisfy the query so far, newest first."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, strict: bool) -> None:
        self._cursor = cursor
        self._marks = marks
        self._query = query
        self._strict = strict
        self._loaded: dict[bytes, list[Span]] = {}
        self.found: dict[bytes, list[Span]] = {}

    def run(self) -> dict[bytes, list[Span]]:
        """`found`, when the search is done."""
        cursor, watermark = self._cursor, self._marks.watermark
        stored = _stored_names(cursor, watermark, self._query)
        if stored.exist():
            conditions = conditions_of(self._query, stored, lambda tag: names.resources_with(cursor, watermark, tag))
            any(self.take(page) for page in self.pages(conditions))
        return self.found

    def pages(self, conditions: Sequence[Condition]) -> Iterator[list[Hit]]:
        """Candidates, latest start first, in ever longer pages, without those of traces found by then.

        A page begins at the start where the one before ended, so rows may come again; none is left out.
        """
        size = max(_MIN_PAGE, _CANDIDATES_PER_TRACE * self._query.limit)
        last_ns = self._query.start_max_ns
        while True:
            window = started_within(self._query.start_min_ns, last_ns)
            page = self._page([window, *conditions, *self._not_found_yet()], size)
            yield page
            if len(page) < size:
                return
            came_back = page[-1][1] < last_ns
            last_ns = page[-1][1]
            size = max(size, min(size * _PAGE_GROWTH, _MAX_PAGE)) if came_back else size * _PAGE_GROWTH

    def take(self, page: list[Hit]) -> bool:
        """Decide each candidate in turn; whether `limit` traces are found."""
        for position, (key, start_ns) in enumerate(page):
            if key in self.found:
                continue
            if key not in self._loaded:
                self._load(page[position:])
            trace = self._loaded.get(key, [])
            if any(span.start_ns == start_ns and satisfies(span, self._query) for span in trace):
                self.found[key] = trace
                if len(self.found) == self._query.limit:
                    return True
        return False

    def _load(self, candidates: list[Hit]) -> None:
        missing = self._query.limit - len(self.found)
        keys = dict.fromkeys(key for key, _ in candidates if key not in self.found)
        self._loaded = traces_by_key(self._cursor, self._marks, list(keys)[:missing], strict=self._strict)

    def _page(self, conditions: Sequence[Condition], size: int) -> list[Hit]:
        columns = sql.SPANS.c
        statement = (
            sa.select(columns.trace_id, columns.start_ns)
            .where(*conditions)
            .order_by(columns.start_ns.desc())
            .limit(size)
        )
        text, parameters = sql.compiled(statement)
        rows = self._cursor.execute(text, parameters).fetchall()
        return [(grouping_key(TraceId(trace_id), self._strict), start_ns) for trace_id, start_ns in rows]

    def _not_found_yet(self) -> list[Condition]:
        if not self.found:
            return []
        trace_id = sql.SPANS.c.trace_id
        key = trace_id if self._strict else sa.func.array_slice(trace_id, 9, 16, type_=sa.LargeBinary)
        return [key.not_in(list(self.found))]


class _ChoosySearch(_Search):
    """A search whose hits must be accepted, too."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, strict: bool, accepts: Accepts
    ) -> None:
        super().__init__(cursor, marks, query, strict)
        self._accepts = accepts
        self._refused: set[bytes] = set()
        self._at_once = max(_FIRST_LOAD, query.limit)

    def take(self, page: list[Hit]) -> bool:
        """Decide each candidate in turn; whether `limit` traces are found."""
        for position, (key, start_ns) in enumerate(page):
            if key in self.found or key in self._refused:
                continue
            if key not in self._loaded:
                self._load(page[position:])
            trace = self._loaded.get(key, [])
            if not any(span.start_ns == start_ns and satisfies(span, self._query) for span in trace):
                continue
            if self._accepts(trace):
                self.found[key] = trace
                if len(self.found) == self._query.limit:
                    return True
            else:
                self._refused.add(key)
                del self._loaded[key]
        return False

    def _load(self, candidates: list[Hit]) -> None:
        undecided: dict[bytes, None] = {}
        for key, _ in candidates:
            if key not in self.found and key not in self._refused:
                undecided[key] = None
                if len(undecided) == self._at_once:
                    break
        self._loaded = traces_by_key(self._cursor, self._marks, list(undecided), strict=self._strict)
        self._at_once = max(self._at_once, min(2 * self._at_once, _MOST_LOAD))


def _newest_candidates(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, query: TraceQuery, strict: bool
) -> list[Candidate]:
    stored = _stored_names(cursor, marks.watermark, query)
    if not stored.exist():
        return []
    conditions = conditions_of(query, stored, lambda tag: names.resources_with(cursor, marks.watermark, tag))
    return newest_candidates(cursor, conditions, query, strict=strict)


def _satisfy(
    cursor: duckdb.DuckDBPyConnection, query: TraceQuery, candidates: Sequence[Candidate], strict: bool
) -> bool:
    """Whether the span of every candidate satisfies the query; only these are read, as long as they do."""
    for start in range(0, len(candidates), _SPANS_AT_ONCE):
        keys = {one.row_id: one.key for one in candidates[start : start + _SPANS_AT_ONCE]}
        spans = spans_of_rows(cursor, list(keys))
        if not all(
            row_id in spans and grouping_key(spans[row_id].trace_id, strict) == key and satisfies(spans[row_id], query)
            for row_id, key in keys.items()
        ):
            return False
    return True


def _stored_names(cursor: duckdb.DuckDBPyConnection, watermark: int, query: TraceQuery) -> StoredNames:
    def spelled(column: str, asked: str | None) -> list[str] | None:
        if asked is None:
            return None
        return names.spellings(cursor, watermark, column, asked, ignore_case=query.ignore_case)

    return StoredNames(
        spelled("service", query.service),
        spelled("name", query.operation),
        spelled("remote_service", query.remote_service),
    )
