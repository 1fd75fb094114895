"""Settings of the query side. Each field's alias is its environment variable; `clew.settings` reads them."""

from pydantic import Field, field_validator

from storage.durations import parse_duration_ns
from storage.settings import CLOSED, CommaList, DurationNs, HostPort, SettingsModel


class QuerySettings(SettingsModel):
    """The read windows and their defaults."""

    jaeger_host_port: HostPort = Field(
        ":16686", alias="QUERY_HTTP_SERVER_HOST_PORT", description="Jaeger's JSON API and page."
    )
    jaeger_grpc_host_port: HostPort = Field(
        ":16685", alias="QUERY_GRPC_SERVER_HOST_PORT", description="Jaeger's gRPC APIs, `api_v2` and `api_v3`."
    )
    remote_storage_host_port: HostPort = Field(
        ":17271",
        alias="CLEW_REMOTE_STORAGE_HOST_PORT",
        description="Jaeger's Remote Storage API v2 and OTLP writes, for a stock Jaeger that stores in clew.",
    )
    tempo_host_port: HostPort = Field(
        CLOSED,
        alias="TEMPO_HTTP_HOST_PORT",
        description="Tempo's read API for Kiali and Grafana, on 3200 by custom; closed unless it is given.",
    )
    base_path: str = Field(
        "",
        alias="QUERY_BASE_PATH",
        description="Path prefix of 16686, such as `/jaeger`; the API answers with and without it.",
    )
    ui_assets: str = Field(
        "",
        alias="UI_ASSETS",
        json_schema_extra={"also": ["QUERY_STATIC_FILES"]},
        description="A folder with an unmodified build of Jaeger's UI, to be served on 16686.",
    )
    ui_config: str = Field(
        "",
        alias="QUERY_UI_CONFIG",
        description="Configuration of Jaeger's UI, a `.json` or `.js` file; read again when it changes.",
    )
    zipkin_enabled: bool = Field(
        True, alias="QUERY_ENABLED", description="Whether 9411 answers Zipkin's read API (404 when false)."
    )
    search_enabled: bool = Field(
        True, alias="SEARCH_ENABLED", description="When false, Zipkin searches answer `[]`; trace by id still works."
    )
    strict_trace_id: bool = Field(
        True, alias="STRICT_TRACE_ID", description="When false, traces group by the low 64 bits of their id."
    )
    lookback_ms: int = Field(
        86_400_000, alias="QUERY_LOOKBACK", ge=1, description="Default Zipkin search window in milliseconds."
    )
    timeout_ns: DurationNs = Field(
        parse_duration_ns("11s"), alias="QUERY_TIMEOUT", ge=0, description="Time one read may take; `0` is no limit."
    )
    names_max_age_s: int = Field(
        300, alias="ZIPKIN_QUERY_NAMES_MAX_AGE", ge=0, description="`Cache-Control: max-age` of Zipkin's name lists."
    )
    allowed_origins: CommaList = Field(
        ("*",), alias="ZIPKIN_QUERY_ALLOWED_ORIGINS", description="CORS origins on 9411, with commas."
    )
    autocomplete_keys: CommaList = Field(
        (), alias="AUTOCOMPLETE_KEYS", description="Span tags that `/api/v2/autocompleteKeys` lists."
    )
    max_clock_skew_ns: DurationNs = Field(
        0,
        alias="QUERY_MAX_CLOCK_SKEW_ADJUSTMENT",
        ge=0,
        description="Largest clock-skew correction in Jaeger's view; `0` only warns, as Jaeger does.",
    )

    ui_enabled: bool = Field(
        True,
        alias="UI_ENABLED",
        description="Whether 9411 answers the pages under `/zipkin/` and `config.json` (needs `QUERY_ENABLED` too).",
    )
    ui_base_path: str = Field(
        "/zipkin",
        alias="ZIPKIN_UI_BASEPATH",
        pattern="^/",
        description="The path at which a proxy shows `/zipkin`: what the page's links start with.",
    )
    ui_environment: str = Field(
        "", alias="ZIPKIN_UI_ENVIRONMENT", description="`environment` in Zipkin's `config.json`: a label for its UI."
    )
    ui_query_limit: int = Field(
        10, alias="ZIPKIN_UI_QUERY_LIMIT", ge=1, description="`queryLimit` in `config.json`: traces a search shows."
    )
    ui_default_lookback_ms: int = Field(
        900_000,
        alias="ZIPKIN_UI_DEFAULT_LOOKBACK",
        ge=1,
        description="`defaultLookback` in `config.json`: the UI's search window in milliseconds.",
    )
    ui_logs_url: str = Field(
        "", alias="ZIPKIN_UI_LOGS_URL", description="`logsUrl` in `config.json`; `{traceId}` is filled in."
    )
    ui_support_url: str = Field("", alias="ZIPKIN_UI_SUPPORT_URL", description="`supportUrl` in `config.json`.")
    ui_archive_post_url: str = Field(
        "",
        alias="ZIPKIN_UI_ARCHIVE_POST_URL",
        description="`archivePostUrl` in `config.json`: where the UI posts a trace to keep; it must answer 202.",
    )
    ui_archive_url: str = Field(
        "", alias="ZIPKIN_UI_ARCHIVE_URL", description="`archiveUrl` in `config.json`; `{traceId}` is filled in."
    )
    ui_dependency_enabled: bool = Field(
        True, alias="ZIPKIN_UI_DEPENDENCY_ENABLED", description="`dependency.enabled` in `config.json`."
    )
    ui_dependency_low_error_rate: float = Field(
        0.5, alias="ZIPKIN_UI_DEPENDENCY_LOW_ERROR_RATE", description="`dependency.lowErrorRate` in `config.json`."
    )
    ui_dependency_high_error_rate: float = Field(
        0.75, alias="ZIPKIN_UI_DEPENDENCY_HIGH_ERROR_RATE", description="`dependency.highErrorRate` in `config.json`."
    )

    @field_validator("base_path")
    @classmethod
    def _has_one_leading_slash(cls, value: str) -> str:
        if value in ("", "/"):
            return ""
        if not value.startswith("/") or value.endswith("/"):
            raise ValueError(f"expected a path that starts and does not end with '/', got {value!r}")
        return value
