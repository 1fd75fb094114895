"""Whole traces by id: one look into the index of each partition, and the texts that are not known yet."""

from collections.abc import Sequence

from storage.ids import grouping_key
from storage.postgresql import sql
from storage.postgresql.columns import READ_COLUMNS, numbers_in, plain_row
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts
from storage.rows import span_of
from storage.span import Span

Marks = tuple[int, int]
"""What all reads look past: spans received before the one, and in places before the other."""


def marks_of(rows: Rows) -> Marks:
    """As they are now."""
    ((horizon_ns, first_written),) = rows.fetch(sql.MARKS)
    return horizon_ns, first_written


def traces_by_key(
    rows: Rows, texts: KnownTexts, marks: Marks, keys: Sequence[bytes], *, strict: bool
) -> dict[bytes, list[Span]]:
    """The spans of each trace that exists, in the order they were written. Keys are `grouping_key`s, distinct."""
    if not keys:
        return {}
    lows = [int.from_bytes(key[-8:], "big", signed=True) for key in keys]
    found = rows.fetch(sql.spans_of_traces(READ_COLUMNS), sql.visible({"lows": lows}, marks))
    known = texts.of(rows, numbers_in(found))
    wanted = set(keys)
    traces: dict[bytes, list[Span]] = {}
    for row in found:
        span = span_of(plain_row(row, known))
        key = grouping_key(span.trace_id, strict)
        if key in wanted:
            traces.setdefault(key, []).append(span)
    return traces
