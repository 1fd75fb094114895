"""Indexes for searches by shortest duration, and by tags whose keys hardly any span has.

With the duration at its end the index of a service passes over what was too short without a look at the rows. That of
key sets has few different entries, so it is small and PostgreSQL appends to it. Making both takes some seconds for a
million spans; reads go on meanwhile, writes wait.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX spans_durations ON spans (service_id, start_ns, duration_ns)")
    op.execute("CREATE INDEX spans_keys ON spans (keys_id)")
    # Last, for reads wait from here on.
    op.execute("DROP INDEX spans_service")


def downgrade() -> None:
    op.execute("CREATE INDEX spans_service ON spans (service_id, start_ns)")
    op.execute("DROP INDEX spans_durations")
    op.execute("DROP INDEX spans_keys")
