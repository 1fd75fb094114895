"""Alembic's entry for the DuckDB store: runs the revisions on the connection that the caller hands over.

The caller puts an open SQLAlchemy connection under `attributes["connection"]`: DuckDB lets one process open a file
once, so a migration never opens it by itself.
"""

from alembic import context


def run() -> None:
    # Without a primary key on the version table: an index would be replayed from the log at every start.
    context.configure(connection=context.config.attributes["connection"], version_table_pk=False)
    with context.begin_transaction():
        context.run_migrations()


run()
