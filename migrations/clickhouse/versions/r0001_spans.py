"""The spans, and what views derive from them as they are inserted.

Spans are partitioned by when they were received, because retention counts from then, and because all spans of one
write were received at once: a write is one block of one partition, which ClickHouse stores whole or not at all.
They are sorted by a column of its own for the five minutes they began in: a search names the range of those, and
reads a twentieth of what it would by an expression over start_ns. `tokens` is the index of tag search.

The columns `attr`, `res` and `trace`, computed when they are asked for, are for people.
"""

from migrations.clickhouse.tables import create_table, create_view, drop

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
lost_on_downgrade = "every span"

PARTITION_NS = 3 * 3600 * 10**9
BUCKET_NS = 300 * 10**9
_LOW = "reinterpretAsUInt64(substring(trace_id, 9))"
_PARTITION = f"intDiv({{received_ns}}, {PARTITION_NS})"

SPANS = f"""
    bucket Int32 DEFAULT toInt32(intDiv(ifNull(start_ns, received_ns), {BUCKET_NS})) CODEC(Delta(4), ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id UInt64 CODEC(NONE),
    parent_span_id Nullable(UInt64) CODEC(LZ4),
    start_ns Nullable(Int64) CODEC(Delta(8), ZSTD(1)),
    duration_ns Nullable(Int64) CODEC(T64, ZSTD(1)),
    service LowCardinality(Nullable(String)),
    name LowCardinality(Nullable(String)),
    kind UInt8,
    status_code UInt8,
    protocol UInt8,
    attributes String CODEC(ZSTD(1)),
    attribute_keys LowCardinality(String),
    tokens Array(UInt32) CODEC(ZSTD(1)),
    resource LowCardinality(String),
    scope_name LowCardinality(Nullable(String)),
    scope_version LowCardinality(Nullable(String)),
    status_message Nullable(String) CODEC(ZSTD(1)),
    events Nullable(String) CODEC(ZSTD(1)),
    links Nullable(String) CODEC(ZSTD(1)),
    trace_state Nullable(String) CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    debug Bool,
    shared Bool,
    local_ipv4 LowCardinality(Nullable(String)),
    local_port Nullable(UInt16) CODEC(ZSTD(1)),
    remote_service LowCardinality(Nullable(String)),
    remote_ipv4 LowCardinality(Nullable(String)),
    remote_port Nullable(UInt16) CODEC(ZSTD(1)),
    received_ns Int64 CODEC(Delta(8), ZSTD(1)),
    rare Nullable(String) CODEC(ZSTD(1)),
    written Int64 CODEC(Delta(8), ZSTD(1)),
    trace String ALIAS lower(hex(trace_id)),
    attr Map(String, String) ALIAS CAST(JSONExtractKeysAndValuesRaw(attributes), 'Map(String, String)'),
    res Map(String, String) ALIAS CAST(JSONExtractKeysAndValuesRaw(resource), 'Map(String, String)'),
    INDEX trace_low {_LOW} TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX tokens tokens TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX start_ns start_ns TYPE minmax GRANULARITY 1,
    INDEX duration_ns duration_ns TYPE minmax GRANULARITY 1,
    INDEX received_ns received_ns TYPE minmax GRANULARITY 1"""
"""written: rises in the order of writing, from row to row."""

_SEEN = """
    last_received_ns SimpleAggregateFunction(max, Int64),
    last_written SimpleAggregateFunction(max, Int64)"""

NAMES = f"""
    service LowCardinality(Nullable(String)),
    name LowCardinality(Nullable(String)),
    kind UInt8,
    remote_service LowCardinality(Nullable(String)),{_SEEN}"""

TRACE_BUCKETS = """
    trace_low UInt64 CODEC(ZSTD(1)),
    bucket Int32 CODEC(Delta(4), ZSTD(1)),
    last_received_ns Int64 CODEC(Delta(8), ZSTD(1))"""

DROPPED = "before_received_ns Int64, before_written Int64"
"""Retention has let go of all spans that were received, or written, before these, whether they are there or not."""

TABLES = ("spans", "trace_buckets", "names", "resources", "dropped")
VIEWS = ("names_of_spans", "resources_of_spans", "buckets_of_traces")


def upgrade() -> None:
    create_table(
        "spans",
        SPANS,
        "MergeTree",
        f"PARTITION BY {_PARTITION.format(received_ns='received_ns')}\nORDER BY (bucket, service, name, start_ns)",
        # By the low half, by which traces are grouped when ids were truncated on their way.
        sharded_by="cityHash64(substring(trace_id, 9))",
    )
    create_table("names", NAMES, "AggregatingMergeTree", "ORDER BY (service, name, kind, remote_service)")
    create_table("resources", f"resource String,{_SEEN}", "AggregatingMergeTree", "ORDER BY resource")
    create_table(
        "trace_buckets",
        TRACE_BUCKETS,
        "ReplacingMergeTree",
        f"PARTITION BY {_PARTITION.format(received_ns='last_received_ns')}\nORDER BY (trace_low, bucket)",
        sharded_by="cityHash64(trace_low)",
    )
    create_table("dropped", DROPPED, "ReplacingMergeTree", "ORDER BY (before_received_ns, before_written)")
    seen = "max(received_ns) AS last_received_ns, max(written) AS last_written"
    create_view(
        "names_of_spans",
        "names",
        f"SELECT service, name, kind, remote_service, {seen}\n"
        "FROM {spans} GROUP BY service, name, kind, remote_service",
    )
    create_view("resources_of_spans", "resources", f"SELECT resource, {seen} FROM {{spans}} GROUP BY resource")
    create_view(
        "buckets_of_traces",
        "trace_buckets",
        f"SELECT {_LOW} AS trace_low, bucket, max(received_ns) AS last_received_ns\n"
        f"FROM {{spans}} GROUP BY trace_low, bucket, {_PARTITION.format(received_ns='received_ns')}",
    )


def downgrade() -> None:
    drop("VIEW", VIEWS)
    drop("TABLE", TABLES)
