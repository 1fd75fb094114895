"""The search driver of all SQL stores: candidates newest first, their whole traces, and the exact decision.

A store names candidates, a page at a time; `storage.matching` decides. Only spans of candidate traces are read, some
traces at a time; a candidate that proves false costs another look.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from storage.contract import Accepts
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


class Candidates(Protocol):
    """What a store knows of the spans that may satisfy one query."""

    def page(self, last_ns: int, size: int, found: Collection[bytes]) -> list[Candidate]:
        """Candidates that start no later than `last_ns`, latest start first; fewer than `size` only if these are all.

        Every span that satisfies the query is one. None is of a trace in `found`, grouping keys.
        """
        ...

    def load(self, keys: Sequence[bytes]) -> dict[bytes, list[Span]]:
        """The whole traces of these grouping keys, which are distinct; without those that do not exist."""
        ...


def find(candidates: Candidates, query: TraceQuery, accepts: Accepts | None = None) -> dict[bytes, list[Span]]:
    """The traces that satisfy the query, and `accepts` if given, newest first, at most `query.limit`."""
    return _Search(candidates, query, accepts).run()


def find_keys(candidates: Candidates, query: TraceQuery) -> list[bytes]:
    """As `find`, of the traces their keys only: for a query whose candidates all satisfy it, so none is read."""
    found: dict[bytes, None] = {}
    for page in _pages(candidates, query, found):
        for key, _ in page:
            found[key] = None
            if len(found) == query.limit:
                return list(found)
    return list(found)


def _pages(candidates: Candidates, query: TraceQuery, found: Collection[bytes]) -> Iterator[list[Candidate]]:
    """Candidates, latest start first, in ever longer pages, without those of traces found by then.

    A page begins at the start where the one before ended, so rows may come again; none is left out.
    """
    size = max(_MIN_PAGE, _CANDIDATES_PER_TRACE * query.limit)
    last_ns = query.start_max_ns
    while True:
        page = candidates.page(last_ns, size, found)
        yield page
        if len(page) < size:
            return
        came_back = page[-1][1] < last_ns
        last_ns = page[-1][1]
        size = max(size, min(size * _PAGE_GROWTH, _MAX_PAGE)) if came_back else size * _PAGE_GROWTH


class _Search:
    """One search under way. accepts: what else a trace must meet; without, at most `limit` are read at once."""

    def __init__(self, candidates: Candidates, query: TraceQuery, accepts: Accepts | None) -> None:
        self._candidates = candidates
        self._query = query
        self._accepts = accepts
        self._found: dict[bytes, list[Span]] = {}
        self._refused: set[bytes] = set()
        self._loaded: dict[bytes, list[Span]] = {}
        self._at_once = max(_MIN_LOAD, query.limit)

    def run(self) -> dict[bytes, list[Span]]:
        """The traces found, newest first."""
        any(self._take(page) for page in _pages(self._candidates, self._query, self._found))
        return self._found

    def _take(self, page: list[Candidate]) -> bool:
        """Decide each candidate in turn; whether `limit` traces are found."""
        for position, (key, start_ns) in enumerate(page):
            if key in self._found or key in self._refused:
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
            self._found[key] = trace
            if len(self._found) == self._query.limit:
                return True
        return False

    def _load(self, page: list[Candidate]) -> None:
        """Read the next traces of a page, and let go of those read before."""
        wanted = self._at_once if self._accepts else self._query.limit - len(self._found)
        undecided: dict[bytes, None] = {}
        for key, _ in page:
            if key not in self._found and key not in self._refused:
                undecided[key] = None
                if len(undecided) == wanted:
                    break
        self._loaded = self._candidates.load(list(undecided))
        self._at_once = max(self._at_once, min(2 * self._at_once, _MOST_LOAD))
