"""Every SQL text of the DuckDB store, and the one table that composed queries are built on.

Side tables are brought up to date by upkeep, to the `watermark`: the last commit number (`seq`) they know. Whatever
was written after it is read from `spans` itself, so every read takes side table UNION tail.

`spans`          one row a span; `seq` numbers the commit, all rows of one write share it
`recent_traces`  a row per trace and upkeep round: in which commits it occurs; moved, sorted by trace, to `traces`
`traces`         the same in sorted runs, so that zone maps lead to a trace id
`span_names`, `resources`, `tag_values`  distinct values per segment (about a million spans), for what can be asked
`tag_keys`       the autocomplete keys that `tag_values` is complete for, up to the watermark
`linked`, `recent_links`, `link_seconds`, `link_minutes`, `link_hours`, `set_aside`  sums of calls between services
                 (link_sums)
`edges`, `recent_edges`, `edge_minutes`, `edge_hours`, `edge_days`  sums of the service graph's calls (graph_sums)
`counted`, `call_*`, `latency_*`  sums of the calls of each operation (call_sums)
`upkeep`         one row: the watermark, the first seq of the current segment, the spans in it so far
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect
from duckdb_sqlalchemy.datatypes import UInteger

from storage.attributes import KEY_SEPARATOR, KEYS_ELSEWHERE
from storage.batch import COLUMN_NAMES, SPAN_SCHEMA
from storage.duckdb.trace_runs import Look
from storage.span import Protocol, StatusCode
from storage.zipkin_status import ERROR_KEY, STATUS_KEY

_TYPES: Mapping[pa.DataType, sa.types.TypeEngine[Any]] = {
    pa.binary(16): sa.LargeBinary(),
    pa.string(): sa.String(),
    pa.bool_(): sa.Boolean(),
    pa.list_(pa.uint32()): sa.ARRAY(UInteger),
}

SPANS = sa.Table(
    "spans",
    sa.MetaData(),
    sa.Column("seq", sa.BigInteger),
    *(sa.Column(field.name, _TYPES.get(field.type, sa.BigInteger())) for field in SPAN_SCHEMA),
)
"""For composing SELECTs only; the DDL is that of the migrations."""

_DIALECT = Dialect(paramstyle="numeric_dollar")
_COLUMNS = ", ".join(COLUMN_NAMES)
_NOT_READ_BACK = ("attribute_keys", "tokens")
_SPAN_COLUMNS = ", ".join("NULL" if name in _NOT_READ_BACK else name for name in COLUMN_NAMES)

_IS_ZIPKIN = f"protocol = {int(Protocol.ZIPKIN)}"


def _has_own_key(key: str) -> str:
    """Whether the span itself has an attribute of this key, not only an event, a link or its scope."""
    own = f"split_part(attribute_keys, '{KEYS_ELSEWHERE}', 1)"
    return f"contains({own}, '{KEY_SEPARATOR}{key}{KEY_SEPARATOR}')"


INSERT_SPANS = f"INSERT INTO spans (seq, {_COLUMNS}) SELECT $1, {_COLUMNS} FROM records RETURNING seq"
"""$1 seq; `records` is an Arrow stream in the caller's frame. RETURNING keeps the insert on one thread: the
parallel insert collects the rows per thread and copies them again, 2 us a span and 3 ms a commit of 2500."""

LAST_SEQ = "SELECT greatest(coalesce((SELECT max(seq) FROM spans), 0), (SELECT watermark FROM upkeep))"
HAS_SEQ = "SELECT count(*) FROM spans WHERE seq = $1"
UPKEEP_STATE = "SELECT watermark, segment, segment_rows FROM upkeep"
COUNTED = "SELECT count(*), min(received_ns) FROM spans"

# --- traces by id ---


Range = tuple[int, int]
"""First and last of some numbers, both inclusive."""


def trace_ranges(lows: Sequence[int], looks: Iterable[Look], known_seq: int) -> str:
    """(min_seq, max_seq) of every note about the traces with these low 64 bits, at least one.

    looks: where in `traces` there may be some with a max_seq up to known_seq. Numbers are written out: only then does
    DuckDB skip by zone maps.
    """
    sources = [
        f"traces WHERE {_is_one_of(look.lows)} AND max_seq BETWEEN {look[0]:d} AND {look[1]:d}" for look in looks
    ]
    sources.append(f"traces WHERE {_is_one_of(lows)} AND max_seq > {known_seq:d}")
    sources.append(f"recent_traces WHERE {_is_one_of(lows)}")
    return " UNION ALL ".join(f"SELECT min_seq, max_seq FROM {source}" for source in sources)


def _is_one_of(lows: Sequence[int]) -> str:
    return f"trace_low IN ({', '.join(f'{low:d}::UBIGINT' for low in lows)})"


TRACE_ID = "trace_id"
TRACE_ID_LOW = "trace_id[9:16]"


def trace_key(strict: bool) -> str:
    """What a trace's grouping key is compared with."""
    return TRACE_ID if strict else TRACE_ID_LOW


def rows_of_traces(key: str, ids: int, near: Sequence[Sequence[Range]]) -> str:
    """(rowid, seq) of the spans whose `key` (TRACE_ID or TRACE_ID_LOW) is one of $1..$ids, within these ranges of seq.

    near: ranges near each other stand together. Each such group is a SELECT of its own, because zone maps prune by its
    outermost bounds only: with OR alone DuckDB reads the whole table.
    """
    wanted = ", ".join(f"${number}" for number in range(1, ids + 1))
    return " UNION ALL ".join(
        f"SELECT rowid, seq FROM spans WHERE {_within('seq', ranges)} AND {key} IN ({wanted})" for ranges in near
    )


SPAN = f"rowid, {_SPAN_COLUMNS}"
"""rowid, then COLUMN_NAMES, NULL for those that a span is not made of."""

SUMMARY = f"""
rowid, trace_id, span_id, parent_span_id, start_ns, duration_ns, service, name, kind, protocol, shared,
status_code = {int(StatusCode.ERROR)} OR ({_IS_ZIPKIN} AND {_has_own_key(ERROR_KEY)}) AS error,
{_IS_ZIPKIN} AND {_has_own_key(STATUS_KEY)} AND NOT {_has_own_key(ERROR_KEY)} AS untold
"""
"""rowid, then SUMMARY_TABLE."""


def rows(columns: str, seqs: Sequence[Range], row_ids: Sequence[Range]) -> str:
    """`columns` of the spans whose rowid is in the list $1: they lie within both these ranges.

    The list alone would do. But the ranges of seq are what zone maps prune (a look at the row ids of 26 million spans
    takes 9 ms), and those of row ids keep DuckDB from unpacking compressed texts that it then throws away.
    """
    bounds = f"{_within('seq', seqs)} AND {_within('rowid', row_ids)}"
    return f"SELECT {columns} FROM spans WHERE {bounds} AND rowid IN (SELECT unnest($1::BIGINT[]))"


def _within(column: str, ranges: Sequence[Range]) -> str:
    """That a number is within one of the ranges, which are in order, both ends inclusive, and at least one.

    Numbers are written out, and their outermost bounds stand beside the OR: so both are filters of the scan.
    """
    each = " OR ".join(f"{column} BETWEEN {first:d} AND {last:d}" for first, last in ranges)
    return f"{column} BETWEEN {ranges[0][0]:d} AND {ranges[-1][1]:d} AND ({each})"


# --- names, resources, tag values: $1 is the watermark ---

_NAMES = """(
    SELECT service, name, kind, remote_service FROM span_names
    UNION ALL SELECT service, name, kind, remote_service FROM spans WHERE seq > $1
)"""
_SERVICES = "list_contains($2::VARCHAR[], service)"

SERVICES = f"SELECT DISTINCT service FROM {_NAMES} WHERE service IS NOT NULL"
OPERATIONS = f"SELECT DISTINCT name, kind FROM {_NAMES} WHERE {_SERVICES} AND name IS NOT NULL"
REMOTE_SERVICES = f"SELECT DISTINCT remote_service FROM {_NAMES} WHERE {_SERVICES} AND remote_service <> ''"


def spellings(column: str) -> str:
    """Distinct values of a column of span_names that may equal $2 (a lower-cased text) when case is ignored.

    SQL and Python lower-case some letters beyond ASCII differently, so all values with such letters are given.
    """
    return f"SELECT DISTINCT {column} FROM {_NAMES} WHERE lower({column}) = $2 OR strlen({column}) <> length({column})"


_RESOURCES = "(SELECT resource FROM resources UNION ALL SELECT resource FROM spans WHERE seq > $1)"
RESOURCES = f"SELECT DISTINCT resource FROM {_RESOURCES}"
RESOURCES_WITH = f"{RESOURCES} WHERE TRY(json_exists(resource, $2))"
"""$2 the JSON pointer of the attribute."""

TAG_KEYS = "SELECT key FROM tag_keys"
TAG_VALUES = """
SELECT value FROM tag_values WHERE key = $2
UNION SELECT value FROM (
    SELECT TRY(json_extract(attributes, $3)::VARCHAR) AS value
    FROM spans WHERE seq > $1 AND contains(attribute_keys, $4)
) WHERE value IS NOT NULL
"""
"""Typed JSON values. $2 the key, $3 its JSON pointer, $4 the key as attribute_keys encloses it."""

# --- upkeep ---

SEQ_AFTER_ROWS = "SELECT seq FROM spans WHERE seq > $1 LIMIT 1 OFFSET $2"
ROWS_BETWEEN = "SELECT count(*) FROM spans WHERE seq > $1 AND seq <= $2"

ROLL_UP_TRACES = """
INSERT INTO recent_traces
SELECT ('0x' || hex(trace_id)[17:])::UBIGINT, min(seq), max(seq)
FROM spans WHERE seq > $1 AND seq <= $2 GROUP BY trace_id
"""
ROLL_UP_NAMES = """
INSERT INTO span_names
SELECT $3::BIGINT, service, name, kind, remote_service FROM spans WHERE seq > $1 AND seq <= $2
EXCEPT SELECT segment, service, name, kind, remote_service FROM span_names WHERE segment = $3
"""
ROLL_UP_RESOURCES = """
INSERT INTO resources
SELECT $3::BIGINT, resource FROM spans WHERE seq > $1 AND seq <= $2
EXCEPT SELECT segment, resource FROM resources WHERE segment = $3
"""
ROLL_UP_TAG_VALUES = """
INSERT INTO tag_values
SELECT segment, key, value FROM (
    SELECT $3::BIGINT AS segment, $4::VARCHAR AS key, TRY(json_extract(attributes, $5)::VARCHAR) AS value
    FROM spans WHERE seq > $1 AND seq <= $2 AND contains(attribute_keys, $6)
) WHERE value IS NOT NULL
EXCEPT SELECT segment, key, value FROM tag_values WHERE segment = $3
"""
SET_UPKEEP_STATE = "UPDATE upkeep SET watermark = $1, segment = $2, segment_rows = $3"

COUNT_RECENT_TRACES = "SELECT count(*) FROM recent_traces"
SORT_RECENT_TRACES = "INSERT INTO traces SELECT * FROM recent_traces ORDER BY trace_low"
CLEAR_RECENT_TRACES = "DELETE FROM recent_traces"

ADD_TAG_KEY = "INSERT INTO tag_keys VALUES ($1)"
FORGET_TAG_KEY = "DELETE FROM tag_keys WHERE key = $1"
FORGET_TAG_VALUES = "DELETE FROM tag_values WHERE key = $1"

# --- retention ---

EXPIRED = "SELECT count(*), max(seq) FROM spans WHERE received_ns < $1"
EXPIRED_SEQ_AFTER_ROWS = "SELECT seq FROM spans WHERE received_ns < $1 LIMIT 1 OFFSET $2"
IS_EXPIRED = "received_ns < $oldest_kept_ns AND seq <= $last_seq"
IS_OLDEST = "seq <= $last_seq"
FIRST_SEQ = "SELECT min(seq) FROM spans"
USED_BYTES = "SELECT block_size * used_blocks FROM pragma_database_size()"
ROWS_HELD_AND_STORED = """
SELECT count(*), max(rowid) + 1 - min(rowid) // 122880 * 122880 FROM spans
"""
"""Spans held, and rows that take room: a row group of 122,880 gives its blocks back when all its rows are dropped."""

SEGMENTS = "SELECT DISTINCT segment FROM span_names ORDER BY segment"
PER_SEGMENT_TABLES = ("span_names", "resources", "tag_values")
FORGET_TRACES = ("DELETE FROM traces WHERE max_seq < $1", "DELETE FROM recent_traces WHERE max_seq < $1")


def drop_spans(condition: str) -> str:
    """Drop the spans that meet IS_EXPIRED or IS_OLDEST."""
    return f"DELETE FROM spans WHERE {condition}"


def forget_segments(table: str) -> str:
    """Forget what one of PER_SEGMENT_TABLES knows of the segments that began at or before $1."""
    return f"DELETE FROM {table} WHERE segment <= $1"


def json_pointer(key: str) -> str:
    """Where one member of a JSON object stands (RFC 6901). DuckDB's `$."key"` paths fail for "" and for "*"."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def compiled(statement: sa.Select[tuple[object, ...]]) -> tuple[str, list[object]]:
    """The text of a composed SELECT with its parameters in order: 0.4 ms, nothing beside the search it starts."""
    form = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return form.string, [form.params[name] for name in form.positiontup or ()]
