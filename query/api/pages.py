"""What clew's own pages share. They need nothing but themselves: no script, no font and no other host."""

from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType

Doors = Callable[[], Mapping[str, str]]
"""The doors that are open, by the names of the ready line, with the addresses they listen on."""

NO_DOORS: Mapping[str, str] = MappingProxyType({})

STYLE = """<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
code, pre { background: #8882; padding: .1em .3em; border-radius: .2em; }
pre { padding: .5em 1em; overflow-x: auto; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2em 1em .2em 0; }
</style>"""

_PURPOSES = {
    "zipkin": "Zipkin: spans in, read API, <code>/zipkin/</code>",
    "otlp_grpc": "OTLP over gRPC",
    "otlp_http": "OTLP over HTTP: <code>POST /v1/traces</code>",
    "jaeger_thrift_http": "Jaeger's thrift over HTTP: <code>POST /api/traces</code>",
    "jaeger_collector_grpc": "Jaeger's spans over gRPC, and sampling",
    "jaeger_udp_compact": "Jaeger's agents: compact thrift over UDP",
    "jaeger_udp_binary": "Jaeger's agents: binary thrift over UDP",
    "sampling_http": "Jaeger's sampling over HTTP",
    "sampling_grpc": "Jaeger's sampling over gRPC",
    "jaeger": "Jaeger's HTTP API and page",
    "jaeger_grpc": "Jaeger's gRPC read APIs",
    "remote_storage": "Jaeger's Remote Storage",
    "tempo": "Tempo's read API",
    "admin": "health and <code>/metrics</code>, as Jaeger 1",
    "status": "health, as Jaeger 2",
    "metrics": "metrics, as Jaeger 2",
}

_HOW_TO = """<h2>Send spans here</h2>
<p>Istio, in its mesh configuration:</p>
<pre>meshConfig:
  enableTracing: true
  defaultConfig:
    tracing:
      zipkin:
        address: THIS_HOST:{zipkin}</pre>
<p>An OpenTelemetry SDK, in its environment:</p>
<pre>OTEL_TRACES_EXPORTER=otlp
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
OTEL_EXPORTER_OTLP_ENDPOINT=http://THIS_HOST:{otlp_http}</pre>
"""
_STANDARD_PORTS = {"zipkin": "9411", "otlp_http": "4318"}


def doors_html(doors: Mapping[str, str]) -> str:
    """The doors as a table, and how to point Istio and an SDK at them; "" when none are known."""
    if not doors:
        return ""
    rows = "\n".join(
        f"<tr><td><code>{escape(address)}</code></td><td>{_PURPOSES.get(name, escape(name))}</td></tr>"
        for name, address in doors.items()
    )
    ports = {name: doors.get(name, port).rpartition(":")[2] for name, port in _STANDARD_PORTS.items()}
    return f"<h2>Open doors</h2>\n<table>\n{rows}\n</table>\n{_HOW_TO.format(**ports)}"
