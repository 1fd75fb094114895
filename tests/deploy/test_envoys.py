"""The Envoys of docker-compose.yml, as a real Envoy reads them, and running before real processes of clew."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.placed_envoy import placed
from tests.process.clew_process import Clew
from tests.process.envoy import running_envoy
from tests.process.senders import SPANS_PER_EXPORT, SPANS_PER_POST, exporting, otlp_request, spans_held, zipkin_spans
from tests.servers.ports import free_ports
from tests.servers.postgresql import PostgreSQLServer
from tests.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
DEMO, EDGE = DEPLOY / "demo" / "envoy.yaml", DEPLOY / "edge" / "envoy.yaml"
APP = DEPLOY / "demo" / "app.py"


@pytest.mark.parametrize("config", [DEMO, EDGE], ids=["demo", "edge"])
def test_the_configuration_is_good_for_envoy_as_it_is(config: Path) -> None:
    binary = shutil.which("envoy", path=str(Path(sys.executable).parent))
    assert binary is not None
    checked = subprocess.run(
        [binary, "--mode", "validate", "-c", str(config)], capture_output=True, text=True, timeout=60, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "deprecated" not in checked.stderr.lower()


def application(*arguments: str, otlp_http: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_http}
    return subprocess.Popen([sys.executable, str(APP), *arguments], env=environment)


def traces_of(clew: Clew, service: str) -> list[list[dict[str, Any]]]:
    query = {"serviceName": service, "limit": "100"}
    return list(httpx.get(f"{clew.url('zipkin')}/api/v2/traces", params=query).json())


def port_of(clew: Clew, door: str) -> int:
    return int(clew.doors[door].rpartition(":")[2])


def test_a_visit_to_the_demo_is_one_trace_of_the_proxy_and_both_applications(tmp_path: Path) -> None:
    admin, inbound, outbound, shop_port, stock_port = free_ports(5)
    with Clew(tmp_path / "clew") as clew:
        upstreams = {
            "shop:8000": [(f"127.0.0.1:{shop_port}", 0)],
            "stock:8000": [(f"127.0.0.1:{stock_port}", 0)],
            "clew:9411": [(clew.doors["zipkin"], 0)],
        }
        config = placed(DEMO, admin, {8080: inbound, 8081: outbound}, upstreams)
        otlp = clew.url("otlp_http")
        shop = application(
            "serve", "--name=shop", f"--port={shop_port}", f"--next=http://127.0.0.1:{outbound}", otlp_http=otlp
        )
        stock = application("serve", "--name=stock", f"--port={stock_port}", otlp_http=otlp)
        with running_envoy(tmp_path / "front.json", config, 11):
            wait_until(lambda: answers(shop_port) and answers(stock_port), "both applications answer")
            visited = application(
                "visit", f"http://127.0.0.1:{inbound}", "--count=8", "--per-second=50", otlp_http=otlp
            ).wait(60)
            wait_until(lambda: len(whole_traces(clew)) >= 4, "whole traces of the demo")
        for process in (shop, stock):
            process.terminate()
            assert process.wait(20) == 0
        assert visited == 0
        links = httpx.get(f"{clew.url('zipkin')}/api/v2/dependencies", params={"endTs": now_ms()}).json()

    # Envoy has a span a hop (in and out), each application its own below it.
    assert {(link["parent"], link["child"]) for link in links} == {
        ("front", "shop"),
        ("shop", "front"),
        ("front", "stock"),
    }


def whole_traces(clew: Clew) -> list[list[dict[str, Any]]]:
    wanted = {"front", "shop", "stock"}
    return [
        trace
        for trace in traces_of(clew, "front")
        if {span.get("localEndpoint", {}).get("serviceName") for span in trace} == wanted
        and sum("parentId" not in span for span in trace) == 1
    ]


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready/0").status_code > 0
    except httpx.TransportError:
        return False


def now_ms() -> str:
    return str(time.time_ns() // 10**6)


def test_the_edge_is_one_address_for_two_collectors_and_a_query_server(tmp_path: Path) -> None:
    admin, zipkin, otlp_grpc, otlp_http, jaeger = free_ports(5)
    with PostgreSQLServer() as server, ExitStack() as stack:
        url = server.new_database()
        roles = {"one": "collector", "two": "collector", "query": "query"}
        one, two, query = (
            stack.enter_context(Clew(tmp_path / name, CLEW_ROLE=role, CLEW_STORAGE_URL=url))
            for name, role in roles.items()
        )
        upstreams = {
            f"collectors:{port}": [(clew.doors[door], port_of(clew, "admin")) for clew in (one, two)]
            for door, port in (("zipkin", 9411), ("otlp_grpc", 4317), ("otlp_http", 4318))
        }
        upstreams |= {
            f"query:{port}": [(query.doors[door], port_of(query, "admin"))]
            for door, port in (("zipkin", 9411), ("jaeger", 16686))
        }
        listeners = {9411: zipkin, 4317: otlp_grpc, 4318: otlp_http, 16686: jaeger}
        with running_envoy(tmp_path / "edge.json", placed(EDGE, admin, listeners, upstreams), 12):
            base = f"http://127.0.0.1:{zipkin}"
            wait_until(lambda: httpx.get(f"{base}/api/v2/services").status_code == 200, "questions are answered")
            sent = {secrets.token_hex(16): SPANS_PER_POST for _ in range(10)}
            wait_until(lambda: took_all(base, sent), "posts are taken")
            with exporting(f"127.0.0.1:{otlp_grpc}") as export:
                trace = secrets.token_hex(16)
                sent[trace] = export(trace)
            body = otlp_request(trace := secrets.token_hex(16)).SerializeToString()
            headers = {"content-type": "application/x-protobuf"}
            answer = httpx.post(f"http://127.0.0.1:{otlp_http}/v1/traces", content=body, headers=headers)
            assert answer.status_code == 200
            sent[trace] = SPANS_PER_EXPORT
            services = httpx.get(f"http://127.0.0.1:{jaeger}/api/services").json()["data"]

            assert spans_held(base, list(sent)) == sent
            assert "sender" in services
            assert all(stored_spans(clew) > 0 for clew in (one, two))


def took_all(base: str, traces: dict[str, int]) -> bool:
    return all(
        httpx.post(f"{base}/api/v2/spans", json=zipkin_spans(trace)).status_code == 202
        for trace in traces
        if trace not in spans_held(base, list(traces))
    )


def stored_spans(clew: Clew) -> float:
    lines = httpx.get(f"{clew.url('metrics')}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("clew_spans_stored_total{"))
