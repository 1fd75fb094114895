"""Jaeger v1: its environment (a flag `--query.base-path` is the variable QUERY_BASE_PATH, so flags come here too).

Source: the flags of Jaeger 1.35 to 1.76. A variable that is in no table here and is no setting of clew is one that
Jaeger does not know either; like Jaeger, clew takes no notice of it.
"""

from collections.abc import Mapping

from clew.peers.stores import STORE_URL, UNREAD, badger_settings, memory_settings, refusal
from clew.peers.translation import Translation, is_true

PEER = "Jaeger v1"

RENAMED: Mapping[str, str] = {
    "COLLECTOR_ZIPKIN_HTTP_PORT": "COLLECTOR_ZIPKIN_HOST_PORT",
    "COLLECTOR_HTTP_PORT": "COLLECTOR_HTTP_SERVER_HOST_PORT",
    "COLLECTOR_GRPC_PORT": "COLLECTOR_GRPC_SERVER_HOST_PORT",
    "COLLECTOR_ZIPKIN_ALLOWED_ORIGINS": "ZIPKIN_QUERY_ALLOWED_ORIGINS",
    "COLLECTOR_ZIPKIN_CORS_ALLOWED_ORIGINS": "ZIPKIN_QUERY_ALLOWED_ORIGINS",
    "DOWNSAMPLING_RATIO": "COLLECTOR_SAMPLE_RATE",
}
"""Variables that mean the same as one of clew's own under another name."""

_ONE_LIMIT = "one limit for every door: CLEW_MAX_BODY_BYTES"
_QUEUE = "the queue is bounded in bytes: CLEW_QUEUE_BYTES"
_CONNECTIONS = "clew has its own bounds for connections"
_NO_TLS = "clew serves plain text"
_NO_TENANTS = "clew knows no tenants"
_SPAN_METRICS = "/api/metrics is answered from the spans"
_FROM_FILE = "sampling strategies come from SAMPLING_STRATEGIES_FILE"
_AGENT = "the agent's tuning; its ports feed the one queue"

_TLS_DOORS = (
    "ADMIN_HTTP",
    "COLLECTOR_GRPC",
    "COLLECTOR_HTTP",
    "COLLECTOR_OTLP_GRPC",
    "COLLECTOR_OTLP_HTTP",
    "COLLECTOR_ZIPKIN",
    "QUERY_GRPC",
    "QUERY_HTTP",
)
_TLS_DETAILS = ("CERT", "KEY", "CLIENT_CA", "CIPHER_SUITES", "MIN_VERSION", "MAX_VERSION", "RELOAD_INTERVAL")

IGNORED: Mapping[str, str] = {
    # collector
    "COLLECTOR_NUM_WORKERS": "one writer commits for all",
    "COLLECTOR_QUEUE_SIZE": _QUEUE,
    "COLLECTOR_QUEUE_SIZE_MEMORY": _QUEUE,
    "COLLECTOR_DYN_QUEUE_SIZE_MEMORY": _QUEUE,
    "COLLECTOR_ENABLE_SPAN_SIZE_METRICS": "clew_message_bytes_total is always counted",
    "COLLECTOR_TAGS": "clew adds no tags to what was sent; add them in the SDK's resource",
    "COLLECTOR_GRPC_SERVER_MAX_MESSAGE_SIZE": _ONE_LIMIT,
    "COLLECTOR_GRPC_SERVER_MAX_CONNECTION_AGE": _CONNECTIONS,
    "COLLECTOR_GRPC_SERVER_MAX_CONNECTION_AGE_GRACE": _CONNECTIONS,
    "COLLECTOR_HTTP_SERVER_IDLE_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_HTTP_SERVER_READ_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_HTTP_SERVER_READ_HEADER_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_OTLP_GRPC_MAX_MESSAGE_SIZE": _ONE_LIMIT,
    "COLLECTOR_OTLP_GRPC_MAX_CONNECTION_AGE": _CONNECTIONS,
    "COLLECTOR_OTLP_GRPC_MAX_CONNECTION_AGE_GRACE": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_MAX_MESSAGE_SIZE": _ONE_LIMIT,
    "COLLECTOR_OTLP_HTTP_MAX_CONNECTION_AGE": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_MAX_CONNECTION_AGE_GRACE": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_IDLE_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_READ_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_READ_HEADER_TIMEOUT": _CONNECTIONS,
    "COLLECTOR_OTLP_HTTP_CORS_ALLOWED_ORIGINS": "4318 has no CORS",
    "COLLECTOR_OTLP_HTTP_CORS_ALLOWED_HEADERS": "4318 has no CORS",
    "COLLECTOR_ZIPKIN_ALLOWED_HEADERS": "9411 allows content-type and x-grpc-web",
    "COLLECTOR_ZIPKIN_CORS_ALLOWED_HEADERS": "9411 allows content-type and x-grpc-web",
    "COLLECTOR_ZIPKIN_KEEP_ALIVE": "connections are kept alive",
    # query
    "QUERY_ADDITIONAL_HEADERS": "answers carry clew's headers only",
    "QUERY_BEARER_TOKEN_PROPAGATION": "there is no remote storage to hand a token to",
    "QUERY_ENABLE_TRACING": "clew does not trace itself",
    "QUERY_LOG_STATIC_ASSETS_ACCESS": "clew logs no requests",
    # storage that is not the spans'
    "DEPENDENCY_STORAGE_TYPE": "dependencies are computed from the spans",
    "METRICS_STORAGE_TYPE": _SPAN_METRICS,
    "PROMETHEUS_SERVER_URL": _SPAN_METRICS,
    "PROMETHEUS_CONNECT_TIMEOUT": _SPAN_METRICS,
    "PROMETHEUS_TOKEN_FILE": _SPAN_METRICS,
    "PROMETHEUS_TOKEN_OVERRIDE_FROM_CONTEXT": _SPAN_METRICS,
    "PROMETHEUS_QUERY_EXTRA_QUERY_PARAMS": _SPAN_METRICS,
    "PROMETHEUS_QUERY_NAMESPACE": _SPAN_METRICS,
    "PROMETHEUS_QUERY_DURATION_UNIT": _SPAN_METRICS,
    "PROMETHEUS_QUERY_NORMALIZE_CALLS": _SPAN_METRICS,
    "PROMETHEUS_QUERY_NORMALIZE_DURATION": _SPAN_METRICS,
    "SAMPLING_CONFIG_TYPE": _FROM_FILE,
    "SAMPLING_STORAGE_TYPE": _FROM_FILE,
    **{
        f"SAMPLING_{tuning}": _FROM_FILE
        for tuning in (
            "AGGREGATION_BUCKETS",
            "BUCKETS_FOR_CALCULATION",
            "CALCULATION_INTERVAL",
            "DELAY",
            "DELTA_TOLERANCE",
            "FOLLOWER_LEASE_REFRESH_INTERVAL",
            "INITIAL_SAMPLING_PROBABILITY",
            "LEADER_LEASE_REFRESH_INTERVAL",
            "MIN_SAMPLES_PER_SECOND",
            "MIN_SAMPLING_PROBABILITY",
            "TARGET_SAMPLES_PER_SECOND",
        )
    },
    "DOWNSAMPLING_HASHSALT": "which traces DOWNSAMPLING_RATIO keeps is told by their ids alone",
    # the process
    "LOG_ENCODING": "the log is plain text",
    "METRICS_BACKEND": "metrics are always counted",
    "METRICS_HTTP_ROUTE": "metrics are at /metrics",
    "MULTI_TENANCY_HEADER": _NO_TENANTS,
    "MULTI_TENANCY_TENANTS": _NO_TENANTS,
    # the agent that all-in-one held until 1.62
    **{
        f"PROCESSOR_{processor}_{tuning}": _AGENT
        for processor in ("JAEGER_COMPACT", "JAEGER_BINARY", "ZIPKIN_COMPACT")
        for tuning in (
            "WORKERS",
            "SERVER_QUEUE_SIZE",
            "SERVER_MAX_PACKET_SIZE",
            "SERVER_SOCKET_BUFFER_SIZE",
        )
    },
    "PROCESSOR_ZIPKIN_COMPACT_SERVER_HOST_PORT": "5775 is not served; Zipkin spans go to 9411",
    **{f"{door}_TLS_{detail}": _NO_TLS for door in _TLS_DOORS for detail in _TLS_DETAILS},
}
"""Variables that change nothing here, and why."""

REFUSED_IF_TRUE: Mapping[str, str] = {
    **{
        f"{door}_TLS_ENABLED": "clew serves plain text; end TLS in a proxy or sidecar before it, and unset this"
        for door in _TLS_DOORS
    },
    "MULTI_TENANCY_ENABLED": "clew would show every tenant's spans to all; run one clew a tenant, and unset this",
}
"""Switches that protect something: clew does not start as if they were off."""

BADGER_IGNORED: Mapping[str, str] = {
    "BADGER_CONSISTENCY": "an acknowledged span is always synced",
    "BADGER_MAINTENANCE_INTERVAL": "upkeep has its own pace",
    "BADGER_METRICS_UPDATE_INTERVAL": "metrics are read when asked for",
}
_BADGER = ("BADGER_EPHEMERAL", "BADGER_DIRECTORY_KEY", "BADGER_DIRECTORY_VALUE", "BADGER_SPAN_STORE_TTL")
_STORAGE = ("SPAN_STORAGE_TYPE", *_BADGER, *BADGER_IGNORED, "BADGER_READ_ONLY")

VARIABLES = (
    *RENAMED,
    *IGNORED,
    *REFUSED_IF_TRUE,
    *_STORAGE,
    "COLLECTOR_OTLP_ENABLED",
    "CONFIG_FILE",
)
"""Every variable that `translate` looks at and that is no setting of clew."""
SWITCHES = frozenset(
    {
        *REFUSED_IF_TRUE,
        "BADGER_CONSISTENCY",
        "BADGER_EPHEMERAL",
        "BADGER_READ_ONLY",
        "COLLECTOR_ENABLE_SPAN_SIZE_METRICS",
        "COLLECTOR_OTLP_ENABLED",
        "COLLECTOR_ZIPKIN_KEEP_ALIVE",
        "PROMETHEUS_QUERY_NORMALIZE_CALLS",
        "PROMETHEUS_QUERY_NORMALIZE_DURATION",
        "PROMETHEUS_TOKEN_OVERRIDE_FROM_CONTEXT",
        "QUERY_BEARER_TOKEN_PROPAGATION",
        "QUERY_ENABLE_TRACING",
        "QUERY_LOG_STATIC_ASSETS_ACCESS",
    }
)
"""Those of them that are a flag without a value, too."""


def translate(given: Mapping[str, str]) -> Translation:
    """What Jaeger v1's variables among these come to. Empty values are taken for absent."""
    found = Translation(PEER)
    for name, own in RENAMED.items():
        if name in given:
            found.means(name, {own: given[name]})
    for name, why in IGNORED.items():
        if name in given:
            found.ignore(name, why)
    found.refused += [f"{name}: {why}" for name, why in REFUSED_IF_TRUE.items() if is_true(given.get(name, ""))]
    if "CONFIG_FILE" in given:
        found.refused.append("CONFIG_FILE: clew reads Jaeger v2's --config; give v1's options as variables or flags")
    if "COLLECTOR_OTLP_ENABLED" in given and not is_true(given["COLLECTOR_OTLP_ENABLED"]):
        found.close("COLLECTOR_OTLP_ENABLED=false", "COLLECTOR_OTLP_GRPC_HOST_PORT", "COLLECTOR_OTLP_HTTP_HOST_PORT")
    _translate_storage(given, found)
    return found


def _translate_storage(given: Mapping[str, str], found: Translation) -> None:
    backend = given.get("SPAN_STORAGE_TYPE", "").strip()
    if STORE_URL in given:
        for name in _STORAGE:
            if name in given:
                found.ignore(name, f"{STORE_URL} is given")
    elif backend == "badger":
        _translate_badger(given, found)
    else:
        if backend == "memory":
            found.means("SPAN_STORAGE_TYPE=memory", memory_settings(""))
        elif backend:
            found.refused.append(f"SPAN_STORAGE_TYPE: {refusal(backend)}")
        for name in (*_BADGER, *BADGER_IGNORED, "BADGER_READ_ONLY"):
            if name in given:
                found.ignore(name, "SPAN_STORAGE_TYPE is not badger")


def _translate_badger(given: Mapping[str, str], found: Translation) -> None:
    ephemeral = is_true(given.get("BADGER_EPHEMERAL", "true"))
    keys, values = (given.get(f"BADGER_DIRECTORY_{part}", "") for part in ("KEY", "VALUE"))
    ttl = given.get("BADGER_SPAN_STORE_TTL", "")
    settings = badger_settings(ephemeral=ephemeral, keys=keys, values=values, ttl=ttl)
    found.means("SPAN_STORAGE_TYPE=badger", settings, "" if ephemeral else UNREAD)
    if values and keys and not ephemeral:
        found.ignore("BADGER_DIRECTORY_KEY", "one file holds keys and values")
    for name, why in BADGER_IGNORED.items():
        if name in given:
            found.ignore(name, why)
    if is_true(given.get("BADGER_READ_ONLY", "")):
        found.refused.append("BADGER_READ_ONLY: clew cannot open its store for reading only; unset it")
