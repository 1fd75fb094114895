"""Real Envoys and real SDKs through the real command: one request is one trace, and the mesh is a graph."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.process.clew_process import Clew
from tests.process.mesh import GATEWAY, PRODUCTPAGE, REVIEWS, Mesh, running_mesh
from tests.waiting import wait_until

REQUESTS = {
    "ok": ("/chain/reviews", {}, 200),
    "not-found": ("/404", {}, 404),
    "unavailable": ("/503", {}, 503),
    "dead-host": ("/chain/dead", {}, 503),
    "forced": ("/chain/forced", {"x-envoy-force-trace": "1"}, 200),
}
CHAIN = [
    (GATEWAY, "CLIENT"),
    (PRODUCTPAGE, "SERVER"),
    (PRODUCTPAGE, "SERVER"),
    (PRODUCTPAGE, None),
    (PRODUCTPAGE, "CLIENT"),
    (REVIEWS, "SERVER"),
]
SPANS = {"ok": 6, "not-found": 3, "unavailable": 3, "dead-host": 5, "forced": 6}


@dataclass(frozen=True)
class Traffic:
    """A clew that holds the traces of REQUESTS, named by their client trace id."""

    clew: Clew
    shared_spans: bool

    def zipkin_trace(self, name: str) -> list[dict[str, Any]]:
        """The one trace of a request, found by its tag through Zipkin's API."""
        query = {"annotationQuery": f"guid:x-client-trace-id={name}", "limit": "100"}
        traces = httpx.get(f"{self.clew.url('zipkin')}/api/v2/traces", params=query).json()
        assert len(traces) == 1, f"{name}: {len(traces)} traces"
        return list(traces[0])

    def jaeger_trace(self, name: str) -> dict[str, Any]:
        """The one trace of a request, found by its tag through Jaeger's API."""
        query = {"service": GATEWAY, "tags": f'{{"guid:x-client-trace-id":"{name}"}}'}
        traces = httpx.get(f"{self.clew.url('jaeger')}/api/traces", params=query).json()["data"]
        assert len(traces) == 1, f"{name}: {len(traces)} traces"
        return dict(traces[0])


@pytest.fixture(scope="module", params=[False, True], ids=["own span ids", "shared span ids"])
def traffic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    directory = tmp_path_factory.mktemp("mesh")
    with Clew(directory) as clew:
        zipkin, otlp = clew.doors["zipkin"], clew.doors["otlp_grpc"]
        with running_mesh(directory, zipkin, otlp, shared_spans=request.param) as mesh:
            send_requests(mesh)
            wait_until(lambda: all(has_all_spans(clew, name) for name in REQUESTS), "every span has arrived")
        yield Traffic(clew, request.param)


def send_requests(mesh: Mesh) -> None:
    for name, (path, headers, status) in REQUESTS.items():
        answer = httpx.get(mesh.gateway_url + path, headers={"x-client-trace-id": name, **headers})
        assert answer.status_code == status, f"{name}: {answer.status_code}"
    mesh.flush()


def has_all_spans(clew: Clew, name: str) -> bool:
    query = {"annotationQuery": f"guid:x-client-trace-id={name}"}
    traces = httpx.get(f"{clew.url('zipkin')}/api/v2/traces", params=query).json()
    return bool(traces) and len(traces[0]) == SPANS[name]


def path_to_leaf(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Zipkin spans from the root to the deepest leaf: a shared server half hangs under its client half."""
    path = [span for span in spans if "parentId" not in span and not span.get("shared")]
    assert len(path) == 1, "expected one root"
    while True:
        last = path[-1]
        halves = [s for s in spans if s["id"] == last["id"] and s.get("shared") and not last.get("shared")]
        children = [s for s in spans if s.get("parentId") == last["id"] and s["id"] != last["id"] and s not in path]
        following = halves or children
        if not following:
            return path
        assert len(following) == 1, f"expected one child of {last}"
        path.append(following[0])


@pytest.mark.parametrize("name", list(REQUESTS))
def test_zipkin_api_gives_one_trace_per_request_with_all_of_its_spans(traffic: Traffic, name: str) -> None:
    spans = traffic.zipkin_trace(name)

    assert len(spans) == SPANS[name]
    assert len({span["traceId"] for span in spans}) == 1
    assert len(path_to_leaf(spans)) == len(spans)


@pytest.mark.parametrize("name", ["ok", "forced"])
def test_zipkin_api_joins_sidecar_and_application_spans_from_root_to_leaf(traffic: Traffic, name: str) -> None:
    path = path_to_leaf(traffic.zipkin_trace(name))

    assert [(span["localEndpoint"]["serviceName"], span.get("kind")) for span in path] == CHAIN


@pytest.mark.parametrize("name", list(REQUESTS))
def test_jaeger_api_gives_one_tree_per_request_with_unique_span_ids(traffic: Traffic, name: str) -> None:
    trace = traffic.jaeger_trace(name)
    ids = [span["spanID"] for span in trace["spans"]]
    roots = [span for span in trace["spans"] if not span["references"]]

    assert len(ids) == len(set(ids)) == SPANS[name]
    assert [trace["processes"][root["processID"]]["serviceName"] for root in roots] == [GATEWAY]
    assert all(
        span["references"][0]["spanID"] in ids and span["references"][0]["refType"] == "CHILD_OF"
        for span in trace["spans"]
        if span["references"]
    )


@pytest.mark.parametrize("name", ["ok", "forced"])
def test_jaeger_api_joins_sidecar_and_application_spans_from_root_to_leaf(traffic: Traffic, name: str) -> None:
    trace = traffic.jaeger_trace(name)
    parent_of = {span["spanID"]: span["references"][0]["spanID"] for span in trace["spans"] if span["references"]}
    by_id = {span["spanID"]: span for span in trace["spans"]}
    leaf = next(span_id for span_id in by_id if span_id not in parent_of.values())
    path = [leaf]
    while path[-1] in parent_of:
        path.append(parent_of[path[-1]])

    services = [trace["processes"][by_id[span_id]["processID"]]["serviceName"] for span_id in reversed(path)]
    assert services == [service for service, _ in CHAIN]


def test_a_404_is_no_error_and_a_503_is_one_in_the_sidecars_spans(traffic: Traffic) -> None:
    def sidecar_errors(name: str) -> set[bool]:
        return {"error" in s["tags"] for s in traffic.zipkin_trace(name) if s["tags"].get("component") == "proxy"}

    assert sidecar_errors("not-found") == {False}
    assert sidecar_errors("unavailable") == {True}


def test_a_call_to_a_dead_host_ends_in_the_sidecars_client_span_with_its_reason(traffic: Traffic) -> None:
    leaf = path_to_leaf(traffic.zipkin_trace("dead-host"))[-1]

    assert (leaf["kind"], leaf["tags"]["response_flags"]) == ("CLIENT", "UF")


@pytest.mark.parametrize("door", ["zipkin", "jaeger"])
def test_dependencies_show_gateway_to_productpage_to_reviews(traffic: Traffic, door: str) -> None:
    now_ms = int(time.time() * 1000)
    path = "/api/v2/dependencies" if door == "zipkin" else "/api/dependencies"
    answer = httpx.get(traffic.clew.url(door) + path, params={"endTs": now_ms, "lookback": 3_600_000}).json()
    links = answer if door == "zipkin" else answer["data"]

    calls = {(link["parent"], link["child"]): link["callCount"] for link in links if link["parent"] != link["child"]}
    assert calls == {(GATEWAY, PRODUCTPAGE): 5, (PRODUCTPAGE, REVIEWS): 2}


@pytest.mark.parametrize("door", ["zipkin", "jaeger"])
def test_services_name_the_whole_mesh(traffic: Traffic, door: str) -> None:
    path = "/api/v2/services" if door == "zipkin" else "/api/services"
    answer = httpx.get(traffic.clew.url(door) + path).json()

    assert set(answer if door == "zipkin" else answer["data"]) == {GATEWAY, PRODUCTPAGE, REVIEWS}
