"""What hardly any span has moves into one JSON column: each column of its own cost every commit 0.13 ms."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXTS = ("scope_schema_url", "resource_schema_url", "local_ipv6", "remote_ipv6")
NUMBERS = (
    "scope_dropped_attributes",
    "resource_dropped_attributes",
    "dropped_attributes",
    "dropped_events",
    "dropped_links",
)
_IS_EMPTY = {"scope_attributes": "scope_attributes IS NULL"}
_IS_EMPTY |= {name: f"coalesce({name}, '') = ''" for name in TEXTS}
_IS_EMPTY |= {name: f"{name} = 0" for name in NUMBERS}
_MEMBERS = ", ".join(
    f"""CASE WHEN {empty} THEN NULL ELSE '"{name}":' || {f"to_json({name})" if name in TEXTS else name} END"""
    for name, empty in _IS_EMPTY.items()
)


_ALL_EMPTY = " AND ".join(_IS_EMPTY.values())


def upgrade() -> None:
    op.execute("ALTER TABLE spans ADD COLUMN rare VARCHAR")
    # An UPDATE cannot be committed beside the ALTERs of its table; a change of type computes the same.
    _compute("rare", "VARCHAR", f"CASE WHEN NOT ({_ALL_EMPTY}) THEN '{{' || concat_ws(',', {_MEMBERS}) || '}}' END")
    for name in _IS_EMPTY:
        op.execute(f"ALTER TABLE spans DROP COLUMN {name}")


def downgrade() -> None:
    for name in ("scope_attributes", *TEXTS):
        op.execute(f"ALTER TABLE spans ADD COLUMN {name} VARCHAR")
        _compute(name, "VARCHAR", f"rare{'->' if name == 'scope_attributes' else '->>'}'$.{name}'")
    for name in NUMBERS:
        op.execute(f"ALTER TABLE spans ADD COLUMN {name} UINTEGER")
        _compute(name, "UINTEGER", f"coalesce((rare->>'$.{name}')::UINTEGER, 0)")
    op.execute("ALTER TABLE spans DROP COLUMN rare")


def _compute(column: str, kind: str, expression: str) -> None:
    op.execute(f"ALTER TABLE spans ALTER COLUMN {column} SET DATA TYPE {kind} USING ({expression})")
