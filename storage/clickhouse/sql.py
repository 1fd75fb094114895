"""Every SQL text of the ClickHouse store, and the one table that composed queries are built on.

`spans`          one row a span; `written` rises in the order of writing, from row to row
`names`, `resources`  distinct values of spans, and when one that has them was last received and written
`trace_buckets`  in which buckets of time each trace has spans
`dropped`        how far retention has come: every read leaves out what it let go, whether it is there or not

In a cluster these are Distributed tables, each over the `<name>_local` of every shard. Parameters are ClickHouse's own,
{name:Type}; those of composed queries %(name)s.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect

from storage.attributes import KEY_SEPARATOR, KEYS_ELSEWHERE
from storage.batch import COLUMN_NAMES, SPAN_SCHEMA
from storage.span import Protocol, StatusCode

BUCKET_NS = 300 * 10**9
PARTITION_NS = 3 * 3600 * 10**9
"""Both as in the revisions: what a bucket of time holds of starts, and a partition of times of receipt."""

_TYPES: Mapping[pa.DataType, sa.types.TypeEngine[Any]] = {
    pa.string(): sa.String(),
    pa.bool_(): sa.Boolean(),
}

SPANS = sa.Table(
    "spans",
    sa.MetaData(),
    *(sa.Column(field.name, _TYPES.get(field.type, sa.BigInteger())) for field in SPAN_SCHEMA),
    sa.Column("bucket", sa.BigInteger),
    sa.Column("written", sa.BigInteger),
)
"""For composing SELECTs only; the DDL is that of the migrations."""

_DIALECT = ClickHouseDialect(paramstyle="pyformat")
_NOT_READ_BACK = ("attribute_keys", "tokens")
_SPAN_COLUMNS = ", ".join(f"NULL AS {name}" if name in _NOT_READ_BACK else name for name in COLUMN_NAMES)

DROPPED_BEFORE = "(SELECT max(before_received_ns) FROM dropped)"
HELD = f"received_ns >= {DROPPED_BEFORE}"
"""That a span is held still. What was received before 1970 never is."""
_SEEN = f"""
HAVING max(last_received_ns) >= {DROPPED_BEFORE} AND max(last_written) >= (SELECT max(before_written) FROM dropped)
"""

LAST_WRITTEN = "SELECT max(written) FROM spans"
COUNTED = f"SELECT count(), min(received_ns) FROM spans WHERE {HELD}"

# --- traces by id ---

TRACE_ID = "trace_id"
TRACE_LOW = "reinterpretAsUInt64(substring(trace_id, 9))"
"""The low half of the id as a number, as the index has it."""
TRACE_LOW_BYTES = "substring(trace_id, 9)"


def low_number(key: bytes) -> int:
    """TRACE_LOW of an id, or of its low half."""
    return int.from_bytes(key[-8:], "little")


def literals(ids: Iterable[bytes]) -> str:
    """Ids as SQL texts, with commas between them."""
    return ", ".join("'" + "".join(f"\\x{byte:02x}" for byte in each) + "'" for each in ids)


def of_traces(lows: Sequence[int], ids: Sequence[bytes] | None = None) -> str:
    """The condition for spans of the traces with these low halves, and these whole ids if given; at least one.

    The buckets lead to the parts and granules to read, the index over the low halves to those of them with a span.
    """
    numbers = ", ".join(map(str, lows))
    condition = (
        f"bucket IN (SELECT bucket FROM trace_buckets WHERE trace_low IN ({numbers}))"
        f" AND {TRACE_LOW} IN ({numbers}) AND {HELD}"
    )
    if ids is not None:
        condition += f" AND trace_id IN ({literals(ids)})"
    return condition


def spans_of_traces(lows: Sequence[int], ids: Sequence[bytes] | None) -> str:
    """COLUMN_NAMES of the spans that `of_traces` tells, in the order of writing.

    The granules of one trace are few, and nothing to share: a second thread costs 3 of 24 ms of CPU.
    """
    threads = " SETTINGS max_threads = 1" if len(lows) == 1 else ""
    return f"SELECT {_SPAN_COLUMNS} FROM spans WHERE {of_traces(lows, ids)} ORDER BY written{threads}"


def spans_written(lows: Sequence[int], ids: Sequence[bytes] | None, written: Iterable[int]) -> str:
    """`written`, then COLUMN_NAMES of those spans that `of_traces` tells which have one of these numbers."""
    condition = f"{of_traces(lows, ids)} AND written IN ({', '.join(map(str, written))})"
    return f"SELECT written, {_SPAN_COLUMNS} FROM spans WHERE {condition}"


_OWN_KEYS = "splitByString({elsewhere:String}, attribute_keys)[1]"


def summary_rows_of_traces(lows: Sequence[int], ids: Sequence[bytes] | None) -> tuple[str, Mapping[str, object]]:
    """`written`, then SUMMARY_TABLE of the spans that `of_traces` tells; with its values."""
    statement = f"""
    SELECT written, trace_id, span_id, parent_span_id, start_ns, duration_ns, service, name, kind, protocol, shared,
        status_code = {{error_status:UInt8}} OR (is_zipkin AND has_error) AS error,
        is_zipkin AND NOT has_error AND position({_OWN_KEYS}, {{status_key:String}}) > 0 AS untold
    FROM (
        SELECT *, protocol = {{zipkin:UInt8}} AS is_zipkin, position({_OWN_KEYS}, {{error_key:String}}) > 0 AS has_error
        FROM spans WHERE {of_traces(lows, ids)}
    )
    """
    return statement, {**ERROR_VALUES, "status_key": f"{KEY_SEPARATOR}otel.status_code{KEY_SEPARATOR}"}


ERROR_VALUES: Mapping[str, object] = {
    "elsewhere": KEYS_ELSEWHERE,
    "error_key": f"{KEY_SEPARATOR}error{KEY_SEPARATOR}",
    "error_status": int(StatusCode.ERROR),
    "zipkin": int(Protocol.ZIPKIN),
}
"""For statements that tell whether a span is an error."""

# --- names, resources, tag values ---

SERVICES = f"SELECT service FROM names WHERE service IS NOT NULL GROUP BY service {_SEEN}"
OPERATIONS = f"""
SELECT name, kind FROM names WHERE service IN {{services:Array(String)}} AND name IS NOT NULL
GROUP BY name, kind {_SEEN}
"""
REMOTE_SERVICES = f"""
SELECT remote_service FROM names WHERE service IN {{services:Array(String)}} AND remote_service <> ''
GROUP BY remote_service {_SEEN}
"""


def spellings(column: str) -> str:
    """Distinct values of a column of names that may equal {lowered:String} when case is ignored.

    SQL and Python lower-case letters beyond ASCII differently, so all values with such letters are given.
    """
    return (
        f"SELECT DISTINCT assumeNotNull({column}) FROM names WHERE {column} IS NOT NULL"
        f" AND (lower(assumeNotNull({column})) = {{lowered:String}} OR NOT isValidASCII(assumeNotNull({column})))"
    )


RESOURCES_WITH = f"""
-- That may have an attribute of this key: a text without escapes has its keys as they are.
SELECT resource FROM resources
WHERE position(resource, {{key:String}}) > 0 OR position(resource, '\\\\') > 0
GROUP BY resource {_SEEN}
"""

TAG_VALUES = f"""
-- Typed JSON values.
SELECT DISTINCT JSONExtractRaw(attributes, {{key:String}}) AS value FROM spans
WHERE position(attribute_keys, {{enclosed:String}}) > 0 AND {HELD}
"""

# --- retention ---

DROPPED = "SELECT max(before_received_ns), max(before_written) FROM dropped"
DROP_BEFORE = "INSERT INTO dropped SELECT {received_ns:Int64}, {written:Int64}"
RECEIVED_BETWEEN = "SELECT count() FROM spans WHERE received_ns >= {first_ns:Int64} AND received_ns < {end_ns:Int64}"


def compiled(statement: sa.Select[tuple[object, ...]]) -> tuple[str, dict[str, object]]:
    """The text of a composed SELECT with its parameters."""
    form = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return form.string, dict(form.params)
