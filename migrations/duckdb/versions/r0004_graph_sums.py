"""Sums of the service graph's calls, by the minute, the hour and the day of their traces' timestamps.

They begin empty, as those of links do when their rules have changed (`linked.rules`): upkeep counts what is held.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COUNTED = "edge INTEGER NOT NULL, latency SMALLINT NOT NULL, calls BIGINT NOT NULL, errors BIGINT NOT NULL"
TABLES = {
    "edges": "(edge INTEGER NOT NULL, parent VARCHAR NOT NULL, parent_kind UTINYINT NOT NULL,"
    " child VARCHAR NOT NULL, child_kind UTINYINT NOT NULL)",
    "recent_edges": f"(minute BIGINT NOT NULL, {_COUNTED})",
    "edge_minutes": f"(minute BIGINT NOT NULL, {_COUNTED})",
    "edge_hours": f"(hour BIGINT NOT NULL, {_COUNTED})",
    "edge_days": f"(day BIGINT NOT NULL, {_COUNTED})",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} {columns}")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
