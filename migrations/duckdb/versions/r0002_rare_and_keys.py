"""One JSON column for what hardly any span has, and all keys that a tag search can ask for in `attribute_keys`.

Each rare column of its own cost every commit 0.13 ms. Keys of events, links and scopes stand behind a U+001E, so that
every token has its key there.
"""

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


_KEYS_ELSEWHERE = """
list_sort(list_distinct(flatten([
    coalesce(flatten(list_transform(json_extract(events, '$[*].attributes'), lambda each: json_keys(each))), []),
    coalesce(flatten(list_transform(json_extract(links, '$[*].attributes'), lambda each: json_keys(each))), []),
    coalesce(json_keys(scope_attributes), [])
])))
"""


def upgrade() -> None:
    _compute(
        "attribute_keys",
        "VARCHAR",
        f"attribute_keys || CASE WHEN len({_KEYS_ELSEWHERE}) = 0 THEN ''"
        f" ELSE chr(30) || chr(31) || array_to_string({_KEYS_ELSEWHERE}, chr(31)) || chr(31) END",
    )
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
    _compute("attribute_keys", "VARCHAR", "split_part(attribute_keys, chr(30), 1)")


def _compute(column: str, kind: str, expression: str) -> None:
    op.execute(f"ALTER TABLE spans ALTER COLUMN {column} SET DATA TYPE {kind} USING ({expression})")
