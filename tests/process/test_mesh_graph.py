"""A working mesh is never an empty graph, whoever reports: real Envoys, real SDKs, both, and shared ids both ways."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.clew_process import Clew
from tests.process.mesh import GATEWAY, PRODUCTPAGE, REVIEWS, Mesh, running_applications, running_mesh
from tests.waiting import wait_until

REQUESTS = {"/chain/reviews": 200, "/chain": 200, "/404": 404, "/503": 503}
DEAD = "/chain/dead"
"""Only a sidecar has a host that is dead."""
LOOPBACK = "127.0.0.1 (external)"
"""What the applications call, by its URL: the outbound listener, whose routes lead to reviews or to a dead host."""

Calls = dict[tuple[str, str], tuple[int, int]]
"""Calls and errors by caller and called."""

_ENVOY: Calls = {(GATEWAY, PRODUCTPAGE): (5, 2), (PRODUCTPAGE, LOOPBACK): (3, 1)}
_BOTH: Calls = {
    (GATEWAY, PRODUCTPAGE): (5, 2),
    (PRODUCTPAGE, PRODUCTPAGE): (5, 2),
    (PRODUCTPAGE, REVIEWS): (2, 0),
    (PRODUCTPAGE, LOOPBACK): (1, 1),
}
"""The sidecar and its application are one service, so the one calls the other."""
EXPECTED: dict[str, Calls] = {
    "envoy alone": _ENVOY,
    "envoy alone, shared ids": _ENVOY,
    "envoy and sdk": _BOTH,
    "envoy and sdk, shared ids": _BOTH,
    "sdk alone": {(PRODUCTPAGE, REVIEWS): (2, 0)},
}


@dataclass(frozen=True)
class Told:
    """A clew that holds what a mesh told of REQUESTS, and DEAD where there are sidecars."""

    clew: Clew
    expected: Calls

    def get(self, door: str, path: str) -> Any:
        window = {"endTs": int(time.time() * 1000), "lookback": 3_600_000}
        return httpx.get(self.clew.url(door) + path, params=window).raise_for_status().json()

    def graph(self) -> dict[str, Any]:
        return dict(self.get("jaeger", "/api/clew/v1/dependencies"))

    def calls(self) -> Calls:
        """Of the service graph."""
        graph = self.graph()
        names = [
            node["name"] if node["kind"] == "service" else f"{node['name']} ({node['kind']})" for node in graph["nodes"]
        ]
        return {
            (names[edge["parent"]], names[edge["child"]]): (edge["calls"], edge["errors"]) for edge in graph["edges"]
        }


def a_mesh(reporters: str, directory: Path, clew: Clew) -> AbstractContextManager[Mesh]:
    zipkin, otlp = clew.doors["zipkin"], clew.doors["otlp_grpc"]
    if reporters == "sdk alone":
        return running_applications(otlp)
    shared, with_sdks = "shared" in reporters, "sdk" in reporters
    return running_mesh(directory, zipkin, otlp, shared_spans=shared, with_sdks=with_sdks)


@pytest.fixture(scope="module", params=list(EXPECTED))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("mesh")
    with Clew(directory) as clew:
        told = Told(clew, EXPECTED[request.param])
        with a_mesh(request.param, directory, clew) as mesh:
            paths = REQUESTS if request.param == "sdk alone" else REQUESTS | {DEAD: 503}
            for path, status in paths.items():
                assert httpx.get(mesh.gateway_url + path).status_code == status, path
            mesh.flush()
            wait_until(lambda: told.calls() == told.expected, f"the graph is {told.expected}")
        yield told


def test_the_service_graph_has_every_call_and_error(told: Told) -> None:
    assert told.calls() == told.expected


def test_latencies_of_every_edge_are_known(told: Told) -> None:
    for edge in told.graph()["edges"]:
        assert 0 < int(edge["p50Nano"]) <= int(edge["p95Nano"]) <= int(edge["p99Nano"]) < 60 * 10**9


def test_services_of_the_mesh_report_and_hosts_do_not(told: Told) -> None:
    for node in told.graph()["nodes"]:
        assert node["instrumented"] is (node["kind"] == "service")


@pytest.mark.parametrize("door", ["zipkin", "jaeger"])
def test_the_peers_graphs_have_the_calls_between_services(told: Told, door: str) -> None:
    path = "/api/v2/dependencies" if door == "zipkin" else "/api/dependencies"
    answer = told.get(door, path)
    links = answer if door == "zipkin" else answer["data"]

    between_services = {pair: counts for pair, counts in told.expected.items() if LOOPBACK not in pair}
    assert {(link["parent"], link["child"]): link["callCount"] for link in links} == {
        pair: calls for pair, (calls, _) in between_services.items()
    }
    if door == "zipkin":
        assert {(link["parent"], link["child"]): link.get("errorCount", 0) for link in links} == {
            pair: errors for pair, (_, errors) in between_services.items()
        }
