"""Alembic's entry for the PostgreSQL store: runs the revisions on the connection that the caller hands over.

The caller puts an open SQLAlchemy connection under `attributes["connection"]`, and holds the lock that lets one process
migrate at a time.
"""

from alembic import context


def run() -> None:
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


run()
