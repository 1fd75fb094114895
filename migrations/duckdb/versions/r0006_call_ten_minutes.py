"""Sums of calls by ten minutes, too: a week in steps of ten minutes was all of its minutes to read.

They begin empty; as the rules of the sums have changed (`counted.rules`), upkeep makes all of them anew.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = {
    "call_ten_minutes": "(period INTEGER NOT NULL, operation INTEGER NOT NULL, calls BIGINT NOT NULL,"
    " errors BIGINT NOT NULL)",
    "latency_ten_minutes": "(period INTEGER NOT NULL, operation INTEGER NOT NULL, bucket SMALLINT NOT NULL,"
    " calls BIGINT NOT NULL)",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} {columns}")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
