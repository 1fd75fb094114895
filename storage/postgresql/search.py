"""Find traces: candidates newest first from SQL, their whole traces, and the exact decision in storage.matching.

Only spans of candidate traces are read, `limit` traces at a time; a candidate that proves false costs another look.
"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from storage.contract import Accepts
from storage.ids import TraceId
from storage.matching import satisfies
from storage.postgresql import names, sql
from storage.postgresql.candidates import Condition, SharedTexts, StoredNames, conditions_of, started_within, visible
from storage.postgresql.columns import trace_id_of
from storage.postgresql.reader import Marks, grouping_key, marks_of, traces_by_key
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts, Role
from storage.requests import TraceQuery
from storage.span import Span

Candidate = tuple[bytes, int]
"""The grouping key of a span's trace, and the span's start."""

_CANDIDATES_PER_TRACE = 10
_MIN_PAGE = 100
_PAGE_GROWTH = 4
_MAX_PAGE = 100_000
"""The longest page as long as the one before brought the search back in time."""
_FIRST_LOAD = 20
_MOST_LOAD = 320
"""Traces read at once, at first and at most, when they may be refused: the more were, the more are read."""


def find_traces(rows: Rows, texts: KnownTexts, query: TraceQuery, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    return list(_Search(rows, texts, query, strict).run().values())


def find_traces_where(
    rows: Rows, texts: KnownTexts, query: TraceQuery, accepts: Accepts, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(_ChoosySearch(rows, texts, query, strict, accepts).run().values())


def find_trace_ids(rows: Rows, texts: KnownTexts, query: TraceQuery, *, strict: bool) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Without tags the conditions are exact, so that no span needs to be read."""
    search = (_Search if query.tags else _ExactSearch)(rows, texts, query, strict)
    return [TraceId(key.rjust(16, b"\0")) for key in search.run()]


class _Search:
    """One search under way. found: the traces that satisfy the query so far, newest first."""

    def __init__(self, rows: Rows, texts: KnownTexts, query: TraceQuery, strict: bool) -> None:
        self._rows = rows
        self._texts = texts
        self._marks: Marks = marks_of(rows)
        self._query = query
        self._strict = strict
        self._loaded: dict[bytes, list[Span]] = {}
        self.found: dict[bytes, list[Span]] = {}

    def run(self) -> dict[bytes, list[Span]]:
        """`found`, when the search is done."""
        stored = self._stored_names()
        if stored.exist():
            conditions = [*visible(self._marks), *conditions_of(self._query, stored, self._shared_texts())]
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
            page = self._page([window, *conditions, *self._not_found_yet()], size)
            yield page
            if len(page) < size:
                return
            came_back = page[-1][1] < last_ns
            last_ns = page[-1][1]
            size = max(size, min(size * _PAGE_GROWTH, _MAX_PAGE)) if came_back else size * _PAGE_GROWTH

    def take(self, page: list[Candidate]) -> bool:
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

    def load(self, keys: Sequence[bytes]) -> None:
        """Read these traces, and let go of those read before."""
        self._loaded = traces_by_key(self._rows, self._texts, self._marks, keys, strict=self._strict)

    def _load(self, candidates: list[Candidate]) -> None:
        missing = self._query.limit - len(self.found)
        keys = dict.fromkeys(key for key, _ in candidates if key not in self.found)
        self.load(list(keys)[:missing])

    def _page(self, conditions: Sequence[Condition], size: int) -> list[Candidate]:
        columns = sql.SPANS.c
        statement = (
            sa.select(columns.trace_high, columns.trace_low, columns.start_ns)
            .where(*conditions)
            .order_by(columns.start_ns.desc())
            .limit(size)
        )
        found = self._rows.fetch(*sql.compiled(statement))
        return [
            (grouping_key(TraceId(trace_id_of(high, low)), self._strict), start_ns) for high, low, start_ns in found
        ]

    def _not_found_yet(self) -> list[Condition]:
        """Not of a trace found, by the low half of its id; of another trace with that half there may be candidates."""
        columns = sql.SPANS.c
        if not self.found:
            return []
        if not self._strict:
            return [columns.trace_low.not_in([int.from_bytes(key, "big", signed=True) for key in self.found])]
        halves = [
            (int.from_bytes(key[:8], "big", signed=True), int.from_bytes(key[8:], "big", signed=True))
            for key in self.found
        ]
        return [sa.tuple_(columns.trace_high, columns.trace_low).not_in(halves)]

    def _stored_names(self) -> StoredNames:
        def spelled(column: str, asked: str | None) -> list[int] | None:
            if asked is None:
                return None
            ignore_case = self._query.ignore_case
            return names.spellings(self._rows, self._texts, self._marks, column, asked, ignore_case=ignore_case)

        return StoredNames(
            spelled("service_id", self._query.service),
            spelled("name_id", self._query.operation),
            spelled("remote_service_id", self._query.remote_service),
        )

    def _shared_texts(self) -> SharedTexts:
        rows, texts = self._rows, self._texts
        return SharedTexts(
            key_sets=lambda key: names.key_sets_with(rows, texts, key),
            resources=lambda tag: names.resources_with(rows, texts, tag),
            scope_names=lambda text: texts.numbers_of(rows, Role.SCOPE_NAME, text),
            scope_versions=lambda text: texts.numbers_of(rows, Role.SCOPE_VERSION, text),
        )


class _ChoosySearch(_Search):
    """A search whose hits must be accepted, too."""

    def __init__(self, rows: Rows, texts: KnownTexts, query: TraceQuery, strict: bool, accepts: Accepts) -> None:
        super().__init__(rows, texts, query, strict)
        self._accepts = accepts
        self._refused: set[bytes] = set()
        self._at_once = max(_FIRST_LOAD, query.limit)

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
            if self._accepts(trace):
                self.found[key] = trace
                if len(self.found) == self._query.limit:
                    return True
            else:
                self._refused.add(key)
                del self._loaded[key]
        return False

    def _load(self, candidates: list[Candidate]) -> None:
        undecided: dict[bytes, None] = {}
        for key, _ in candidates:
            if key not in self.found and key not in self._refused:
                undecided[key] = None
                if len(undecided) == self._at_once:
                    break
        self.load(list(undecided))
        self._at_once = max(self._at_once, min(2 * self._at_once, _MOST_LOAD))


class _ExactSearch(_Search):
    """A search in which every candidate is a hit. found: without the spans."""

    def take(self, page: list[Candidate]) -> bool:
        """Take each candidate in turn; whether `limit` traces are found."""
        for key, _ in page:
            self.found[key] = []
            if len(self.found) == self._query.limit:
                return True
        return False
