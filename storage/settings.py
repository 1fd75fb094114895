"""Settings of the store. Each field's alias is its environment variable; `clew.settings` reads them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field

from storage.durations import parse_duration_ns


def _duration(value: object) -> object:
    return parse_duration_ns(value) if isinstance(value, str) else value


def _comma_list(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def host_and_port(text: str) -> tuple[str, int]:
    """("", 9411) of ":9411" or "9411", ("::1", 80) of "[::1]:80"; "" is every address. ValueError otherwise."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (port.isascii() and port.isdigit() and int(port) <= 65535) or (":" in host and not text.startswith("[")):
        raise ValueError(f"expected host:port, :port or port (0 to 65535), got {text!r}")
    return host, int(port)


TEMPORARY = "duckdb:temporary"
"""The URL of the store that is removed at exit."""
CLOSED = "off"
"""The address of a door that is not opened."""


def _address(value: str) -> str:
    if value != CLOSED:
        host_and_port(value)
    return value


HostPort = Annotated[str, AfterValidator(_address)]
"""A door's address: what to listen on, as `host_and_port` reads it, or CLOSED."""

DurationNs = Annotated[int, BeforeValidator(_duration)]
"""A duration setting: written as "7d", "1h30m", "100ms"; held as nanoseconds."""

CommaList = Annotated[tuple[str, ...], BeforeValidator(_comma_list)]
"""A list setting: written with commas."""


class SettingsModel(BaseModel):
    """A frozen group of settings; a field's alias is the environment variable that sets it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class StorageSettings(SettingsModel):
    """Where spans are kept and for how long."""

    url: str = Field(
        "duckdb:///./data/clew.duckdb",
        alias="CLEW_STORAGE_URL",
        description="The store: `duckdb:///PATH` (embedded, durable), `duckdb:temporary` (the same, removed at exit), "
        "`postgresql://USER:PASSWORD@HOST/DATABASE`, `clickhouse://USER:PASSWORD@HOST:8123/DATABASE` (`clickhouses://` "
        "by TLS) or `memory:` (for tests and demos; lost at exit).",
    )
    clickhouse_cluster: str = Field(
        "",
        alias="CLEW_CLICKHOUSE_CLUSTER",
        pattern=r"^[\w.-]*$",
        description="The cluster, by its name in ClickHouse's configuration, over whose servers the spans of a "
        "`clickhouse://` store are spread, replicated and sharded by trace; without it they are on the one server.",
    )
    archive_url: str = Field(
        "",
        alias="CLEW_ARCHIVE_URL",
        description="A second store, as `CLEW_STORAGE_URL`, for traces that `POST /api/archive/{id}` keeps for good; "
        "without it that call is refused.",
    )
    migrate_at_start: bool = Field(
        True,
        alias="CLEW_MIGRATE",
        description="Whether `clew serve` brings the store's schema up to date when it starts; when false it does not "
        "start on an older one until `clew migrate up` was run.",
    )
    memory_limit_bytes: ByteSize = Field(
        ByteSize(112 * 2**20),
        alias="CLEW_STORAGE_MEMORY_LIMIT",
        ge=64 * 2**20,
        description="Working memory of the embedded store (its buffers, not the whole process).",
    )
    postgresql_tag_index: bool = Field(
        False,
        alias="CLEW_POSTGRESQL_TAG_INDEX",
        description="Whether a PostgreSQL store gets an index on tags (GIN, some 35 bytes a span, about half of the "
        "ingest rate): a rare value of a common key is then found in milliseconds, not by reading all spans of the "
        "time searched. Set it before there is much data; `DROP INDEX spans_tokens` takes it back.",
    )
    retention_ns: DurationNs = Field(
        parse_duration_ns("7d"),
        alias="CLEW_RETENTION",
        ge=0,
        description="How long a span is kept, counted from when it was received; `0` keeps for ever.",
    )
    retention_max_bytes: ByteSize = Field(
        ByteSize(0),
        alias="CLEW_RETENTION_MAX_BYTES",
        ge=0,
        description="Disk the store may use; the oldest spans go first, about 100,000 at a time. `0` is no limit.",
    )
    min_free_bytes: ByteSize = Field(
        ByteSize(256 * 2**20),
        alias="CLEW_MIN_FREE_DISK",
        ge=0,
        description="Free disk below which writes are refused (503) until space returns.",
    )
    memory_max_spans: int = Field(
        500_000,
        alias="MEM_MAX_SPANS",
        ge=1,
        description="Spans the `memory:` store holds; the oldest traces go first (Zipkin's name).",
    )
    memory_max_traces: int = Field(
        0,
        alias="MEMORY_MAX_TRACES",
        ge=0,
        description="Traces the `memory:` store holds, besides `MEM_MAX_SPANS`; `0` is no limit (Jaeger's name).",
    )
    autocomplete_keys: CommaList = Field(
        (),
        alias="AUTOCOMPLETE_KEYS",
        description="Span tags whose values `/api/v2/autocompleteValues` offers (Zipkin's name).",
    )
