"""Call rates, error rates and latencies: from the sums that upkeep keeps, or of few spans from the spans themselves.

The sums (`call_sums`) hold whole minutes, of the commits up to `counted.seq`; later ones are counted when asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

import duckdb

from storage.calls import OTHER_OPERATIONS
from storage.duckdb import call_scan, call_sums
from storage.duckdb.call_sums import (
    ALL,
    BUCKET,
    IS_CALL,
    IS_ERROR,
    LONGER_PERIODS,
    MINUTE,
    MINUTE_NS,
    NAMED,
    REST,
    CountedState,
)
from storage.period_windows import STEP_CALLS, STEP_LATENCIES, Named, series_of_steps
from storage.requests import CallQuery, CallSeries

FEW_SPANS = 200_000
"""So many are counted by themselves in some 20 ms: then windows are exact, and so are latencies of few calls."""
CELLS_AT_ONCE = 50_000
"""Series times steps whose sums are read at once. All of a week by the minute of 24 services took 500 MB at once."""
_MOST_PARTS = 8
"""Each part costs a look into the sums of its own."""

_ARE_FEW = """
SELECT count(*) <= $few FROM (
    SELECT 1 FROM spans WHERE start_ns > $after_ns AND start_ns <= $end_ns LIMIT $few::BIGINT + 1)
"""
_ASKED = "list_contains($services::VARCHAR[], service) AND list_contains($kinds::INTEGER[], kind)"

_COUNT_TAIL = f"""
-- The calls that the sums do not know.
CREATE TEMP TABLE tail AS
WITH named AS (SELECT service, kind, name FROM call_operations WHERE part = {NAMED}),
counted_minutes AS (
    SELECT service, kind, coalesce(name, '') AS name, {MINUTE} AS minute, {BUCKET} AS bucket, count(*) AS calls,
        count(*) FILTER ({IS_ERROR}) AS errors
    FROM spans
    WHERE seq > $counted_seq AND start_ns > $after_ns AND start_ns <= $end_ns AND {IS_CALL} AND {_ASKED}
    GROUP BY ALL
)
SELECT service, CASE WHEN NOT $by_operation THEN ''
        WHEN service IN (SELECT service FROM named GROUP BY service HAVING count(*) >= $most_operations)
            AND (service, kind, name) NOT IN (FROM named) THEN $others
        ELSE name END AS operation,
    minute // $minutes + (minute % $minutes > 0)::BIGINT AS period, bucket, calls, errors
FROM counted_minutes
"""
_FIND_SERIES = f"""
-- id: of a row of call_operations that the series counts; NULL if there is none.
CREATE TEMP TABLE found AS
WITH summed AS (
    SELECT id, service, CASE part WHEN {REST} THEN $others ELSE name END AS operation FROM call_operations
    WHERE {_ASKED} AND CASE WHEN $by_operation THEN part <> {ALL} ELSE part = {ALL} END
), series AS (SELECT service, operation FROM summed UNION SELECT service, operation FROM tail)
SELECT dense_rank() OVER (ORDER BY service, operation) - 1 AS series, service, operation, id
FROM series LEFT JOIN summed USING (service, operation)
"""
_KEEP_MOST_CALLED = """
DELETE FROM found WHERE series NOT IN (
    SELECT series FROM ({calls}) GROUP BY series HAVING sum(calls) > 0 ORDER BY sum(calls) DESC, series LIMIT $limit)
"""
_NUMBER_SERIES = """
CREATE TEMP TABLE asked AS SELECT * REPLACE ((dense_rank() OVER (ORDER BY series) - 1)::INTEGER AS series) FROM found
"""
_SERIES = "SELECT DISTINCT series, service, operation FROM asked ORDER BY series"
_OF_STEPS = """
SELECT series, ($last_step - ($last - period) // $step)::INTEGER AS step, {columns} FROM (
    SELECT series, period, {columns} FROM {table} JOIN {asked} ON {table}.operation = id
    UNION ALL SELECT series, period, {columns} FROM tail JOIN (SELECT DISTINCT series, service, operation FROM {asked})
        USING (service, operation)
) WHERE period > $first AND period <= $last AND ($last - period) % $step < $window
"""


def call_series(cursor: duckdb.DuckDBPyConnection, query: CallQuery) -> list[CallSeries]:
    """SpanReader.call_series of the store behind `cursor`, which is in no transaction before and after."""
    asked = _InPeriods.of(query)
    if asked is None or _are_few(cursor, query):
        return call_scan.call_series(cursor, query)
    cursor.begin()
    try:
        return _from_sums(cursor, query, asked)
    finally:
        # Nothing but temporary tables was written; rolling back drops them.
        cursor.rollback()


@dataclass(frozen=True, slots=True)
class _InPeriods:
    """A CallQuery in whole periods of `minutes` each. last: the one that its last window ends with."""

    periods: str
    minutes: int
    last: int
    step: int
    window: int
    last_step: int

    @classmethod
    def of(cls, query: CallQuery) -> Self | None:
        """In the longest periods that step and window are multiples of; None if they are not of whole minutes."""
        for periods, minutes in (*LONGER_PERIODS.items(), ("minutes", 1)):
            period_ns = minutes * MINUTE_NS
            if query.step_ns % period_ns == 0 and query.window_ns % period_ns == 0:
                last, step, window = (each // period_ns for each in (query.end_ns, query.step_ns, query.window_ns))
                return cls(periods, minutes, last, step, window, query.steps - 1)
        return None

    @property
    def first(self) -> int:
        """The period before the first window."""
        return self.last - self.last_step * self.step - min(self.window, self.step)

    def of_part(self, part: CallQuery) -> Self:
        """That of some of its moments."""
        return replace(self, last=part.end_ns // (self.minutes * MINUTE_NS), last_step=part.steps - 1)

    def parameters(self) -> dict[str, int]:
        """Those of _OF_STEPS."""
        return {
            "last": self.last,
            "first": self.first,
            "step": self.step,
            "window": self.window,
            "last_step": self.last_step,
        }

    def rows(self, kind: str, columns: str, asked: str = "asked") -> str:
        """What sums of a kind ("call" or "latency") and the tail have of each series and step."""
        return _OF_STEPS.format(table=f"{kind}_{self.periods}", columns=columns, asked=asked)


def _are_few(cursor: duckdb.DuckDBPyConnection, query: CallQuery) -> bool:
    bounds = {"after_ns": call_scan.begin_ns(query), "end_ns": query.end_ns}
    ((few,),) = cursor.execute(_ARE_FEW, {**bounds, "few": FEW_SPANS}).fetchall()
    return bool(few)


def _from_sums(cursor: duckdb.DuckDBPyConnection, query: CallQuery, asked: _InPeriods) -> list[CallSeries]:
    named = _find_series(cursor, query, asked)
    parts = _parts_of(query, len(named))
    found = [_of_part(cursor, part, asked.of_part(part), named) for part in parts]
    return found[0] if len(parts) == 1 else list(_joined(named, parts, found))


def _parts_of(query: CallQuery, series: int) -> list[CallQuery]:
    """The query; several of some of its moments each, the oldest first, when so many series have many of them."""
    wanted = min(_MOST_PARTS, series * query.steps // CELLS_AT_ONCE + 1)
    # The first windows of a part reach back into the part before it, which must not be most of what it reads.
    most_points = max(-(-query.points // wanted), query.steps - query.points)
    parts = []
    for first in range(0, query.points, most_points):
        points = min(most_points, query.points - first)
        later = query.points - first - points
        parts.append(replace(query, points=points, end_ns=query.end_ns - later * query.step_ns))
    return parts


def _of_part(
    cursor: duckdb.DuckDBPyConnection, query: CallQuery, asked: _InPeriods, named: Sequence[Named]
) -> list[CallSeries]:
    calls = cursor.execute(asked.rows("call", "calls, errors"), asked.parameters()).to_arrow_table()
    latencies = None
    if query.quantile is not None:
        rows = cursor.execute(
            asked.rows("latency", "bucket, calls::INTEGER AS calls"), asked.parameters()
        ).to_arrow_table()
        latencies = rows.cast(STEP_LATENCIES)
    return series_of_steps(named, calls.cast(STEP_CALLS), latencies, query)


def _joined(
    named: Sequence[Named], parts: Sequence[CallQuery], found: Sequence[Sequence[CallSeries]]
) -> Iterator[CallSeries]:
    """The series of all parts, each of which left out those without calls."""
    by_name = [{Named(series.service, series.operation): series for series in of_part} for of_part in found]
    for name in named:
        if any(name in of_part for of_part in by_name):
            pieces = [of_part.get(name) or _silent(name, part) for of_part, part in zip(by_name, parts, strict=True)]
            calls, errors, latencies_ns = (
                tuple(chain.from_iterable(getattr(piece, values) for piece in pieces))
                for values in ("calls", "errors", "latencies_ns")
            )
            yield CallSeries(*name, calls, errors, latencies_ns)


def _silent(name: Named, query: CallQuery) -> CallSeries:
    none = (0,) * query.points
    return CallSeries(*name, none, none, () if query.quantile is None else (None,) * query.points)


def _find_series(cursor: duckdb.DuckDBPyConnection, query: CallQuery, asked: _InPeriods) -> list[Named]:
    """Count what the sums do not know, and find at most `query.limit` series: the temporary tables tail and asked."""
    which = {
        "services": list(query.services),
        "kinds": list(query.kinds),
        "by_operation": query.by_operation,
        "others": OTHER_OPERATIONS,
    }
    period_ns = asked.minutes * MINUTE_NS
    times = {
        "counted_seq": CountedState.read(cursor).seq,
        "after_ns": max(asked.first * period_ns, call_scan.LEAST_NS),
        "end_ns": asked.last * period_ns,
        "minutes": asked.minutes,
        "most_operations": call_sums.MOST_OPERATIONS,
    }
    cursor.execute(_COUNT_TAIL, {**which, **times})
    cursor.execute(_FIND_SERIES, which)
    ((found,),) = cursor.execute("SELECT count(DISTINCT series) FROM found").fetchall()
    if found > query.limit:
        keep = _KEEP_MOST_CALLED.format(calls=asked.rows("call", "calls", "found"))
        cursor.execute(keep, {**asked.parameters(), "limit": query.limit})
    cursor.execute(_NUMBER_SERIES)
    series = cursor.execute(_SERIES).fetchall()
    return [Named(service, operation if query.by_operation else None) for _, service, operation in series]
