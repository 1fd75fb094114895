"""Rolling commits up into the side tables, a bounded slice at a time, beside reads and writes.

Everything is computed in SQL and set-wise: a service that puts ids into its span names costs disk, never memory.
Distinct values are kept per segment of about a million spans, so a slice is compared with its own segment only, and
retention can forget what went with the spans of a segment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from storage.attributes import KEY_SEPARATOR
from storage.duckdb import call_reports, call_sums, link_sums, sql, trace_runs
from storage.duckdb.instance import Instance, transaction
from storage.duckdb.marks import Marks
from storage.reported_calls import EDGE_CALLS, CallObserver

SLICE_ROWS = 500_000
"""Spans rolled up in one transaction: about 50 ms of work, and 1.5 MB of log."""
SEGMENT_ROWS = 1_000_000
MAX_LINKED_SLICES = 4
"""Slices whose calls are counted in one round: what came since the last one, except after an upgrade."""
MAX_COUNTED_SLICES = 8
"""As MAX_LINKED_SLICES, of call_sums.COUNTED_SPANS each."""
_SORTED_RUN_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class UpkeepState:
    """The one row of `upkeep`. A segment is named by its first seq; segment_rows: the spans rolled up in it so far."""

    watermark: int
    segment: int
    segment_rows: int

    @classmethod
    def read(cls, cursor: duckdb.DuckDBPyConnection) -> "UpkeepState":
        """As it is in this transaction."""
        (row,) = cursor.execute(sql.UPKEEP_STATE).fetchall()
        return cls(*row)

    def after(self, last_seq: int, rows: int) -> "UpkeepState":
        """The state when `rows` more spans are rolled up, to `last_seq`; a full segment is followed by a new one."""
        if self.segment_rows + rows >= SEGMENT_ROWS:
            return UpkeepState(last_seq, last_seq + 1, 0)
        return UpkeepState(last_seq, self.segment, self.segment_rows + rows)


class Upkeep:
    """The rolling up of one store. Used by one thread at a time; readers see its progress in the marks."""

    def __init__(self, instance: Instance, marks: Marks, autocomplete_keys: tuple[str, ...]) -> None:
        self._instance = instance
        self._marks = marks
        self._autocomplete_keys = autocomplete_keys
        self._knows_trace_runs = False
        self._opened_seq = 0
        self._reported_seq = 0
        self._observer: CallObserver | None = None

    def report_calls_to(self, observer: CallObserver) -> None:
        """As ReportsCalls.report_calls_to."""
        self._observer = observer

    def load(self) -> None:
        """Set the marks from what is stored; at the start."""
        with self._instance.cursor() as cursor:
            self._marks.watermark = UpkeepState.read(cursor).watermark
            link_sums.forget_sums_of_other_rules(cursor)
            call_sums.forget_sums_of_other_rules(cursor)
            self._note_spans_per_commit(cursor)
            known = {key for (key,) in cursor.execute(sql.TAG_KEYS).fetchall()}
            ((self._opened_seq,),) = cursor.execute(sql.LAST_SEQ).fetchall()
            self._reported_seq = self._opened_seq
        self._marks.complete_tag_keys = frozenset(known.intersection(self._autocomplete_keys))

    def run(self) -> None:
        """Roll up all that was committed before the call."""
        self._agree_on_tag_keys()
        self._know_trace_runs()
        with self._instance.cursor() as cursor:
            (last,) = cursor.execute(sql.LAST_SEQ).fetchall()[0]
        while self._marks.watermark < last:
            self._roll_up_slice(last)
        with self._instance.cursor() as cursor:
            self._sort_recent_traces(cursor)
            self._note_spans_per_commit(cursor)
        for _ in range(MAX_LINKED_SLICES):
            if not self._link_slice():
                break
        for _ in range(MAX_COUNTED_SLICES):
            if not self._count_slice():
                break
        if self._observer:
            self._report_spans(self._observer)

    def roll_up_values(self, cursor: duckdb.DuckDBPyConnection, after_seq: int, last_seq: int, segment: int) -> None:
        """Add the distinct names, resources and tag values of commits (after_seq, last_seq] to a segment."""
        parameters = [after_seq, last_seq, segment]
        cursor.execute(sql.ROLL_UP_NAMES, parameters)
        cursor.execute(sql.ROLL_UP_RESOURCES, parameters)
        for key in sorted(self._marks.complete_tag_keys):
            _roll_up_tag(cursor, key, parameters)

    def _roll_up_slice(self, last_seq: int) -> None:
        with self._instance.cursor() as cursor, transaction(cursor):
            state = UpkeepState.read(cursor)
            upto = _slice_end(cursor, state.watermark, last_seq)
            (rows,) = cursor.execute(sql.ROWS_BETWEEN, [state.watermark, upto]).fetchall()[0]
            cursor.execute(sql.ROLL_UP_TRACES, [state.watermark, upto])
            self.roll_up_values(cursor, state.watermark, upto, state.segment)
            after = state.after(upto, rows)
            cursor.execute(sql.SET_UPKEEP_STATE, [after.watermark, after.segment, after.segment_rows])
        self._marks.watermark = after.watermark

    def _link_slice(self) -> bool:
        """Count the calls of the next spans that are rolled up; whether there were any."""
        with self._instance.cursor() as cursor, transaction(cursor):
            after, watermark = link_sums.LinkedState.read(cursor).seq, UpkeepState.read(cursor).watermark
            if after >= watermark:
                return False
            if after < self._opened_seq:
                # So that no slice has both what was held before, which is not reported, and what came since.
                watermark = min(watermark, self._opened_seq)
            change = link_sums.count_commits(cursor, after, _slice_end(cursor, after, watermark))
        if self._observer and after >= self._opened_seq:
            self._observer.on_edges(change.select(EDGE_CALLS.names))
        return True

    def _count_slice(self) -> bool:
        """Sum the calls of the next spans that are rolled up; whether there were enough of them."""
        with self._instance.cursor() as cursor, transaction(cursor):
            after, watermark = call_sums.CountedState.read(cursor).seq, UpkeepState.read(cursor).watermark
            enough = cursor.execute(sql.SEQ_AFTER_ROWS, [after, call_sums.COUNTED_SPANS - 1]).fetchall()
            if not enough or enough[0][0] > watermark:
                return False
            call_sums.count_commits(cursor, after, enough[0][0])
        return True

    def _report_spans(self, observer: CallObserver) -> None:
        while self._reported_seq < self._marks.watermark:
            with self._instance.cursor() as cursor:
                upto = _slice_end(cursor, self._reported_seq, self._marks.watermark)
                calls = call_reports.span_calls(cursor, self._reported_seq, upto)
            observer.on_spans(calls)
            self._reported_seq = upto

    def _know_trace_runs(self) -> None:
        """Read at the first round which runs there are, not at the start: until then readers look into all of them.

        Before a run is added, for readers take those that they know to be all up to the last.
        """
        with self._instance.cursor() as cursor:
            if not self._knows_trace_runs:
                self._marks.trace_runs = tuple(trace_runs.read_runs(cursor))
                self._knows_trace_runs = True
            ((first,),) = cursor.execute(sql.FIRST_SEQ).fetchall()
        self._marks.trace_runs = tuple(run for run in self._marks.trace_runs if first is None or run.last_seq >= first)

    def _sort_recent_traces(self, cursor: duckdb.DuckDBPyConnection) -> None:
        (recent,) = cursor.execute(sql.COUNT_RECENT_TRACES).fetchall()[0]
        if recent >= _SORTED_RUN_ROWS:
            with transaction(cursor):
                run = trace_runs.read_recent(cursor)
                cursor.execute(sql.SORT_RECENT_TRACES)
                cursor.execute(sql.CLEAR_RECENT_TRACES)
            # A reader that sees the run in the table but not here looks for later notes than it knows.
            self._marks.trace_runs += (run,)

    def _note_spans_per_commit(self, cursor: duckdb.DuckDBPyConnection) -> None:
        spans, _ = cursor.execute(sql.COUNTED).fetchall()[0]
        (first,) = cursor.execute(sql.FIRST_SEQ).fetchall()[0]
        if spans:
            (last,) = cursor.execute(sql.LAST_SEQ).fetchall()[0]
            self._marks.spans_per_commit = spans / (last - first + 1)

    def _agree_on_tag_keys(self) -> None:
        """Roll up what is held for keys that are newly configured, and forget those that no longer are."""
        with self._instance.cursor() as cursor, transaction(cursor):
            known = {key for (key,) in cursor.execute(sql.TAG_KEYS).fetchall()}
            for key in known.difference(self._autocomplete_keys):
                cursor.execute(sql.FORGET_TAG_KEY, [key])
                cursor.execute(sql.FORGET_TAG_VALUES, [key])
            for key in set(self._autocomplete_keys) - known:
                for after_seq, last_seq, segment in segments(cursor):
                    _roll_up_tag(cursor, key, [after_seq, last_seq, segment])
                cursor.execute(sql.ADD_TAG_KEY, [key])
        self._marks.complete_tag_keys = frozenset(self._autocomplete_keys)


def segments(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int, int]]:
    """(after_seq, last_seq, segment) of each segment that has spans rolled up, oldest first; the last is open."""
    firsts = [first for (first,) in cursor.execute(sql.SEGMENTS).fetchall()]
    watermark = UpkeepState.read(cursor).watermark
    for first, following in pairwise([*firsts, watermark + 1]):
        yield first - 1, following - 1, first


def _slice_end(cursor: duckdb.DuckDBPyConnection, after_seq: int, last_seq: int) -> int:
    beyond = cursor.execute(sql.SEQ_AFTER_ROWS, [after_seq, SLICE_ROWS]).fetchall()
    return min(last_seq, beyond[0][0]) if beyond else last_seq


def _roll_up_tag(cursor: duckdb.DuckDBPyConnection, key: str, parameters: list[int]) -> None:
    enclosed = f"{KEY_SEPARATOR}{key}{KEY_SEPARATOR}"
    cursor.execute(sql.ROLL_UP_TAG_VALUES, [*parameters, key, sql.json_pointer(key), enclosed])
