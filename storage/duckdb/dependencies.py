"""The dependency graph of a time window: sums that upkeep keeps, and linking of what they do not cover.

The sums (`link_sums`) hold the calls of whole seconds, true for all commits up to `linked.seq`. Asked at a moment, the
graph is the sum of the whole seconds, plus what the traces of the cut seconds at the window's ends show, plus what
later commits changed: their traces as they are, less what the sums hold of them.
"""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb
import pyarrow as pa

from storage.duckdb.link_sums import SECOND_NS, LinkedState, sums_between
from storage.duckdb.trace_slices import SLICE_SPANS, Asked, whole_traces
from storage.linking.change import Window, change_within
from storage.linking.linker import Call, summed
from storage.requests import DependencyLink

_NEVER: Window = (0, -1)

_IN_WINDOW = "SELECT trace_id, false AS late FROM spans WHERE start_ns BETWEEN $first_{n}_ns AND $last_{n}_ns"
_LATER = """
SELECT trace_id, NOT coalesce(start_ns BETWEEN $start_ns AND $end_ns, false) AS late FROM spans WHERE seq > $counted_seq
"""
"""Spans that the sums do not know. One outside of the window matters to it only if its trace has earlier spans."""

_SET_ASIDE = """
SELECT trace_id, false AS late FROM spans
WHERE start_ns BETWEEN $start_ns AND $end_ns
    AND ('0x' || hex(trace_id[9:16]))::UBIGINT IN (SELECT trace_low FROM set_aside)
"""
_ANY_SET_ASIDE = "SELECT count(*) > 0 FROM set_aside"

_SPANS_SINCE = "SELECT count(*) FROM spans WHERE seq > $1"
_SPANS_WITHIN = "SELECT count(*) FROM spans WHERE start_ns BETWEEN $1 AND $2"
_FEW_SPANS = 200_000


def links(
    cursor: duckdb.DuckDBPyConnection, start_ns: int, end_ns: int, *, slice_spans: int = SLICE_SPANS
) -> list[DependencyLink]:
    """SpanReader.dependencies of the store behind `cursor`, as of the moment of the call.

    The cursor must be idle, and is in no transaction before and after. slice_spans: as in `whole_traces`.
    Raises what DuckDB raises.
    """
    cursor.begin()
    try:
        state = LinkedState.read(cursor)
        seconds = range(-(-start_ns // SECOND_NS), (end_ns + 1) // SECOND_NS)
        if not seconds or _is_quicker_without_sums(cursor, state, start_ns, end_ns):
            seconds = range(0)
        calls = sums_between(cursor, seconds)
        ((any_set_aside,),) = cursor.execute(_ANY_SET_ASIDE).fetchall()
        asked, counted = _beyond_sums(state, seconds, (start_ns, end_ns), any_set_aside=any_set_aside)
        slices = whole_traces(cursor, asked, slice_spans=slice_spans)
        calls.update(_change((part.spans for part in slices), counted, (start_ns, end_ns)))
        return summed((call, times) for call, times in calls.items() if times)
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()


def _is_quicker_without_sums(cursor: duckdb.DuckDBPyConnection, state: LinkedState, start_ns: int, end_ns: int) -> bool:
    """Whether the sums are so far behind that linking the window's own spans is less work: after an upgrade."""
    since = int(cursor.execute(_SPANS_SINCE, [state.seq]).fetchall()[0][0])
    return since > _FEW_SPANS and since > int(cursor.execute(_SPANS_WITHIN, [start_ns, end_ns]).fetchall()[0][0])


def _beyond_sums(state: LinkedState, seconds: range, window: Window, *, any_set_aside: bool) -> tuple[Asked, Window]:
    """What to link beside the sums of these seconds, and which of it they count already."""
    start_ns, end_ns = window
    if not seconds:
        values: dict[str, object] = {"first_0_ns": start_ns, "last_0_ns": end_ns}
        return Asked(_IN_WINDOW.format(n=0), "false", "true", state.seq, values), _NEVER
    counted = (seconds.start * SECOND_NS, seconds.stop * SECOND_NS - 1)
    cut = [(start_ns, counted[0] - 1), (counted[1] + 1, end_ns)]
    parts, values = [_LATER], {"start_ns": start_ns, "end_ns": end_ns, "counted_seq": state.seq}
    for number, (first_ns, last_ns) in enumerate(cut):
        if first_ns <= last_ns:
            parts.append(_IN_WINDOW.format(n=number))
            values |= {f"first_{number}_ns": first_ns, f"last_{number}_ns": last_ns}
    if any_set_aside:
        parts.append(_SET_ASIDE)
    known = {"counted_seq": state.seq}
    return Asked(" UNION ALL ".join(parts), "seq <= $counted_seq", "true", state.seq, values, known), counted


def _change(tables: Iterable[pa.Table], counted: Window, asked: Window) -> Counter[Call]:
    """The change that all slices show; while one is linked the next is read, which halves the time on two cores."""
    change: Counter[Call] = Counter()
    with ThreadPoolExecutor(1, "link") as thread:
        before: Future[Counter[Call]] | None = None
        for table in tables:
            if before:
                change.update(before.result())
            before = thread.submit(change_within, table, counted, asked)
        if before:
            change.update(before.result())
    return change
