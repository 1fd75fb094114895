"""Find traces: what the search driver asks of SQL."""

from collections.abc import Collection, Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from storage import searching
from storage.contract import Accepts
from storage.ids import TraceId, grouping_key
from storage.postgresql import names, sql
from storage.postgresql.candidates import SharedTexts, conditions_of, started_within, visible
from storage.postgresql.columns import trace_id_of
from storage.postgresql.reader import Marks, marks_of, traces_by_key
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts, Role
from storage.requests import TraceQuery
from storage.searching import Candidate
from storage.span import Span
from storage.span_conditions import Condition, StoredNames


def find_traces(rows: Rows, texts: KnownTexts, query: TraceQuery, *, strict: bool) -> list[list[Span]]:
    """As SpanReader.find_traces."""
    return list(searching.find(_Candidates(rows, texts, query, strict), query).values())


def find_traces_where(
    rows: Rows, texts: KnownTexts, query: TraceQuery, accepts: Accepts, *, strict: bool
) -> list[list[Span]]:
    """As SpanReader.find_traces_where."""
    return list(searching.find(_Candidates(rows, texts, query, strict), query, accepts).values())


def find_trace_ids(rows: Rows, texts: KnownTexts, query: TraceQuery, *, strict: bool) -> list[TraceId]:
    """As SpanReader.find_trace_ids. Without tags the conditions are exact, so that no span needs to be read."""
    candidates = _Candidates(rows, texts, query, strict)
    keys = searching.find(candidates, query) if query.tags else searching.find_keys(candidates, query)
    return [TraceId(key.rjust(16, b"\0")) for key in keys]


class _Candidates:
    """The Candidates of one query."""

    def __init__(self, rows: Rows, texts: KnownTexts, query: TraceQuery, strict: bool) -> None:
        self._rows = rows
        self._texts = texts
        self._marks = marks_of(rows)
        self._query = query
        self._strict = strict
        self._conditions = _conditions(rows, texts, self._marks, query)

    def page(self, last_ns: int, size: int, found: Collection[bytes]) -> list[Candidate]:
        """As Candidates.page."""
        if self._conditions is None:
            return []
        columns = sql.SPANS.c
        window = started_within(self._query.start_min_ns, last_ns)
        statement = (
            sa.select(columns.trace_high, columns.trace_low, columns.start_ns)
            .where(window, *self._conditions, *self._not_of(found))
            .order_by(columns.start_ns.desc())
            .limit(size)
        )
        page = self._rows.fetch(*sql.compiled(statement))
        return [(grouping_key(TraceId(trace_id_of(high, low)), self._strict), start_ns) for high, low, start_ns in page]

    def load(self, keys: Sequence[bytes]) -> dict[bytes, list[Span]]:
        """As Candidates.load."""
        return traces_by_key(self._rows, self._texts, self._marks, keys, strict=self._strict)

    def _not_of(self, found: Collection[bytes]) -> list[Condition]:
        columns = sql.SPANS.c
        if not found:
            return []
        halves = [np.frombuffer(key, dtype=">i8").tolist() for key in found]
        if not self._strict:
            return [columns.trace_low.not_in([low for (low,) in halves])]
        # Of a query's rows PostgreSQL makes a hash table. A list of pairs it compares one by one: for the 1500 newest
        # traces of all services 90 million times.
        highs, lows = (sa.literal(list(each), ARRAY(sa.BigInteger)) for each in zip(*halves, strict=True))
        known = sa.func.unnest(highs, lows).table_valued("high", "low").render_derived(name="known")
        return [sa.tuple_(columns.trace_high, columns.trace_low).not_in(sa.select(known.c.high, known.c.low))]


def _conditions(rows: Rows, texts: KnownTexts, marks: Marks, query: TraceQuery) -> list[Condition] | None:
    """What a span must meet besides its start; None when no span has the names asked for."""
    stored = _stored_names(rows, texts, marks, query)
    if not stored.exist():
        return None
    shared = SharedTexts(
        key_sets=lambda key: names.key_sets_with(rows, texts, key),
        resources=lambda tag: names.resources_with(rows, texts, tag),
        scope_names=lambda text: texts.numbers_of(rows, Role.SCOPE_NAME, text),
        scope_versions=lambda text: texts.numbers_of(rows, Role.SCOPE_VERSION, text),
    )
    return [*visible(marks), *conditions_of(query, stored, shared)]


def _stored_names(rows: Rows, texts: KnownTexts, marks: Marks, query: TraceQuery) -> StoredNames[int]:
    def spelled(column: str, asked: str | None) -> list[int] | None:
        if asked is None:
            return None
        return names.spellings(rows, texts, marks, column, asked, ignore_case=query.ignore_case)

    return StoredNames(
        spelled("service_id", query.service),
        spelled("name_id", query.operation),
        spelled("remote_service_id", query.remote_service),
    )
