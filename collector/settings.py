"""Settings of the collector. Each field's alias is its environment variable; `clew.settings` reads them."""

from pydantic import ByteSize, Field

from storage.durations import parse_duration_ns
from storage.settings import DurationNs, HostPort, SettingsModel


class CollectorSettings(SettingsModel):
    """The doors, their limits, and the queue before the store."""

    zipkin_host_port: HostPort = Field(
        ":9411",
        alias="COLLECTOR_ZIPKIN_HOST_PORT",
        json_schema_extra={"also": ["QUERY_PORT"]},
        description="Zipkin: spans in and read API. `host:port`, `:port` or `port`; port 0 takes a free one, "
        "`off` closes the door (any door).",
    )
    otlp_grpc_host_port: HostPort = Field(
        ":4317", alias="COLLECTOR_OTLP_GRPC_HOST_PORT", description="OTLP gRPC `TraceService/Export`."
    )
    otlp_http_host_port: HostPort = Field(
        ":4318", alias="COLLECTOR_OTLP_HTTP_HOST_PORT", description="OTLP HTTP `/v1/traces`, protobuf and JSON."
    )
    jaeger_http_host_port: HostPort = Field(
        ":14268",
        alias="COLLECTOR_HTTP_SERVER_HOST_PORT",
        description="Jaeger Thrift over HTTP: `/api/traces`, `/api/sampling`.",
    )
    jaeger_grpc_host_port: HostPort = Field(
        ":14250",
        alias="COLLECTOR_GRPC_SERVER_HOST_PORT",
        description="Jaeger gRPC: `CollectorService/PostSpans`, `SamplingManager`.",
    )
    jaeger_udp_compact_host_port: HostPort = Field(
        ":6831",
        alias="PROCESSOR_JAEGER_COMPACT_SERVER_HOST_PORT",
        description="Jaeger Thrift over UDP, compact protocol.",
    )
    jaeger_udp_binary_host_port: HostPort = Field(
        ":6832",
        alias="PROCESSOR_JAEGER_BINARY_SERVER_HOST_PORT",
        description="Jaeger Thrift over UDP, binary protocol.",
    )
    sampling_http_host_port: HostPort = Field(
        ":5778",
        alias="HTTP_SERVER_HOST_PORT",
        description="Sampling strategies for Jaeger's SDKs over HTTP: `/sampling`, `/`.",
    )
    sampling_grpc_host_port: HostPort = Field(
        ":5779",
        alias="CLEW_SAMPLING_GRPC_HOST_PORT",
        description="Sampling strategies for Jaeger's SDKs over gRPC: `SamplingManager`.",
    )
    sampling_strategies_file: str = Field(
        "",
        alias="SAMPLING_STRATEGIES_FILE",
        description="Jaeger's file of sampling strategies, a path or an http(s) URL; a broken one changes nothing.",
    )
    sampling_reload_interval_ns: DurationNs = Field(
        parse_duration_ns("10s"),
        alias="SAMPLING_STRATEGIES_RELOAD_INTERVAL",
        ge=0,
        description="How often that file is read again; `0` never.",
    )
    sampling_default_probability: float = Field(
        1.0,
        alias="SAMPLING_DEFAULT_SAMPLING_PROBABILITY",
        ge=0,
        le=1,
        description="Share of traces that Jaeger's SDKs are told to sample where no strategy says otherwise.",
    )
    http_enabled: bool = Field(
        True,
        alias="COLLECTOR_HTTP_ENABLED",
        json_schema_extra={"also": ["HTTP_COLLECTOR_ENABLED"]},
        description="Whether 9411 takes spans; when false a POST is a 404.",
    )
    grpc_enabled: bool = Field(
        True,
        alias="COLLECTOR_GRPC_ENABLED",
        description="Whether 9411 takes spans over gRPC; when false a call is UNIMPLEMENTED.",
    )
    sample_rate: float = Field(
        1.0,
        alias="COLLECTOR_SAMPLE_RATE",
        ge=0,
        le=1,
        description="Share of traces kept, by trace id as Zipkin does it; `debug` spans are always kept.",
    )
    max_body_bytes: ByteSize = Field(
        ByteSize(10 * 2**20),
        alias="CLEW_MAX_BODY_BYTES",
        ge=1024,
        description="Largest request body on the wire, on every door.",
    )
    max_inflated_bytes: ByteSize = Field(
        ByteSize(32 * 2**20),
        alias="CLEW_MAX_INFLATED_BYTES",
        ge=1024,
        description="Largest request body after decompression, on every door.",
    )
    queue_bytes: ByteSize = Field(
        ByteSize(64 * 2**20),
        alias="CLEW_QUEUE_BYTES",
        ge=1024,
        description="Request bytes (inflated) that may wait for the store; beyond it senders are told to retry.",
    )
    commit_interval_ns: DurationNs = Field(
        parse_duration_ns("50ms"),
        alias="CLEW_COMMIT_INTERVAL",
        ge=0,
        description="Least time between two commits under load: what arrives meanwhile shares one fsync.",
    )
    call_metrics_max_series: int = Field(
        1000,
        alias="CLEW_CALL_METRICS_MAX_SERIES",
        ge=0,
        le=100_000,
        description="Operations (service, span name, kind and status), and edges of the service graph, that `/metrics` "
        "has `traces_spanmetrics_*` and `traces_service_graph_*` for, each with labels of its own; further ones share "
        "`other-operations` and `other-services`. `0` leaves these metrics out.",
    )
    drain_timeout_ns: DurationNs = Field(
        parse_duration_ns("20s"),
        alias="CLEW_DRAIN_TIMEOUT",
        ge=0,
        description="How long SIGTERM waits for requests in flight and the queue.",
    )
