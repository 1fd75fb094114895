"""Sums of the calls of links and of the service graph, by buckets of trace timestamps.

They begin empty; upkeep makes them, of any bucket at any time and as often as it is of use. A row of `summed_buckets`
says under which number the rows of a bucket's sums are found, how many these are, and which state of the bucket they
are true of. Partitioned by when they were made, they go with the spans that were received before.
"""

from migrations.clickhouse.tables import create_table, drop

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARTITION_NS = 3 * 3600 * 10**9
_MADE = """
    bucket Int32 CODEC(Delta(4), ZSTD(1)),
    made UInt64 CODEC(ZSTD(1)),
    made_ns Int64 CODEC(Delta(8), ZSTD(1)),"""
_COUNTS = """
    calls Int64 CODEC(T64, ZSTD(1)),
    errors Int64 CODEC(T64, ZSTD(1))"""

TABLES = {
    "summed_buckets": f"{_MADE} state FixedString(16), link_rows UInt64, graph_rows UInt64",
    "link_sums": f"{_MADE} parent LowCardinality(String), child LowCardinality(String),{_COUNTS}",
    "graph_sums": f"""{_MADE}
    parent LowCardinality(String),
    parent_kind UInt8,
    child LowCardinality(String),
    child_kind UInt8,
    latency Int16 CODEC(ZSTD(1)),{_COUNTS}""",
}


def upgrade() -> None:
    layout = f"PARTITION BY intDiv(made_ns, {PARTITION_NS})\nORDER BY (bucket, made)"
    for name, columns in TABLES.items():
        create_table(name, columns, "MergeTree", layout)


def downgrade() -> None:
    drop("TABLE", tuple(TABLES))
