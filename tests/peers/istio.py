"""What Istio's samples give the tracing backends they start: Jaeger v1 (Istio 1.15 to 1.28), Jaeger v2, Zipkin."""

from pathlib import Path

V1_ENVIRONMENT = {
    "BADGER_EPHEMERAL": "false",
    "SPAN_STORAGE_TYPE": "badger",
    "BADGER_DIRECTORY_VALUE": "/badger/data",
    "BADGER_DIRECTORY_KEY": "/badger/key",
    "COLLECTOR_ZIPKIN_HOST_PORT": ":9411",
    "MEMORY_MAX_TRACES": "50000",
    "QUERY_BASE_PATH": "/jaeger",
}
V2_CONFIG = Path(__file__).parent / "istio-jaeger-v2.yaml"
"""The keys and values of the sample's ConfigMap, without its comments; passed as `--config FILE`."""
ZIPKIN_ENVIRONMENT = {"STORAGE_METHOD": "mem"}
"""Zipkin knows no STORAGE_METHOD either."""
