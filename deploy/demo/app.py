"""The demo: small HTTP services that call each other, traced by the OpenTelemetry SDK, and a visitor that asks them.

    python app.py serve --name=shop --port=8000 [--next=URL]
    python app.py visit URL [--per-second=5] [--count=N]

A service answers every path after some milliseconds of work; one path in twenty is sold out (404), one in fifty fails
(500), by the path alone. With --next it asks there first, under a CLIENT span. B3 headers carry the trace, as Envoy's
Zipkin tracer does. Spans go by OTLP/HTTP to OTEL_EXPORTER_OTLP_ENDPOINT.
"""

import argparse
import itertools
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

TIMEOUT_S = 10.0
B3 = B3MultiFormat()


class Service:
    """One service. next_url: the base URL of the service that is asked first; "" asks nobody."""

    def __init__(self, tracer: trace.Tracer, next_url: str) -> None:
        self._tracer = tracer
        self._next_url = next_url

    def answer(self, path: str, headers: dict[str, str]) -> int:
        """The HTTP status for a GET of this path."""
        parent = B3.extract(headers)
        with self._tracer.start_as_current_span(f"GET {_route(path)}", parent, SpanKind.SERVER) as span:
            span.set_attributes({"http.request.method": "GET", "url.path": path, "http.route": _route(path)})
            status = self._ask_next(path) if self._next_url else 200
            if status == 200:
                status = self._work(path)
            _finish(span, status, failed=status >= 500)
        return status

    def _work(self, path: str) -> int:
        with self._tracer.start_as_current_span("work") as span:
            time.sleep(random.lognormvariate(-6.0, 0.8))
            number = zlib.crc32(path.encode())
            if number % 50 == 7:
                span.record_exception(RuntimeError("the shelf fell down"))
                span.set_status(Status(StatusCode.ERROR, "the shelf fell down"))
                return 500
            return 404 if number % 20 == 3 else 200

    def _ask_next(self, path: str) -> int:
        with self._tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
            span.set_attributes({"http.request.method": "GET", "url.full": self._next_url + path})
            headers: dict[str, str] = {}
            B3.inject(headers)
            status = get(self._next_url + path, headers)
            _finish(span, status, failed=status >= 400)
        return status


def get(url: str, headers: dict[str, str]) -> int:
    """The HTTP status of a GET; 502 when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 502


def _route(path: str) -> str:
    return "/" + path.strip("/").partition("/")[0]


def _finish(span: Span, status: int, *, failed: bool) -> None:
    span.set_attribute("http.response.status_code", status)
    if failed:
        span.set_status(Status(StatusCode.ERROR))


def serve(name: str, port: int, next_url: str) -> None:
    """Answer until SIGTERM or SIGINT, and send what spans are left."""
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=500))
    service = Service(provider.get_tracer("clew.demo"), next_url.rstrip("/"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            self.send_response(service.answer(self.path, headers))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in http.server
            """Say nothing: a request is told of by its span."""

    server = ThreadingHTTPServer(("", port), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
    provider.shutdown()


def visit(url: str, per_second: float, count: int | None) -> None:
    """Ask for one thing after another, so many a second, for ever or `count` times."""
    things = ("tea", "cup", "pot", "spoon")
    for number in itertools.count() if count is None else range(count):
        get(f"{url.rstrip('/')}/{things[number % len(things)]}/{number % 1000}", {})
        time.sleep(1 / per_second)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve")
    serving.add_argument("--name", required=True)
    serving.add_argument("--port", type=int, default=8000)
    serving.add_argument("--next", default="")
    visiting = commands.add_parser("visit")
    visiting.add_argument("url")
    visiting.add_argument("--per-second", type=float, default=5.0)
    visiting.add_argument("--count", type=int)
    given = parser.parse_args(arguments)
    if given.command == "serve":
        serve(given.name, given.port, given.next)
    else:
        visit(given.url, given.per_second, given.count)


if __name__ == "__main__":
    main(sys.argv[1:])
