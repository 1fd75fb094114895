"""Calls of each service and operation, summed up by the minute, ten minutes and hour of their start, with durations.

Upkeep counts a few hundred thousand spans at once (`storage.call_counts`) and appends their sums to `call_minutes` and
`latency_minutes`; into those of ten minutes and of hours they are merged. Retention appends sums below zero, and
deletes what became empty. All of it changes in one transaction with `counted.seq`, the last commit that the sums know,
so they are true for exactly the spans held of the commits up to there.

`call_operations` numbers what is counted apart: for each service and kind ALL its calls, each NAMED operation, and the
REST. A service has at most MOST_OPERATIONS named ones, or ids in its span names would make a row a span; what comes
beyond is counted with the rest. An operation that is named later, when retention has made room, is so for the spans
after `since_seq` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from storage.call_counts import (
    Ints,
    column,
    counted,
    in_longer_periods,
    negated,
    summed,
    with_operations,
    without_buckets,
)
from storage.latency_buckets import RELATIVE_ACCURACY, bucket_sql
from storage.span import StatusCode

MINUTE_NS = 60 * 10**9
LONGER_PERIODS = {"hours": 60, "ten_minutes": 10}
"""How many minutes each has, by the names of their tables, call_* and latency_*; the longest first."""
COUNTED_SPANS = 250_000
"""Counted at once. Fewer, and the sums of a busy store have the same minute and bucket more often; more, and there is
more for every question to count by itself: 15 ms for this many."""
MOST_OPERATIONS = 1000
"""Of a service, a name once for each kind."""
RULES = 2_000 + round(RELATIVE_ACCURACY * 1000)
"""Sums made by other rules are forgotten: how spans are counted (the thousands), and the buckets."""

ALL, NAMED, REST = 0, 1, 2
"""The `part` of a service's calls of one kind that a row of call_operations stands for."""

TABLES = (
    *(f"{kind}_{periods}" for kind in ("call", "latency") for periods in ("minutes", *LONGER_PERIODS)),
    "call_operations",
)

_STATE = "SELECT seq, rules FROM counted"
_SET_STATE = "UPDATE counted SET seq = $1, rules = $2"

MINUTE = f"(start_ns // {MINUTE_NS} + (start_ns % {MINUTE_NS} > 0)::BIGINT)"
"""The number of a span's minute. The quotient is rounded towards 0, which is up where the remainder is negative."""
BUCKET = f"({bucket_sql('coalesce(duration_ns, 0)')})"
IS_ERROR = f"(status_code = {StatusCode.ERROR:d})"
IS_CALL = "start_ns IS NOT NULL AND service IS NOT NULL"

_ARRIVED = f"""
CREATE TEMP TABLE arrived AS
SELECT service, kind, name, count(*) AS calls FROM spans WHERE {{condition}} AND {IS_CALL} GROUP BY ALL
"""
_NUMBER = f"""
-- New services and kinds, then the most called of the operations that there is room for.
INSERT INTO call_operations
WITH kinds AS (
    SELECT DISTINCT service, kind FROM arrived EXCEPT SELECT service, kind FROM call_operations WHERE part = {ALL}
), unnamed AS (
    SELECT service, kind, coalesce(name, '') AS name, sum(calls) AS calls FROM arrived GROUP BY ALL
), placed AS (
    SELECT service, kind, name, row_number() OVER (PARTITION BY service ORDER BY calls DESC, name, kind) AS place
    FROM unnamed ANTI JOIN (FROM call_operations WHERE part = {NAMED}) USING (service, kind, name)
), held AS (SELECT service, count(*) AS operations FROM call_operations WHERE part = {NAMED} GROUP BY service)
SELECT (SELECT coalesce(max(id), 0) FROM call_operations) + row_number() OVER (), * FROM (
    SELECT part, service, kind, '', $after FROM kinds, unnest([{ALL}, {REST}]) AS parts (part)
    UNION ALL
    SELECT {NAMED}, service, kind, name, $after FROM placed LEFT JOIN held USING (service)
    WHERE place + coalesce(operations, 0) <= $most_operations
)
"""
_PLACE = f"""
-- What the spans of each name are counted as. whole: all of their service and kind.
CREATE TEMP TABLE places AS
SELECT arrived.service, arrived.kind, arrived.name, named.id AS named, named.since_seq, rest.id AS rest,
    whole.id AS whole
FROM arrived
JOIN (FROM call_operations WHERE part = {ALL}) AS whole USING (service, kind)
JOIN (FROM call_operations WHERE part = {REST}) AS rest USING (service, kind)
LEFT JOIN (FROM call_operations WHERE part = {NAMED}) AS named ON named.service = arrived.service
    AND named.kind = arrived.kind AND named.name = coalesce(arrived.name, '')
"""
_WHOLES = "SELECT rest AS id, whole FROM places UNION SELECT named, whole FROM places WHERE named IS NOT NULL"
_READ = f"""
SELECT CASE WHEN seq > since_seq THEN named ELSE rest END AS operation, {MINUTE}::INTEGER AS period,
    {BUCKET}::SMALLINT AS bucket, {IS_ERROR} AS error
FROM (FROM spans WHERE {{condition}} AND {IS_CALL}) AS spans JOIN places
    ON places.service = spans.service AND places.kind = spans.kind AND places.name IS NOT DISTINCT FROM spans.name
"""
_DROP_NAMES = ("DROP TABLE temp.arrived", "DROP TABLE temp.places")

_ADD_CALLS = "INSERT INTO {table} SELECT period, operation, calls, errors FROM sums"
_ADD_LATENCIES = "INSERT INTO {table} SELECT period, operation, bucket, calls FROM sums WHERE calls <> 0"
_HELD = """
SELECT operation, period, bucket, calls, 0::BIGINT AS errors FROM latency_{periods}
WHERE period IN (SELECT DISTINCT period FROM added)
UNION ALL
SELECT operation, period, 0, 0, errors FROM call_{periods}
WHERE errors <> 0 AND period IN (SELECT DISTINCT period FROM added)
"""
_FORGET_HELD = "DELETE FROM {table} WHERE period IN (SELECT DISTINCT period FROM added)"
_FORGET_EMPTY = (
    # No count of a period is negative, so a period without calls has none of any operation.
    """
    CREATE TEMP TABLE empty_periods AS
    SELECT period FROM call_{periods} WHERE period BETWEEN $first AND $last GROUP BY period HAVING sum(calls) = 0
    """,
    "DELETE FROM call_{periods} WHERE period IN (SELECT period FROM empty_periods)",
    "DELETE FROM latency_{periods} WHERE period IN (SELECT period FROM empty_periods)",
    "DROP TABLE temp.empty_periods",
)
_FORGET_OPERATIONS = f"""
DELETE FROM call_operations
WHERE (CASE part WHEN {REST} THEN (SELECT whole.id FROM call_operations AS whole WHERE whole.part = {ALL}
    AND whole.service = call_operations.service AND whole.kind = call_operations.kind) ELSE id END)
    NOT IN (SELECT operation FROM call_minutes)
"""


@dataclass(frozen=True, slots=True)
class CountedState:
    """The one row of `counted`. seq: the sums are true for all spans held up to this commit, by these rules."""

    seq: int
    rules: int

    @classmethod
    def read(cls, cursor: duckdb.DuckDBPyConnection) -> "CountedState":
        """As it is in this transaction."""
        (row,) = cursor.execute(_STATE).fetchall()
        return cls(*row)


def forget_sums_of_other_rules(cursor: duckdb.DuckDBPyConnection) -> None:
    """Begin anew when the sums were made by other rules than this clew's; in a transaction of its own."""
    if CountedState.read(cursor).rules == RULES:
        return
    cursor.begin()
    for table in TABLES:
        cursor.execute(f"DELETE FROM {table}")
    cursor.execute(_SET_STATE, [0, RULES])
    cursor.commit()


def count_commits(cursor: duckdb.DuckDBPyConnection, after: int, upto: int) -> None:
    """Add the commits (after, upto] to the sums, which know those up to `after`. In the caller's transaction."""
    bounds = {"after": after, "upto": upto}
    condition = "seq > $after AND seq <= $upto"
    cursor.execute(_ARRIVED.format(condition=condition), bounds)
    cursor.execute(_NUMBER, {"after": after, "most_operations": MOST_OPERATIONS})
    minutes = _minutes(cursor, condition, bounds)
    if minutes.num_rows:
        _append(cursor, "minutes", minutes, 1)
        for periods, length in LONGER_PERIODS.items():
            _merge(cursor, periods, in_longer_periods(minutes, length))
    cursor.execute(_SET_STATE, [upto, RULES])


def discount_spans(cursor: duckdb.DuckDBPyConnection, condition: str, values: Mapping[str, int]) -> None:
    """Take the spans that meet the SQL condition out of the sums; in the transaction that drops them, before that."""
    known = {**values, "counted_seq": CountedState.read(cursor).seq}
    condition = f"{condition} AND seq <= $counted_seq"
    cursor.execute(_ARRIVED.format(condition=condition), known)
    minutes = _minutes(cursor, condition, known)
    if minutes.num_rows:
        for periods, length in LONGER_PERIODS.items():
            _take_off(cursor, periods, in_longer_periods(minutes, length))
        if _take_off(cursor, "minutes", minutes):
            cursor.execute(_FORGET_OPERATIONS)


def _minutes(cursor: duckdb.DuckDBPyConnection, condition: str, values: Mapping[str, int]) -> pa.Table:
    """COUNTED by minutes of the spans that meet the condition: of their operations, and of all those of a service.

    Their names are in the temporary table `arrived`, which is dropped.
    """
    cursor.execute(_PLACE)
    calls = cursor.execute(_READ.format(condition=condition), dict(values)).to_arrow_table()
    wholes = cursor.execute(_WHOLES).fetchnumpy()
    for statement in _DROP_NAMES:
        cursor.execute(statement)
    error = calls["error"].combine_chunks().to_numpy(zero_copy_only=False)
    operation, period, bucket = (column(calls, name) for name in ("operation", "period", "bucket"))
    operations = counted(operation, period, bucket, error)
    whole_of: Ints = np.zeros(max(wholes["id"], default=0) + 1, dtype=np.int64)
    whole_of[wholes["id"]] = wholes["whole"]
    of_services = with_operations(operations, whole_of[column(operations, "operation")])
    return pa.concat_tables([operations, summed(of_services)])


def _append(cursor: duckdb.DuckDBPyConnection, periods: str, table: pa.Table, sign: int) -> None:
    """Add these COUNTED to the tables, times `sign`."""
    for kind, statement, part in (("call", _ADD_CALLS, without_buckets(table)), ("latency", _ADD_LATENCIES, table)):
        # The statement finds `sums` by this name.
        sums = part if sign == 1 else negated(part)
        cursor.execute(statement.format(table=f"{kind}_{periods}"))
        del sums


def _merge(cursor: duckdb.DuckDBPyConnection, periods: str, added: pa.Table) -> None:
    """Add these COUNTED to the rows of their periods, so that each has an operation's bucket once."""
    # The statements find `added` by this name.
    held = cursor.execute(_HELD.format(periods=periods)).to_arrow_table().cast(added.schema)
    for kind in ("call", "latency"):
        cursor.execute(_FORGET_HELD.format(table=f"{kind}_{periods}"))
    _append(cursor, periods, summed(pa.concat_tables([held, added])), 1)


def _take_off(cursor: duckdb.DuckDBPyConnection, periods: str, gone: pa.Table) -> int:
    """Take these COUNTED off; how many periods that leaves without calls."""
    _append(cursor, periods, gone, -1)
    return _forget_empty(cursor, periods, column(gone, "period"))


def _forget_empty(cursor: duckdb.DuckDBPyConnection, periods: str, changed: Ints) -> int:
    """Delete what is kept of those periods, among the changed ones, in which no call is left; how many they were."""
    values = {"first": int(changed.min()), "last": int(changed.max())}
    create, *rest = (statement.format(periods=periods) for statement in _FORGET_EMPTY)
    ((emptied,),) = cursor.execute(create, values).fetchall()
    for statement in rest:
        cursor.execute(statement)
    return int(emptied)
