"""Sums of the calls between services, by the second, the minute and the hour of their traces' timestamps.

They begin empty, knowing no commit (`linked.seq` 0): upkeep counts what is held, a few million spans a round.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNTED = "parent VARCHAR NOT NULL, child VARCHAR NOT NULL, calls BIGINT NOT NULL, errors BIGINT NOT NULL"
TABLES = {
    "recent_links": f"(second BIGINT NOT NULL, {_COUNTED})",
    "link_seconds": f"(second BIGINT NOT NULL, {_COUNTED})",
    "link_minutes": f"(minute BIGINT NOT NULL, {_COUNTED})",
    "link_hours": f"(hour BIGINT NOT NULL, {_COUNTED})",
    "set_aside": "(trace_low UBIGINT NOT NULL)",
    "linked": "(seq BIGINT NOT NULL, rules BIGINT NOT NULL)",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} {columns}")
    op.execute("INSERT INTO linked VALUES (0, 0)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
