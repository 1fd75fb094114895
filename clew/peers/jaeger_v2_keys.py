"""The keys of Jaeger v2's configuration, and what each is here. Paths are those of `collector_view`.

Source: Jaeger 2.x's all-in-one, Badger and Istio configurations, and the collector's own documentation of the parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Door:
    """A part of the configuration that opens a door.

    path: the map that holds `endpoint`; it is open when the map is there, even if empty. default: the endpoint when
    none is given, as the part itself has it. owner: with this part there the door is open even without the map.
    """

    path: str
    default: str
    variable: str
    owner: str | None = None


DOORS = (
    Door("receivers.otlp.protocols.grpc", "localhost:4317", "COLLECTOR_OTLP_GRPC_HOST_PORT"),
    Door("receivers.otlp.protocols.http", "localhost:4318", "COLLECTOR_OTLP_HTTP_HOST_PORT"),
    Door("receivers.jaeger.protocols.grpc", "localhost:14250", "COLLECTOR_GRPC_SERVER_HOST_PORT"),
    Door("receivers.jaeger.protocols.thrift_http", "localhost:14268", "COLLECTOR_HTTP_SERVER_HOST_PORT"),
    Door("receivers.jaeger.protocols.thrift_compact", "localhost:6831", "PROCESSOR_JAEGER_COMPACT_SERVER_HOST_PORT"),
    Door("receivers.jaeger.protocols.thrift_binary", "localhost:6832", "PROCESSOR_JAEGER_BINARY_SERVER_HOST_PORT"),
    Door("receivers.zipkin", "localhost:9411", "COLLECTOR_ZIPKIN_HOST_PORT"),
    Door("jaeger_query.http", ":16686", "QUERY_HTTP_SERVER_HOST_PORT", owner="jaeger_query"),
    Door("jaeger_query.grpc", ":16685", "QUERY_GRPC_SERVER_HOST_PORT", owner="jaeger_query"),
    Door("remote_sampling.http", ":5778", "HTTP_SERVER_HOST_PORT"),
    Door("remote_sampling.grpc", ":5779", "CLEW_SAMPLING_GRPC_HOST_PORT"),
    Door("remote_storage", "localhost:17271", "CLEW_REMOTE_STORAGE_HOST_PORT"),
    Door("healthcheckv2.http", "localhost:13133", "CLEW_STATUS_HOST_PORT"),
)
"""A door whose part is absent stays closed. 8888 is in `service.telemetry`, see jaeger_v2."""

SETTINGS: Mapping[str, str] = {
    "jaeger_query.base_path": "QUERY_BASE_PATH",
    "jaeger_query.max_clock_skew_adjust": "QUERY_MAX_CLOCK_SKEW_ADJUSTMENT",
    "jaeger_query.ui.assets_path": "QUERY_STATIC_FILES",
    "jaeger_query.ui.config_file": "QUERY_UI_CONFIG",
    "jaeger_query.ui_config": "QUERY_UI_CONFIG",
    "remote_sampling.file.path": "SAMPLING_STRATEGIES_FILE",
    "remote_sampling.file.reload_interval": "SAMPLING_STRATEGIES_RELOAD_INTERVAL",
    "remote_sampling.file.default_sampling_probability": "SAMPLING_DEFAULT_SAMPLING_PROBABILITY",
    "service.telemetry.logs.level": "LOG_LEVEL",
}
"""Keys that mean the same as a setting."""

UNDERSTOOD = (
    "service.extensions",
    "service.pipelines",
    "service.telemetry.resource",
    "service.telemetry.metrics.address",
    "service.telemetry.metrics.level",
    "service.telemetry.metrics.readers",
    "jaeger_query.storage.traces",
    "jaeger_query.trace_storage",
    "jaeger_query.storage.traces_archive",
    "jaeger_query.trace_storage_archive",
    "jaeger_storage_exporter.trace_storage",
    "storage.memory.max_traces",
    "storage.badger.ephemeral",
    "storage.badger.directories.keys",
    "storage.badger.directories.values",
    "storage.badger.directory_key",
    "storage.badger.directory_value",
    "storage.badger.ttl.spans",
    "storage.badger.span_store_ttl",
    "remote_storage.storage",
    "healthcheckv2.use_v2",
    "processors.batch",
)
"""Keys that jaeger_v2 reads itself, and those that ask for what clew does anyway."""

_NO_TOKENS = "there is no remote storage to hand headers to"
_QUEUE = "senders wait for the commit; the queue is bounded by CLEW_QUEUE_BYTES"

IGNORED: Mapping[str, str] = {
    "jaeger_query.storage.metrics": "/api/metrics is answered from the spans",
    "jaeger_query.metrics_storage": "/api/metrics is answered from the spans",
    "jaeger_query.ui.log_access": "clew logs no requests",
    "jaeger_query.max_trace_size": "traces are shown whole",
    "jaeger_query.enable_tracing": "clew does not trace itself",
    "jaeger_query.bearer_token_propagation": _NO_TOKENS,
    "jaeger_query.header_forwarding": _NO_TOKENS,
    "jaeger_query.ai": "clew has no assistant",
    "jaeger_query.otlp_proxy": "browsers may post to 4318",
    "jaeger_mcp": "clew has no assistant",
    "remote_sampling.adaptive": "strategies come from remote_sampling.file",
    "healthcheckv2.grpc": "every gRPC port answers health checks itself",
    "healthcheckv2.component_health": "/status tells of the process",
    "healthcheckv2.http.status": "the path is /status",
    "healthcheckv2.http.config": "clew shows its configuration to nobody",
    "expvar": "clew is no Go program",
    "zpages": "clew is no Go program",
    "pprof": "clew is no Go program",
    "service.telemetry.logs": "only the level can be set",
    "service.telemetry.traces": "clew does not trace itself",
    "service.telemetry.metrics": "metrics are always counted",
    "storage.badger.consistency": "an acknowledged span is always synced",
    "storage.badger.maintenance_interval": "upkeep has its own pace",
    "storage.badger.metrics_update_interval": "metrics are read when asked for",
    "jaeger_storage_exporter.queue": _QUEUE,
    "jaeger_storage_exporter.sending_queue": _QUEUE,
    "jaeger_storage_exporter.retry_on_failure": "a sender is told to retry",
    "jaeger_storage_exporter.timeout": "a commit takes as long as it takes",
    "processors.memory_limiter": _QUEUE,
}
"""Keys that change nothing here, and why; with all below them."""

REFUSED_IF_TRUE: Mapping[str, str] = {
    "jaeger_query.multi_tenancy.enabled": "clew would show every tenant's spans to all; run one clew a tenant",
    "storage.badger.read_only": "clew cannot open its store for reading only",
}
"""Switches that protect something: clew does not start as if they were off."""

REFUSED_PARTS: Mapping[str, str] = {
    "tls": "clew serves plain text; end TLS in a proxy or sidecar before it, and remove this",
    "auth": "clew authenticates nobody; do it in a proxy or sidecar before it, and remove this",
}
"""Maps of a door that protect it."""
