"""A clew as the page meets it: behind a mesh of real Envoys and SDKs, and with traces that are hard to show."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.process.clew_process import Clew
from tests.process.mesh import running_mesh
from tests.ui.giants import giant_trace
from tests.waiting import wait_until

BASE_PATH = "/jaeger"
GIANT_SPANS = 50_000
GIANT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa0001"
BROKEN = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa0002"
SKEWED = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa0003"
RICH = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa0004"
RICH_SPAN = "00000000000000b2"
ORPHAN_SPAN = "00000000000000c2"


@dataclass(frozen=True, slots=True)
class Scene:
    """chained: a request through gateway, sidecar and two applications; failed: one that was answered 503."""

    clew: Clew
    chained: str
    failed: str

    def url(self, path: str = "/", *, base: str = "") -> str:
        """An address on Jaeger's port. base: "" or BASE_PATH; clew answers below both."""
        return f"{self.clew.url('jaeger')}{base}{path}"

    def zipkin_url(self, path: str) -> str:
        """An address on Zipkin's port."""
        return f"{self.clew.url('zipkin')}{path}"


@contextlib.contextmanager
def running_scene(directory: Path) -> Iterator[Scene]:
    """The clew, filled; it is stopped at the end."""
    with Clew(directory, QUERY_BASE_PATH=BASE_PATH) as clew:
        doors = clew.doors
        with running_mesh(directory, doors["zipkin"], doors["otlp_grpc"], shared_spans=False) as mesh:
            for path in ("/ok", "/status/404", "/ok", "/chain/reviews", "/chain/dead", "/status/503", "/chain/reviews"):
                httpx.get(mesh.gateway_url + path)
            mesh.flush()
            wait_until(lambda: len(_found(clew, "/chain/reviews")) == 2, "both chained requests to arrive")
            wait_until(lambda: len(_found(clew, "/status/503")) == 1, "the failed request to arrive")
        _send_special(clew)
        yield Scene(clew, _found(clew, "/chain/reviews")[0], _found(clew, "/status/503")[0])


def _found(clew: Clew, path: str) -> list[str]:
    """The traces of requests for this path, whole: a sidecar's spans come up to five seconds later."""
    url = f"{clew.url('jaeger')}/api/clew/v1/trace-summaries?limit=100"
    found: list[dict[str, Any]] = httpx.get(url).json()["summaries"]
    whole = [one["traceId"] for one in found if one["orphanCount"] == 0 and one["rootService"].startswith("istio")]
    return [trace_id for trace_id in whole if path in httpx.get(f"{clew.url('jaeger')}/api/traces/{trace_id}").text]


def _send_special(clew: Clew) -> None:
    now_ns = time.time_ns() - 60 * 10**9
    for body in giant_trace(bytes.fromhex(GIANT), GIANT_SPANS, now_ns):
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(f"{clew.url('otlp_http')}/v1/traces", content=body, headers=headers, timeout=60).raise_for_status()
    now_us = now_ns // 1000
    spans = [
        _zipkin(BROKEN, "00000000000000c1", "shop", "get /", now_us, 50_000),
        _zipkin(BROKEN, ORPHAN_SPAN, "stock", "query", now_us + 10_000, 20_000, parentId="00000000000000ff"),
        _zipkin(SKEWED, "00000000000000d1", "shop", "get /", now_us, 50_000, kind="CLIENT"),
        _zipkin(SKEWED, "00000000000000d2", "far", "get /", now_us - 3_000_000, 20_000, parentId="00000000000000d1")
        | {"localEndpoint": {"serviceName": "far", "ipv4": "10.0.0.9"}},
    ]
    httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=spans).raise_for_status()
    httpx.post(f"{clew.url('otlp_http')}/v1/traces", json=_rich(now_ns)).raise_for_status()


def _zipkin(
    trace_id: str, span_id: str, service: str, name: str, start_us: int, duration_us: int, **more: Any
) -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "id": span_id,
        "name": name,
        "kind": "SERVER",
        "timestamp": start_us,
        "duration": duration_us,
        "localEndpoint": {"serviceName": service, "ipv4": "10.0.0.1"},
        **more,
    }


def _rich(now_ns: int) -> dict[str, Any]:
    """A trace whose second span has an attribute of every type, an event and a link."""

    def attribute(key: str, **value: Any) -> dict[str, Any]:
        return {"key": key, "value": value}

    def span(span_id: str, name: str, start_ns: int, duration_ns: int, **more: Any) -> dict[str, Any]:
        times = {"startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + duration_ns)}
        return {"traceId": RICH, "spanId": span_id, "name": name, "kind": 2, **times, **more}

    attributes = [
        attribute("text", stringValue="<b>not bold</b>"),
        attribute("count", intValue="9007199254740993"),
        attribute("ratio", doubleValue=0.5),
        attribute("cached", boolValue=True),
        attribute("list", arrayValue={"values": [{"stringValue": "a"}, {"intValue": "1"}]}),
        attribute("url.full", stringValue="https://shop.example/cart"),
    ]
    rich = span(
        RICH_SPAN,
        "put /cart",
        now_ns + 2_000_000,
        6_000_000,
        parentSpanId="00000000000000b1",
        attributes=attributes,
        events=[{"timeUnixNano": str(now_ns + 3_000_000), "name": "cart locked", "attributes": [attributes[1]]}],
        links=[{"traceId": BROKEN, "spanId": ORPHAN_SPAN}],
        status={"code": 2, "message": "cart is full"},
    )
    scope = {"name": "shop.http", "version": "1.2"}
    resource = {"attributes": [attribute("service.name", stringValue="cart"), attribute("host", stringValue="h1")]}
    spans = [span("00000000000000b1", "post /order", now_ns, 10_000_000), rich]
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}
