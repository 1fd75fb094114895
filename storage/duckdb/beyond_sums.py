"""What has to be linked for the graph of a window beside the sums that upkeep keeps of it.

Sums of calls are true for all commits up to `linked.seq`, in whole buckets of time. What they do not cover are the
traces of the cut buckets at the window's ends, what later commits changed (their traces as they are, less what the sums
hold of them), and the traces that `link_sums` set aside.
"""

from typing import NamedTuple

import duckdb

from storage.duckdb.link_sums import LinkedState
from storage.duckdb.trace_slices import Asked
from storage.linking.change import Window

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


class BeyondSums(NamedTuple):
    """summed: the buckets to take from the sums, none at times. asked: what to link; counted: which of it they hold."""

    summed: range
    asked: Asked
    counted: Window


def beyond_sums(cursor: duckdb.DuckDBPyConnection, window: Window, bucket_ns: int) -> BeyondSums:
    """What to add to the sums by `bucket_ns` for the graph of the window, as of the cursor's transaction."""
    start_ns, end_ns = window
    state = LinkedState.read(cursor)
    buckets = range(-(-start_ns // bucket_ns), (end_ns + 1) // bucket_ns)
    if not buckets or _is_quicker_without_sums(cursor, state, window):
        values: dict[str, object] = {"first_0_ns": start_ns, "last_0_ns": end_ns}
        return BeyondSums(range(0), Asked(_IN_WINDOW.format(n=0), "false", "true", state.seq, values), _NEVER)
    ((any_set_aside,),) = cursor.execute(_ANY_SET_ASIDE).fetchall()
    counted = (buckets.start * bucket_ns, buckets.stop * bucket_ns - 1)
    cut = [(start_ns, counted[0] - 1), (counted[1] + 1, end_ns)]
    parts, values = [_LATER], {"start_ns": start_ns, "end_ns": end_ns, "counted_seq": state.seq}
    for number, (first_ns, last_ns) in enumerate(cut):
        if first_ns <= last_ns:
            parts.append(_IN_WINDOW.format(n=number))
            values |= {f"first_{number}_ns": first_ns, f"last_{number}_ns": last_ns}
    if any_set_aside:
        parts.append(_SET_ASIDE)
    known = {"counted_seq": state.seq}
    asked = Asked(" UNION ALL ".join(parts), "seq <= $counted_seq", "true", state.seq, values, known)
    return BeyondSums(buckets, asked, counted)


def _is_quicker_without_sums(cursor: duckdb.DuckDBPyConnection, state: LinkedState, window: Window) -> bool:
    """Whether the sums are so far behind that linking the window's own spans is less work: after an upgrade."""
    since = int(cursor.execute(_SPANS_SINCE, [state.seq]).fetchall()[0][0])
    return since > _FEW_SPANS and since > int(cursor.execute(_SPANS_WITHIN, list(window)).fetchall()[0][0])
