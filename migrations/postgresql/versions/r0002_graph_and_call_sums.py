"""Sums of the service graph's calls, and of those of each service and operation, with buckets of their durations.

They begin empty, so what the marks in `commits` say is not true of them: no rules are 0, and whoever finds other rules
than its own reads spans instead, until upkeep has begun all sums anew. The column gets another name for a clew that
knew only the sums of links, and would have set those marks: its upkeep fails, what it writes and reads goes on.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SUMS = """
    period bigint NOT NULL,
    {key} bigint NOT NULL,
    calls bigint NOT NULL,
    errors bigint NOT NULL,
    buckets smallint[] NOT NULL,
    counts bigint[] NOT NULL,
"""
TABLES = {
    "edges": """(
        edge bigint PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        parent text NOT NULL,
        parent_kind smallint NOT NULL,
        child text NOT NULL,
        child_kind smallint NOT NULL
    )""",
    "edge_sums": f"""(
        minutes integer NOT NULL,
        {_SUMS.format(key="edge")}
        PRIMARY KEY (minutes, period, edge)
    )""",
    "call_operations": """(
        operation bigint PRIMARY KEY,
        part smallint NOT NULL,
        service_id bigint NOT NULL,
        kind smallint NOT NULL,
        name_id bigint NOT NULL,
        UNIQUE (service_id, kind, part, name_id)
    )""",
    "call_sums": f"""(
        minutes integer NOT NULL,
        {_SUMS.format(key="operation")}
        PRIMARY KEY (minutes, operation, period)
    )""",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} {columns}")
    op.execute("ALTER TABLE upkeep RENAME link_rules TO sum_rules")
    op.execute("UPDATE upkeep SET sum_rules = 0")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE upkeep RENAME sum_rules TO link_rules")
    op.execute("UPDATE upkeep SET link_rules = 0")
