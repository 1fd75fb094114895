"""A small Istio-like mesh on loopback: gateway Envoy -> sidecar Envoy -> productpage -> sidecar Envoy -> reviews.

Both Envoys report Zipkin JSON; both applications report by the OpenTelemetry SDK over OTLP gRPC and propagate B3, or
have no SDK and forward the B3 headers they get, as Istio asks of applications.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.process.envoy import bootstrap, cluster, listener, running_envoy, zipkin_tracer
from tests.servers.ports import free_ports

GATEWAY = "istio-ingressgateway.istio-system"
PRODUCTPAGE = "productpage.default"
REVIEWS = "reviews.default"


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
def running_applications(otlp_grpc: str) -> Iterator[Mesh]:
    """The two applications without any Envoy: productpage takes the requests and calls reviews itself."""
    with (
        _application(REVIEWS, otlp_grpc, None) as (reviews_port, reviews_spans),
        _application(PRODUCTPAGE, otlp_grpc, reviews_port) as (app_port, app_spans),
    ):
        yield Mesh(f"http://127.0.0.1:{app_port}", (app_spans, reviews_spans))


@contextlib.contextmanager
def running_mesh(
    directory: Path, zipkin: str, otlp_grpc: str, *, shared_spans: bool, with_sdks: bool = True
) -> Iterator[Mesh]:
    """The whole mesh, reporting to clew's doors (each `host:port`). with_sdks: whether the applications report."""
    inbound, outbound, gateway, gateway_admin, sidecar_admin = free_ports(5)
    with (
        _application(REVIEWS, otlp_grpc, None, with_sdk=with_sdks) as (reviews_port, reviews_spans),
        _application(PRODUCTPAGE, otlp_grpc, outbound, with_sdk=with_sdks) as (app_port, app_spans),
    ):
        tracer = zipkin_tracer("tracing", shared_spans=shared_spans)
        collector = cluster("tracing", int(zipkin.rpartition(":")[2]))
        sidecar = bootstrap(
            "sidecar~10.1.2.4~productpage-v1-1.default~default.svc.cluster.local",
            PRODUCTPAGE,
            sidecar_admin,
            [
                listener("inbound", inbound, "INBOUND", {"/": "inbound|9080||"}, tracer),
                listener("outbound", outbound, "OUTBOUND", {"/dead": "dead", "/": "reviews"}, tracer),
            ],
            [cluster("inbound|9080||", app_port), cluster("reviews", reviews_port), cluster("dead", 1), collector],
        )
        front = bootstrap(
            "router~10.1.2.3~istio-ingressgateway-1.istio-system~istio-system.svc.cluster.local",
            GATEWAY,
            gateway_admin,
            [listener("gateway", gateway, "OUTBOUND", {"/": "productpage"}, tracer, is_edge=True)],
            [cluster("productpage", inbound), collector],
        )
        with (
            running_envoy(directory / "sidecar.json", sidecar, 1),
            running_envoy(directory / "gateway.json", front, 2),
        ):
            yield Mesh(f"http://127.0.0.1:{gateway}", (app_spans, reviews_spans))


@contextlib.contextmanager
def _application(
    name: str, otlp_grpc: str, outbound_port: int | None, *, with_sdk: bool = True
) -> Iterator[tuple[int, TracerProvider]]:
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    exporter = OTLPSpanExporter(endpoint=f"http://{otlp_grpc}", insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
    handler = _handler(provider, outbound_port) if with_sdk else _forwarding_handler(outbound_port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
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


def _forwarding_handler(outbound_port: int | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = _status_of(self.path)
            if self.path.startswith("/chain"):
                headers = {name: value for name, value in self.headers.items() if name.lower().startswith("x-b3-")}
                path = self.path.removeprefix("/chain") or "/reviews"
                status = httpx.get(f"http://127.0.0.1:{outbound_port}{path}", headers=headers).status_code
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Keep the test output quiet."""

    return Handler


def _status_of(path: str) -> int:
    last = path.rpartition("/")[2]
    return int(last) if last.isdigit() else 200
