"""Call rates, error rates and latencies: from the sums that upkeep keeps, or of few spans from the spans themselves.

The sums (`call_sums`) hold whole minutes, of the commits that they know; other spans are counted when asked for: the
tail.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.calls import OTHER_OPERATIONS
from storage.linking.row_index import Ints
from storage.period_windows import STEP_CALLS, STEP_LATENCIES, Named, series_of_steps
from storage.postgresql import call_scan, sql
from storage.postgresql.beyond_sums import are_far_behind
from storage.postgresql.call_periods import InPeriods
from storage.postgresql.call_sums import ALL, MOST_OPERATIONS, NAMED, OPERATIONS, REST, calls_of
from storage.postgresql.histograms import Cells, cells_of
from storage.postgresql.moment import Moment
from storage.postgresql.session import Arrows
from storage.postgresql.texts import ArrowTexts
from storage.requests import CallQuery, CallSeries

FEW_SPANS = 50_000
"""So many of the services asked for are counted by themselves in some 100 ms: then windows are exact."""

_OPERATIONS = """
SELECT operation, part, service_id, kind::bigint AS kind, name_id FROM call_operations
WHERE service_id = ANY({services}) AND kind = ANY({kinds})
"""
_FULL = """
SELECT service_id FROM call_operations WHERE part = {named:d} AND service_id = ANY({services})
GROUP BY 1 HAVING count(*) >= {most:d}
"""
_SPANS = """
SELECT service_id, kind, name_id, start_ns, duration_ns, status_code FROM spans WHERE {condition}
"""
_TAIL = """{news} AND start_ns > {after_ns:d} AND start_ns <= {end_ns:d}
    AND service_id = ANY({services}) AND kind = ANY({kinds})"""
_HOW_MANY = """
SELECT coalesce(sum(calls), 0)::bigint AS calls FROM call_sums
WHERE minutes = {minutes:d} AND operation = ANY({operations}) AND period > {first:d} AND period <= {last:d} + 1
"""
_SUMS = """
SELECT operation, period, calls, errors, {buckets} FROM call_sums
WHERE minutes = {minutes:d} AND operation = ANY({operations}) AND period > {first:d} AND period <= {last:d}
    AND ({last:d} - period) % {step:d} < {window:d}
"""
_BUCKETS, _NO_BUCKETS = "buckets, counts", "'{}'::smallint[] AS buckets, '{}'::bigint[] AS counts"


class _Counted(NamedTuple):
    """Calls by series and step; the rows of `cells` are those of the calls."""

    series: Ints
    step: Ints
    calls: Ints
    errors: Ints
    cells: Cells


def call_series(connection: Arrows, query: CallQuery) -> list[CallSeries]:
    """SpanReader.call_series, as of the moment of the connection's transaction."""
    moment = Moment.of(connection)
    services = call_scan.services_of(connection, query)
    periods = InPeriods.of(query)
    if periods is None or not moment.are_ours or are_far_behind(connection, moment, call_scan.window(query)):
        return call_scan.call_series(connection, moment, services, query)
    asked = {"services": sql.bigints(services), "kinds": sql.bigints(query.kinds)}
    operations = connection.fetch(_OPERATIONS.format(**asked))
    tail = _tail(connection, moment, asked, periods)
    if _calls(connection, operations, periods) + int(np.sum(tail["calls"].to_numpy())) <= FEW_SPANS:
        return call_scan.call_series(connection, moment, services, query)
    part = operations["part"].to_numpy()
    wanted = operations.filter(pa.array(part != ALL if query.by_operation else part == ALL))
    full = connection.fetch(_FULL.format(named=NAMED, services=asked["services"], most=MOST_OPERATIONS))
    names = _Names(ArrowTexts(connection), set(full["service_id"].to_pylist()), by_operation=query.by_operation)
    of_operations, of_tail = names.of_operations(wanted), names.of_spans(tail, wanted)
    named = sorted({*of_operations, *of_tail}, key=lambda each: (each.service, each.operation or ""))
    number = {each: place for place, each in enumerate(named)}
    parts = [
        _summed(connection, wanted, np.array([number[each] for each in of_operations], np.int64), periods, query),
        _counted(tail, np.array([number[each] for each in of_tail], np.int64), periods),
    ]
    return _series(named, parts, query)


def _tail(connection: Arrows, moment: Moment, asked: dict[str, str], periods: InPeriods) -> pa.Table:
    news = moment.in_commits(moment.news)
    condition = _TAIL.format(news=news, after_ns=periods.after_ns, end_ns=periods.end_ns, **asked)
    found = calls_of(connection.fetch(_SPANS.format(condition=condition)), call_scan.empty_name(connection))
    return found.take(pa.array(periods.counted(found["minute"].to_numpy())))


def _calls(connection: Arrows, operations: pa.Table, periods: InPeriods) -> int:
    """How many calls the sums have between the first window and the last; it may be some more."""
    wholes = operations["operation"].to_numpy()[operations["part"].to_numpy() == ALL]
    statement = _HOW_MANY.format(operations=sql.bigints(wholes.tolist()), **periods._asdict(), first=periods.first)
    return int(connection.fetch(statement)["calls"][0].as_py())


class _Names:
    """What the calls of operations are told as. full: the services that have as many named ones as there may be."""

    def __init__(self, texts: ArrowTexts, full: set[int], *, by_operation: bool) -> None:
        texts.know(0, "")
        self._texts = texts
        self._full = full
        self._by_operation = by_operation

    def of_operations(self, operations: pa.Table) -> list[Named]:
        """Of each row of call_operations."""
        others = operations["part"].to_numpy() == REST
        return self._named(operations["service_id"], operations["name_id"], others)

    def of_spans(self, tail: pa.Table, operations: pa.Table) -> list[Named]:
        """Of each row of the tail: as upkeep will count it, as far as that can be told."""
        keys = [list(zip(*(table[name].to_pylist() for name in _KEY), strict=True)) for table in (tail, operations)]
        parts = dict(zip(zip(operations["part"].to_pylist(), keys[1], strict=True), keys[1], strict=True))
        others = [
            (NAMED, key) not in parts and (key[0] in self._full or (REST, (*key[:2], 0)) in parts) for key in keys[0]
        ]
        return self._named(tail["service_id"], tail["name_id"], np.array(others, np.bool_))

    def _named(
        self, service_ids: pa.ChunkedArray, name_ids: pa.ChunkedArray, others: np.typing.NDArray[np.bool_]
    ) -> list[Named]:
        services = self._texts.of(service_ids).to_pylist()
        if not self._by_operation:
            return [Named(service, None) for service in services]
        names = self._texts.of(name_ids).to_pylist()
        return [
            Named(service, OTHER_OPERATIONS if other else name)
            for service, name, other in zip(services, names, others.tolist(), strict=True)
        ]


_KEY = ("service_id", "kind", "name_id")


def _summed(connection: Arrows, operations: pa.Table, series: Ints, periods: InPeriods, query: CallQuery) -> _Counted:
    """What the sums have; series: of each operation."""
    numbers = operations["operation"].to_numpy()
    rows = connection.fetch(
        _SUMS.format(
            operations=sql.bigints(numbers.tolist()),
            buckets=_NO_BUCKETS if query.quantile is None else _BUCKETS,
            first=periods.first,
            **periods._asdict(),
        )
    )
    order = np.argsort(numbers)
    found = (
        series[order][np.searchsorted(numbers, rows["operation"].to_numpy(), sorter=order)] if len(numbers) else series
    )
    step = periods.steps_of(rows["period"].to_numpy())
    return _Counted(found, step, rows["calls"].to_numpy(), rows["errors"].to_numpy(), cells_of(rows))


def _counted(tail: pa.Table, series: Ints, periods: InPeriods) -> _Counted:
    minute, bucket, calls, errors = (tail[name].to_numpy() for name in ("minute", "bucket", "calls", "errors"))
    step = periods.steps_of(OPERATIONS.longer(minute, periods.minutes))
    return _Counted(series, step, calls, errors, Cells(np.arange(len(series)), bucket, calls))


def _series(named: list[Named], parts: list[_Counted], query: CallQuery) -> list[CallSeries]:
    """At most `query.limit` of them: the most called."""
    calls = np.zeros(len(named), np.int64)
    for part in parts:
        np.add.at(calls, part.series, part.calls)
    kept = np.sort(np.argsort(-calls, kind="stable")[: query.limit])
    new_number = np.full(len(named), -1)
    new_number[kept] = np.arange(len(kept))
    tables = [_steps(part, new_number[part.series], query) for part in parts]
    counts, latencies = (pa.concat_tables(each) for each in zip(*tables, strict=True))
    return series_of_steps(
        [named[place] for place in kept.tolist()], counts, None if query.quantile is None else latencies, query
    )


def _steps(part: _Counted, series: Ints, query: CallQuery) -> tuple[pa.Table, pa.Table]:
    """STEP_CALLS and STEP_LATENCIES of the series that have a number."""
    rows, cells = np.flatnonzero(series >= 0), np.flatnonzero(series[part.cells.row] >= 0)
    row = part.cells.row[cells]
    calls = [series[rows], part.step[rows], part.calls[rows], part.errors[rows]]
    latencies = [series[row], part.step[row], part.cells.bucket[cells], part.cells.calls[cells]]
    return (
        pa.table(calls, names=STEP_CALLS.names).cast(STEP_CALLS),
        pa.table(latencies, names=STEP_LATENCIES.names).cast(STEP_LATENCIES),
    )
