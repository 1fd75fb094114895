"""Every SQL text of the PostgreSQL store, and the one table that composed queries are built on.

A span has a place, `written`: 19 bits for the segment, 24 for the commit, 20 for the row in it, so that the order of
places is that of writing. A segment is a partition of `spans`, and ends when it is large or old. Spans that retention
let go are behind one of two marks, `upkeep.horizon_ns` (by when they were received) and `upkeep.first_written`, which
all reads look past; their room comes back when their whole segment is behind one.

`spans`       one row a span; texts that many spans share are numbers of `texts`
`segments`    a row a partition; spans: those of its commits that upkeep knows
`commits`     a row a commit (a row for each received_ns in it, if there are several), as long as its spans are held
`texts`       names, resources, key sets: id for text; last_segment: the newest that uses it
`new_names`   who a process saw for the first time in a minute: appended with the spans, merged into the next by upkeep
`span_names`  each (service, name, kind, remote service), 0 for an absent one, and the last span that had it
`tag_keys`, `tag_values`  values of the autocomplete keys, and the last span that had each
`link_sums`, `set_aside`  sums of calls between services (link_sums)
`edges`, `edge_sums`  sums of the service graph's calls (graph_sums)
`call_operations`, `call_sums`  sums of the calls of services and operations (call_sums)
`upkeep`      one row: the two marks, and by which rules the sums were made
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

COMMIT_BITS = 20
"""Rows of one commit: 2**20 numbers. A larger batch takes several."""
SEGMENT_BITS = 44

_BIGINTS = (
    "written",
    "trace_high",
    "trace_low",
    "span_id",
    "parent_span_id",
    "start_ns",
    "duration_ns",
    "received_ns",
    "service_id",
    "name_id",
    "keys_id",
    "resource_id",
    "scope_name_id",
    "scope_version_id",
    "remote_service_id",
    "flags",
)
_COLUMN_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    **dict.fromkeys(_BIGINTS, sa.BigInteger()),
    **dict.fromkeys(("local_port", "remote_port"), sa.Integer()),
    **dict.fromkeys(("kind", "status_code", "protocol"), sa.SmallInteger()),
    **dict.fromkeys(("debug", "shared"), sa.Boolean()),
    "tokens": ARRAY(sa.Integer),
    **dict.fromkeys(
        ("attributes", "status_message", "events", "links", "trace_state", "local_ipv4", "remote_ipv4", "rare"),
        sa.Text(),
    ),
}
SPANS = sa.Table("spans", sa.MetaData(), *(sa.Column(name, kind) for name, kind in _COLUMN_TYPES.items()))
"""For composing SELECTs only; the DDL is that of the migrations. Columns stand in the table's order."""
COLUMNS: tuple[str, ...] = tuple(_COLUMN_TYPES)

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # that is how SQLAlchemy types it

OF_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""First of a transaction whose statements are all to see what the first one of them does."""

ALONE = "UPDATE upkeep SET sum_rules = sum_rules"
"""Next in a transaction that changes sums or marks. The lock of upkeep is of another connection, which may break while
this one goes on: then the transaction of whoever took it over meets this row changed, and fails."""

MARKS = "SELECT horizon_ns, first_written FROM upkeep"
_VISIBLE = "received_ns >= %(horizon_ns)s AND written >= %(first_written)s"

# --- writing ---

NEXT_PLACE = "SELECT nextval('spans_written') AS place, pg_current_xact_id()::text AS transaction"
OUTCOME = """
-- Of a transaction. That its number was committed is not enough: a server that was killed before anything of it reached
-- the disk gives the number, and the place, to somebody else. Nor does a number too old have a status, and one that was
-- never given out is of a server that was since brought back from a backup. So what it wrote must be there.
SELECT CASE
    WHEN CASE WHEN %(transaction)s::xid8 < pg_current_xact_id() THEN pg_xact_status(%(transaction)s::xid8) END
         = 'in progress' THEN 'in progress'
    WHEN EXISTS (SELECT FROM spans
                 WHERE written = %(place)s AND trace_low = %(trace_low)s AND span_id = %(span_id)s)
        THEN 'committed'
    ELSE 'aborted'
END
"""
ADD_COMMIT = "INSERT INTO commits VALUES ({place:d}, {received_ns:d}, {spans:d}, false)"

KNOWN_TEXTS = """
SELECT asked.number, id FROM unnest(%(roles)s::smallint[], %(digests)s::bytea[])
    WITH ORDINALITY AS asked (role, digest, number) JOIN texts USING (role, digest)
WHERE last_segment >= %(segment)s
"""
ADD_TEXTS = """
-- In one order, so that two processes which add the same never wait for each other in turn.
INSERT INTO texts (role, digest, last_segment, text)
SELECT role, digest, %(segment)s, text FROM unnest(%(roles)s::smallint[], %(digests)s::bytea[], %(texts)s::text[])
    AS added (role, digest, text) ORDER BY role, digest
ON CONFLICT (role, digest) DO UPDATE SET last_segment = greatest(texts.last_segment, excluded.last_segment)
"""
TEXTS_BY_ID = "SELECT id, text FROM texts WHERE id = ANY(%s)"
TEXTS_OF_ROLE = "SELECT id, text FROM texts WHERE role = %s AND strpos(text, %s) > 0"
TEXT_ID = "SELECT id FROM texts WHERE role = %s AND digest = %s"


def texts_of_numbers(numbers: Iterable[int]) -> str:
    """TEXTS_BY_ID with the numbers written in."""
    return f"SELECT id, text FROM texts WHERE id = ANY({bigints(numbers)})"


def numbers_of_texts(role: int, digests: Iterable[bytes]) -> str:
    """(id) of the texts with these digests, which are written in."""
    return f"SELECT id FROM texts WHERE role = {role:d} AND digest = ANY({byteas(digests)})"


def bigints(numbers: Iterable[int]) -> str:
    """An array of numbers, for the statements that take no parameters."""
    return f"'{{{','.join(f'{number:d}' for number in numbers)}}}'::bigint[]"


def byteas(values: Iterable[bytes]) -> str:
    """An array of bytes, as `bigints`."""
    return f"'{{{','.join(map(_hex, values))}}}'::bytea[]"


def _hex(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


# --- traces by id ---


def spans_of_traces(columns: Sequence[str]) -> str:
    """The visible spans of the traces with these low halves (%(lows)s), in the order they were written."""
    return f"SELECT {', '.join(columns)} FROM spans WHERE trace_low = ANY(%(lows)s) AND {_VISIBLE} ORDER BY written"


def spans_in_places(columns: Sequence[str]) -> str:
    """written, then these columns of the spans in the places %(written)s, which are of traces of %(lows)s."""
    return (
        f"SELECT written, {', '.join(columns)} FROM spans"
        " WHERE trace_low = ANY(%(lows)s) AND written = ANY(%(written)s)"
    )


# --- names ---

_NAMES = f"""(
    SELECT service_id, name_id, kind, remote_service_id FROM span_names WHERE {_VISIBLE}
    UNION SELECT service_id, name_id, kind, remote_service_id FROM new_names WHERE {_VISIBLE}
) AS names"""
SERVICE_NAMES = f"SELECT DISTINCT text FROM {_NAMES} JOIN texts ON id = service_id"
OPERATION_NAMES = (
    f"SELECT DISTINCT text, kind FROM {_NAMES} JOIN texts ON id = name_id WHERE service_id = ANY(%(service_ids)s)"
)
REMOTE_SERVICE_NAMES = (
    f"SELECT DISTINCT text FROM {_NAMES} JOIN texts ON id = remote_service_id WHERE service_id = ANY(%(service_ids)s)"
)


def spellings(column: str) -> str:
    """(id, text) of the names in a column that may equal %(lowered)s when case is ignored.

    SQL and Python lower-case some letters beyond ASCII differently, so all names with such letters are given.
    """
    return (
        f"SELECT DISTINCT id, text FROM {_NAMES} JOIN texts ON id = {column}"
        " WHERE lower(text) = %(lowered)s OR octet_length(text) <> length(text)"
    )


# --- values of tags ---

TAG_KEYS = "SELECT key FROM tag_keys"
ADD_TAG_KEY = "INSERT INTO tag_keys VALUES (%s)"
TAG_VALUES = f"SELECT value FROM tag_values WHERE key = %(key)s AND {_VISIBLE}"
ADD_TAG_VALUES = """
INSERT INTO tag_values
SELECT %(key)s, *
FROM unnest(%(digests)s::bytea[], %(values)s::text[], %(received_ns)s::bigint[], %(written)s::bigint[])
ON CONFLICT (key, digest) DO UPDATE
SET received_ns = greatest(tag_values.received_ns, excluded.received_ns),
    written = greatest(tag_values.written, excluded.written)
"""
TAGGED_SPANS = f"""
SELECT attributes, max(received_ns), max(written) FROM spans
WHERE written >= %(first)s AND written < %(stop)s AND keys_id = ANY(%(keys_ids)s) AND {_VISIBLE} GROUP BY attributes
"""
_NEWS = f"SELECT written FROM commits WHERE NOT is_known AND {_VISIBLE}"
NEWLY_TAGGED_SPANS = f"""
SELECT DISTINCT attributes FROM spans
WHERE written >= (SELECT min(written) FROM commits WHERE NOT is_known) AND keys_id = ANY(%(keys_ids)s) AND {_VISIBLE}
    AND written >> {COMMIT_BITS} IN (SELECT written >> {COMMIT_BITS} FROM ({_NEWS}) AS news)
"""

# --- statistics ---

STATISTICS = f"""
SELECT (SELECT coalesce(sum(spans), 0) FROM segments)::bigint
     + (SELECT coalesce(sum(spans), 0) FROM commits WHERE NOT is_known AND {_VISIBLE})::bigint,
    (SELECT min(received_ns) FROM commits WHERE {_VISIBLE})
"""
_OTHER_TABLES = (
    "commits",
    "segments",
    "texts",
    "new_names",
    "span_names",
    "tag_keys",
    "tag_values",
    "link_sums",
    "edges",
    "edge_sums",
    "call_operations",
    "call_sums",
    "set_aside",
    "upkeep",
)
USED_BYTES = f"""
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM (
    SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = 'spans'::regclass
    UNION ALL SELECT unnest('{{{",".join(_OTHER_TABLES)}}}'::regclass[])
) AS tables
"""
"""Tables and their indexes; not the write-ahead log, which belongs to the whole server."""


def visible(statement_values: Mapping[str, object], marks: "tuple[int, int]") -> dict[str, object]:
    """The parameters of a statement with those of the marks that all reads look past."""
    return {**statement_values, "horizon_ns": marks[0], "first_written": marks[1]}


def compiled(statement: sa.Select[Any]) -> tuple[str, dict[str, Any]]:
    """The text of a composed SELECT and its parameters."""
    form = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return form.string, dict(form.params)
