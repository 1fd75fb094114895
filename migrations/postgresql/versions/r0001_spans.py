"""The spans, in partitions by the order of arrival, and what is known of them.

`written` numbers the spans in the order of writing; its upper bits number the segment, which is a partition. The
partitions are made while clew runs, like this table but with settings of their own, so none is made here. Texts of any
length are found by digests of them: a B-tree takes no more than 2.7 kB.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
lost_on_downgrade = "every span"

SPANS = """
CREATE TABLE spans (
    written bigint NOT NULL,
    trace_high bigint NOT NULL,
    trace_low bigint NOT NULL,
    span_id bigint NOT NULL,
    parent_span_id bigint,
    start_ns bigint,
    duration_ns bigint,
    received_ns bigint NOT NULL,
    service_id bigint,
    name_id bigint,
    keys_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    scope_name_id bigint,
    scope_version_id bigint,
    remote_service_id bigint,
    flags bigint,
    local_port integer,
    remote_port integer,
    kind smallint NOT NULL,
    status_code smallint NOT NULL,
    protocol smallint NOT NULL,
    debug boolean,
    shared boolean,
    tokens integer[] NOT NULL,
    attributes text NOT NULL,
    status_message text,
    events text,
    links text,
    trace_state text,
    local_ipv4 text,
    remote_ipv4 text,
    rare text
) PARTITION BY RANGE (written)
"""

INDEXES = (
    "CREATE INDEX spans_trace ON spans (trace_low)",
    "CREATE INDEX spans_service ON spans (service_id, start_ns)",
    "CREATE INDEX spans_start ON spans (start_ns)",
    "CREATE INDEX spans_blocks ON spans USING brin (written, received_ns) WITH (pages_per_range = 32)",
)

TABLES = (
    # 2^20 numbers a commit, 2^24 commits a segment; the first segment is 1.
    "CREATE SEQUENCE spans_written AS bigint START 17592186044416 INCREMENT 1048576",
    """
    CREATE TABLE segments (
        segment bigint PRIMARY KEY,
        opened_at timestamptz NOT NULL,
        spans bigint NOT NULL
    )
    """,
    """
    CREATE TABLE commits (
        written bigint NOT NULL,
        received_ns bigint NOT NULL,
        spans bigint NOT NULL,
        is_known boolean NOT NULL
    )
    """,
    "CREATE INDEX commits_written ON commits (written)",
    "CREATE INDEX commits_received ON commits (received_ns)",
    "CREATE INDEX commits_news ON commits (written) WHERE NOT is_known",
    """
    CREATE TABLE texts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        role smallint NOT NULL,
        digest bytea NOT NULL,
        last_segment bigint NOT NULL,
        text text NOT NULL,
        UNIQUE (role, digest)
    )
    """,
    """
    CREATE TABLE span_names (
        service_id bigint NOT NULL,
        name_id bigint NOT NULL,
        kind smallint NOT NULL,
        remote_service_id bigint NOT NULL,
        received_ns bigint NOT NULL,
        written bigint NOT NULL,
        PRIMARY KEY (service_id, name_id, kind, remote_service_id)
    )
    """,
    """
    CREATE TABLE new_names (
        service_id bigint NOT NULL,
        name_id bigint NOT NULL,
        kind smallint NOT NULL,
        remote_service_id bigint NOT NULL,
        received_ns bigint NOT NULL,
        written bigint NOT NULL
    )
    """,
    "CREATE TABLE tag_keys (key text PRIMARY KEY)",
    """
    CREATE TABLE tag_values (
        key text NOT NULL,
        digest bytea NOT NULL,
        value text NOT NULL,
        received_ns bigint NOT NULL,
        written bigint NOT NULL,
        PRIMARY KEY (key, digest)
    )
    """,
    """
    CREATE TABLE link_sums (
        length_s smallint NOT NULL,
        bucket bigint NOT NULL,
        pair bytea NOT NULL,
        parent text NOT NULL,
        child text NOT NULL,
        calls bigint NOT NULL,
        errors bigint NOT NULL,
        PRIMARY KEY (length_s, bucket, pair)
    )
    """,
    """
    CREATE FUNCTION refuse_spans() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the segment % is closed', TG_TABLE_NAME; END $$
    """,
    "CREATE TABLE set_aside (trace_low bigint PRIMARY KEY)",
    "CREATE TABLE upkeep (horizon_ns bigint NOT NULL, first_written bigint NOT NULL, link_rules bigint NOT NULL)",
    "INSERT INTO upkeep VALUES (-9223372036854775808, 0, 0)",
)
NAMES = (
    "upkeep",
    "set_aside",
    "link_sums",
    "tag_values",
    "tag_keys",
    "new_names",
    "span_names",
    "texts",
    "commits",
    "segments",
    "spans",
)


def upgrade() -> None:
    for statement in (SPANS, *INDEXES, *TABLES):
        op.execute(statement)


def downgrade() -> None:
    for table in NAMES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_spans")
    op.execute("DROP SEQUENCE spans_written")
