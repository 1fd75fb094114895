"""Alembic's entry for the ClickHouse store: runs the revisions on the connection that the caller hands over.

The caller puts an open SQLAlchemy connection under `attributes["connection"]`, and under `attributes["deployment"]` a
mapping as `migrations.clickhouse.tables.Deployment` reads it.

ClickHouse has no transactions over DDL, so a revision that fails half-way leaves behind what it did. Every statement
of a revision therefore can be run again over its own result: IF NOT EXISTS, IF EXISTS, or an INSERT into a table that
merges equal rows.
"""

from alembic import context


def run() -> None:
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


run()
