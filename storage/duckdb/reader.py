"""Whole traces by id: where their spans are, by side tables and narrow columns, and then those rows only.

Attributes are compressed 2048 at a time, in vectors that take a millisecond to unpack. So rows are found first, and
read by numbers that let DuckDB pass over the vectors between them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

import duckdb

from storage.duckdb import sql
from storage.duckdb.marks import Marks, snapshot
from storage.duckdb.sql import Range
from storage.duckdb.trace_runs import looks
from storage.ids import grouping_key
from storage.rows import plain_values, spans_of
from storage.span import Span

Place = tuple[int, int]
"""The number of a span's row, which it keeps within a transaction, and its commit's (seq)."""

_END_OF_SEQ = 2**63 - 1
_VECTOR_ROWS = 2048
_ROWS_WORTH_SKIPPING = 2 * _VECTOR_ROWS
"""Two ranges of commits closer than that are looked through as one."""
_ROWS_WORTH_A_SELECT = 60_000
_ROWS_WORTH_A_STATEMENT = 500_000
"""What lies between two places is passed over faster than one begins anew, up to these distances: of two columns in
one more SELECT of a statement, and of all columns in one more statement."""
_GROUPS_AT_ONCE = 16
"""Each SELECT of a statement has its own table of the ids and its own buffers."""
_MAX_RANGES = 64
_MAX_ROWS = 16_384
"""Of one statement: every number that is read is compared with each range, and rows are held twice for a moment."""


def traces_by_key(
    cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes], *, strict: bool
) -> dict[bytes, list[Span]]:
    """The spans of each trace that exists, in the order they were written. Keys are `grouping_key`s, distinct."""
    with snapshot(cursor, marks) as known:
        spans = spans_at(cursor, places_of(cursor, known, keys, strict=strict)).values()
    if len(keys) == 1 and spans:
        return {keys[0]: list(spans)}
    traces: dict[bytes, list[Span]] = {}
    for span in spans:
        traces.setdefault(grouping_key(span.trace_id, strict), []).append(span)
    return traces


def places_of(cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes], *, strict: bool) -> list[Place]:
    """The places of the spans of the traces of these grouping keys, in the order they were written."""
    if not keys:
        return []
    places: list[Place] = []
    near = iter(_ranges_of(cursor, marks, keys))
    while groups := list(islice(near, _GROUPS_AT_ONCE)):
        statement = sql.rows_of_traces(sql.trace_key(strict), len(keys), groups)
        places += cursor.execute(statement, list(keys)).fetchall()
    return sorted(places)


def spans_at(cursor: duckdb.DuckDBPyConnection, places: Iterable[Place]) -> dict[int, Span]:
    """The spans at these places by the numbers of their rows, in their order."""
    spans: dict[int, Span] = {}
    for reading in rows_at(cursor, sql.SPAN, places):
        row_ids, *columns = [plain_values(column) for column in reading.to_arrow_table().columns]
        found = dict(zip(row_ids, spans_of(columns), strict=True))
        spans.update((row_id, found[row_id]) for row_id in sorted(row_ids))
    return spans


def rows_at(
    cursor: duckdb.DuckDBPyConnection, columns: str, places: Iterable[Place]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A result to fetch for each part of the places, in their order; its rows in any order."""
    for part in _parts(sorted(places)):
        row_ids = [row_id for row_id, _ in part]
        seqs = _few(((seq, seq) for seq in {seq for _, seq in part}), 1)
        yield cursor.execute(sql.rows(columns, seqs, _runs(row_ids)), [row_ids])


def merged(ranges: Iterable[Range], gap: int) -> list[Range]:
    """The same ranges in order, those no more than `gap` apart joined; never two that overlap."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _ranges_of(cursor: duckdb.DuckDBPyConnection, marks: Marks, keys: Sequence[bytes]) -> Iterator[list[Range]]:
    """Which commits may have spans of these traces: those that upkeep noted, and all that came after it.

    In order, those near each other together.
    """
    lows = [int.from_bytes(key[-8:], "big") for key in keys]
    tail = (marks.watermark + 1, _END_OF_SEQ)
    runs = marks.trace_runs
    known_seq = max((run.last_seq for run in runs), default=0)
    noted = cursor.execute(sql.trace_ranges(lows, looks(runs, lows), known_seq)).fetchall()
    ranges = _few([tail, *noted], _commits(_ROWS_WORTH_SKIPPING, marks))
    distance = _commits(_ROWS_WORTH_A_SELECT, marks)
    group = ranges[:1]
    for one in ranges[1:]:
        if one[0] - group[-1][1] > distance:
            yield group
            group = []
        group.append(one)
    yield group


def _commits(rows: int, marks: Marks) -> int:
    """About how many commits have so many spans, at least 1."""
    return max(1, int(rows / marks.spans_per_commit))


def _few(ranges: Iterable[Range], gap: int) -> list[Range]:
    """As `merged`, with a larger gap if there would be more than one statement should have."""
    found = merged(ranges, gap)
    while len(found) > _MAX_RANGES:
        gap *= 2
        found = merged(found, gap)
    return found


def _runs(row_ids: Sequence[int]) -> list[Range]:
    """From where to where the numbers, which are in order, leave no vector out."""
    cuts = [place for place, (one, following) in enumerate(pairwise(row_ids), 1) if following - one > _VECTOR_ROWS]
    return [(row_ids[first], row_ids[end - 1]) for first, end in pairwise([0, *cuts, len(row_ids)])]


def _parts(places: Iterable[Place]) -> Iterator[list[Place]]:
    """The places, which are in order, as many at once as one statement should read."""
    part: list[Place] = []
    runs = 0
    for place in places:
        distance = place[0] - part[-1][0] if part else 0
        runs += distance > _VECTOR_ROWS
        if runs >= _MAX_RANGES or len(part) == _MAX_ROWS or distance > _ROWS_WORTH_A_STATEMENT:
            yield part
            part, runs = [], 0
        part.append(place)
    if part:
        yield part
