"""Summaries of the traces that a search finds, from the narrow columns of their spans.

Attributes, events and links are read only of spans that look like another one of their trace.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from storage.ids import TraceId, grouping_key
from storage.postgresql import names, sql
from storage.postgresql.columns import READ_COLUMNS, numbers_in, plain_row, trace_id_of, unsigned
from storage.postgresql.reader import Marks, marks_of
from storage.postgresql.search import find_trace_ids
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts
from storage.requests import TraceQuery
from storage.rows import span_of
from storage.span import Protocol, Span, StatusCode
from storage.summary_table import SUMMARY_TABLE, summaries_of_table
from storage.trace_summary import TraceSummary
from storage.zipkin_status import ERROR_KEY, STATUS_KEY

_COLUMNS = (
    "written",
    "trace_high",
    "trace_low",
    "span_id",
    "parent_span_id",
    "start_ns",
    "duration_ns",
    "service_id",
    "name_id",
    "kind",
    "protocol",
    "shared",
    "status_code",
    "keys_id",
)


def find_trace_summaries(rows: Rows, texts: KnownTexts, query: TraceQuery, *, strict: bool) -> list[TraceSummary]:
    """As SpanReader.find_trace_summaries."""
    # In one transaction, so that no partition goes between the first look at a span and the second.
    with rows.transaction():
        rows.change(sql.OF_ONE_MOMENT)
        found = find_trace_ids(rows, texts, query, strict=strict)
        keys = [grouping_key(trace_id, strict) for trace_id in found]
        summaries = _Summaries(rows, texts, marks_of(rows), keys, strict).by_key() if keys else {}
        return [summaries[key] for key in keys if key in summaries]


class _Summaries:
    """The summaries of the traces with these grouping keys."""

    def __init__(self, rows: Rows, texts: KnownTexts, marks: Marks, keys: Sequence[bytes], strict: bool) -> None:
        self._rows = rows
        self._texts = texts
        self._marks = marks
        self._lows = [int.from_bytes(key[-8:], "big", signed=True) for key in keys]
        self._wanted = set(keys)
        self._strict = strict

    def by_key(self) -> dict[bytes, TraceSummary]:
        """Each trace's summary, by its grouping key."""
        statement = sql.spans_of_traces(_COLUMNS)
        found = self._rows.fetch(statement, sql.visible({"lows": self._lows}, self._marks))
        told = list(self._told(found))
        table = pa.Table.from_pylist([dict(zip(SUMMARY_TABLE.names, row[1:], strict=True)) for row in told])
        written = [row[0] for row in told]

        def whole(rows: Sequence[int]) -> list[Span]:
            return self._spans([written[row] for row in rows])

        return summaries_of_table(table.cast(SUMMARY_TABLE), whole, strict=self._strict) if told else {}

    def _told(self, found: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Place and SUMMARY_TABLE of each span of the wanted traces."""
        with_error, with_status = (
            set(names.key_sets_with(self._rows, self._texts, key, elsewhere=False)) for key in (ERROR_KEY, STATUS_KEY)
        )
        names_at = _COLUMNS.index("service_id"), _COLUMNS.index("name_id")
        texts = self._texts.of(self._rows, {row[at] for row in found for at in names_at} - {None})
        for row in found:
            written, high, low, span_id, parent, start_ns, duration_ns, service, name, *rest = row
            kind, protocol, shared, status, keys_id = rest
            trace_id = TraceId(trace_id_of(high, low))
            if grouping_key(trace_id, self._strict) not in self._wanted:
                continue
            is_zipkin, has_error = protocol == Protocol.ZIPKIN, keys_id in with_error
            yield (
                *(written, trace_id, unsigned(span_id), None if parent is None else unsigned(parent)),
                *(start_ns, duration_ns, texts.get(service), texts.get(name), kind, protocol, bool(shared)),
                status == StatusCode.ERROR or (is_zipkin and has_error),
                is_zipkin and keys_id in with_status and not has_error,
            )

    def _spans(self, written: Sequence[int]) -> list[Span]:
        """The spans in these places."""
        statement = sql.spans_in_places(READ_COLUMNS)
        found = self._rows.fetch(statement, {"lows": self._lows, "written": list(written)})
        texts = self._texts.of(self._rows, numbers_in([row[1:] for row in found]))
        spans = {row[0]: span_of(plain_row(row[1:], texts)) for row in found}
        return [spans[place] for place in written]
