"""Sums of the calls of each operation, by the minute and the hour of their start, with buckets of their durations.

They begin empty, knowing no commit (`counted.seq` 0): upkeep counts what is held, some million spans a round.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CALLS = "(period INTEGER NOT NULL, operation INTEGER NOT NULL, calls BIGINT NOT NULL, errors BIGINT NOT NULL)"
_LATENCIES = "(period INTEGER NOT NULL, operation INTEGER NOT NULL, bucket SMALLINT NOT NULL, calls BIGINT NOT NULL)"
TABLES = {
    "call_minutes": _CALLS,
    "latency_minutes": _LATENCIES,
    "call_hours": _CALLS,
    "latency_hours": _LATENCIES,
    "call_operations": "(id INTEGER NOT NULL, part UTINYINT NOT NULL, service VARCHAR NOT NULL, kind UTINYINT NOT NULL,"
    " name VARCHAR NOT NULL, since_seq BIGINT NOT NULL)",
    "counted": "(seq BIGINT NOT NULL, rules BIGINT NOT NULL)",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} {columns}")
    op.execute("INSERT INTO counted VALUES (0, 0)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
