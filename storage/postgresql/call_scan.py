"""Call rates, error rates and latencies from the spans: SQL counts those of each step, and for latencies of each bucket
of durations in it, some thousand rows where there are a million spans; storage.call_windows does the rest."""

import pyarrow as pa

from storage.call_windows import COUNTED_CALLS, series_of_counts
from storage.postgresql import nul, sql
from storage.postgresql.moment import Moment
from storage.postgresql.session import Arrows
from storage.postgresql.texts import ArrowTexts, Role, digest
from storage.requests import CallQuery, CallSeries
from storage.span import StatusCode

_COUNT_CALLS = """
-- A bucket is a 64th of a power of two wide: the highest 7 bits of the duration, and how many follow. The logarithm is
-- of a double, so it may be off by one.
WITH calls AS (
    SELECT service_id, {operation} AS name_id, ({end_ns:d} - start_ns) / {step_ns:d} AS step,
        greatest(coalesce(duration_ns, 0), 0) AS duration, status_code = {error:d} AS error
    FROM spans
    WHERE start_ns > {after_ns:d} AND start_ns <= {end_ns:d}
        AND service_id = ANY({service_ids}) AND kind = ANY({kinds}) AND {visible}
        AND CASE WHEN start_ns > {after_ns:d} AND start_ns <= {end_ns:d}
                 THEN ({end_ns:d} - start_ns) % {step_ns:d} < {window_ns:d} ELSE false END
), measured AS (
    SELECT *, CASE WHEN {with_latencies} AND duration >= 128 THEN least(62, floor(ln(duration) / ln(2.0::float8)))::int
              END AS log
    FROM calls
), placed AS (
    SELECT *, CASE WHEN log IS NULL THEN 0
        WHEN (1::bigint << log) > duration THEN log - 7
        WHEN log < 62 AND (1::bigint << (log + 1)) <= duration THEN log - 5
        ELSE log - 6 END AS shift
    FROM measured
)
SELECT service_id, name_id, CASE WHEN {with_latencies} THEN (shift::bigint << 7) + (duration >> shift) ELSE 0 END
    AS bucket, step, count(*) AS calls, count(*) FILTER (WHERE error) AS errors, min(duration) AS shortest,
    max(duration) AS longest
FROM placed GROUP BY service_id, name_id, 3, step
"""

LEAST_NS = -(2**63) + 1


def window(query: CallQuery) -> tuple[int, int]:
    """What spans start after that any moment may count, and up to what they do."""
    return max(query.moments_ns[0] - query.window_ns, LEAST_NS), query.end_ns


def services_of(connection: Arrows, query: CallQuery) -> list[int]:
    """The numbers of the services that are asked for, of those that are known."""
    digests = {digest(nul.stored(service)) for service in query.services}
    return [int(number) for number in connection.fetch(sql.numbers_of_texts(Role.SERVICE, digests))["id"].to_pylist()]


def empty_name(connection: Arrows) -> int:
    """The number of the empty name, which is as none; 0, the number of no name, if no span has it."""
    found = connection.fetch(sql.numbers_of_texts(Role.NAME, [digest("")]))["id"].to_pylist()
    return int([*found, 0][0])


def call_series(connection: Arrows, moment: Moment, service_ids: list[int], query: CallQuery) -> list[CallSeries]:
    """As SpanReader.call_series; service_ids: `services_of` the query."""
    after_ns, end_ns = window(query)
    statement = _COUNT_CALLS.format(
        operation=f"coalesce(nullif(name_id, {empty_name(connection):d}), 0)" if query.by_operation else "NULL::bigint",
        end_ns=end_ns,
        after_ns=after_ns,
        step_ns=query.step_ns,
        window_ns=query.window_ns,
        service_ids=sql.bigints(service_ids),
        kinds=sql.bigints(query.kinds),
        with_latencies=query.quantile is not None,
        error=int(StatusCode.ERROR),
        visible=moment.visible,
    )
    return series_of_counts(_named(connection.fetch(statement), ArrowTexts(connection)), query)


def _named(counted: pa.Table, texts: ArrowTexts) -> pa.Table:
    """As COUNTED_CALLS: an operation without a name has the number 0, which is of no text."""
    texts.know(0, "")
    columns = {
        "service": texts.of(counted["service_id"]),
        "operation": texts.of(counted["name_id"]),
        **{name: counted[name] for name in COUNTED_CALLS.names[2:]},
    }
    table = pa.table(columns).cast(COUNTED_CALLS)
    return table.sort_by([(name, "ascending") for name in COUNTED_CALLS.names[:4]])
