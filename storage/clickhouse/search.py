"""Find traces: candidates newest first from SQL, their whole traces, and the exact decision in storage.matching.

Only spans of candidate traces are read, some traces at a time; a candidate that proves false costs another look.
"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from storage.clickhouse import names, sql
from storage.clickhouse.candidates import Condition, StoredNames, conditions_of, started_within
from storage.clickhouse.connection import Connection
from storage.clickhouse.reader import grouping_key, traces_by_key
from storage.contract import Accepts
from storage.ids import TraceId
from storage.matching import satisfies
from storage.requests import TraceQuery
from storage.span import Span

Candidate = tuple[bytes, int]
"""The grouping key of a span's trace, and the span's start."""

_CANDIDATES_PER_TRACE = 10
_MIN_PAGE = 100
_PAGE_GROWTH = 4
_MAX_PAGE = 100_000
"""The longest page as long as the one before brought the search back in time."""
_MIN_LOAD = 20
_MOST_LOAD = 320
"""Traces read at once, at first and at most, when they may be refused: the more were, the more are read."""


def find_traces(connection: Connection, query: TraceQuery, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    return list(_Search(connection, query, strict).run().values())


def find_traces_where(connection: Connection, query: TraceQuery, accepts: Accepts, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(_Search(connection, query, strict, accepts).run().values())


def find_trace_ids(connection: Connection, query: TraceQuery, *, strict: bool) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Without tags the conditions are exact, so that no span needs to be read."""
    search = (_Search if query.tags else _ExactSearch)(connection, query, strict)
    return [TraceId(key.rjust(16, b"\0")) for key in search.run()]


class _Search:
    """One search under way. found: the traces that satisfy the query so far, newest first.

    accepts: what else a trace must meet; None is nothing, so that no more than `limit` traces need to be read at once.
    """

    def __init__(self, connection: Connection, query: TraceQuery, strict: bool, accepts: Accepts | None = None) -> None:
        self._connection = connection
        self._query = query
        self._strict = strict
        self._accepts = accepts
        self._loaded: dict[bytes, list[Span]] = {}
        self._refused: set[bytes] = set()
        self._at_once = query.limit if accepts is None else max(_MIN_LOAD, query.limit)
        self.found: dict[bytes, list[Span]] = {}

    def run(self) -> dict[bytes, list[Span]]:
        """`found`, when the search is done."""
        stored = self._stored_names()
        if stored.exist():
            conditions = conditions_of(self._query, stored, lambda tag: names.resources_with(self._connection, tag))
            any(self.take(page) for page in self.pages(conditions))
        return self.found

    def pages(self, conditions: Sequence[Condition]) -> Iterator[list[Candidate]]:
        """Candidates, latest start first, in ever longer pages, without those of traces found by then.

        A page begins at the start where the one before ended, so rows may come again; none is left out.
        """
        size = max(_MIN_PAGE, _CANDIDATES_PER_TRACE * self._query.limit)
        last_ns = self._query.start_max_ns
        while True:
            window = started_within(self._query.start_min_ns, last_ns)
            page = self._page([*window, *conditions, *self._not_found_yet()], size)
            yield page
            if len(page) < size:
                return
            came_back = page[-1][1] < last_ns
            last_ns = page[-1][1]
            size = max(size, min(size * _PAGE_GROWTH, _MAX_PAGE)) if came_back else size * _PAGE_GROWTH

    def take(self, page: list[Candidate]) -> bool:
        """Decide each candidate in turn; whether `limit` traces are found."""
        for position, (key, start_ns) in enumerate(page):
            if key in self.found or key in self._refused:
                continue
            if key not in self._loaded:
                self._load(page[position:])
            trace = self._loaded.get(key, [])
            if not any(span.start_ns == start_ns and satisfies(span, self._query) for span in trace):
                continue
            if self._accepts is not None and not self._accepts(trace):
                self._refused.add(key)
                del self._loaded[key]
                continue
            self.found[key] = trace
            if len(self.found) == self._query.limit:
                return True
        return False

    def _load(self, candidates: list[Candidate]) -> None:
        undecided: dict[bytes, None] = {}
        wanted = self._at_once if self._accepts else self._query.limit - len(self.found)
        for key, _ in candidates:
            if key not in self.found and key not in self._refused:
                undecided[key] = None
                if len(undecided) == wanted:
                    break
        self._loaded = traces_by_key(self._connection, list(undecided), strict=self._strict)
        self._at_once = max(self._at_once, min(2 * self._at_once, _MOST_LOAD))

    def _page(self, conditions: Sequence[Condition], size: int) -> list[Candidate]:
        columns = sql.SPANS.c
        statement = (
            sa.select(columns.trace_id, columns.start_ns)
            .where(*conditions)
            # By bucket first, which is how rows are sorted: only the latest buckets are read.
            .order_by(columns.bucket.desc(), columns.start_ns.desc())
            .limit(size)
        )
        found = self._connection.table(*sql.compiled(statement))
        pairs = zip(found["trace_id"].to_pylist(), found["start_ns"].to_pylist(), strict=True)
        return [(grouping_key(TraceId(trace_id), self._strict), start_ns) for trace_id, start_ns in pairs]

    def _not_found_yet(self) -> list[Condition]:
        if not self.found:
            return []
        column = sql.TRACE_ID if self._strict else sql.TRACE_LOW_BYTES
        return [sa.text(f"{column} NOT IN ({sql.literals(self.found)})")]  # type: ignore[list-item]  # where() takes it like any other

    def _stored_names(self) -> StoredNames:
        def spelled(column: str, asked: str | None) -> list[str] | None:
            if asked is None:
                return None
            return names.spellings(self._connection, column, asked, ignore_case=self._query.ignore_case)

        return StoredNames(
            spelled("service", self._query.service),
            spelled("name", self._query.operation),
            spelled("remote_service", self._query.remote_service),
        )


class _ExactSearch(_Search):
    """A search in which every candidate is a hit. found: without the spans."""

    def take(self, page: list[Candidate]) -> bool:
        """Take each candidate in turn; whether `limit` traces are found."""
        for key, _ in page:
            self.found[key] = []
            if len(self.found) == self._query.limit:
                return True
        return False
