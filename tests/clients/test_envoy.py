"""Envoy's tracers, each in front of a proxied request: a gateway's two spans and a sidecar's one are one trace."""

from collections.abc import Mapping
from typing import TypeVar

import httpx
import pytest

from tests.clients.expectations import as_otlp, assert_every_window_shows
from tests.clients.seen import otlp_form_of_zipkin
from tests.clients.windows import api_v3, zipkin_json
from tests.process.clew_process import Clew
from tests.process.envoy import (
    Config,
    bootstrap,
    cluster,
    listener,
    otlp_grpc_tracer,
    otlp_http_tracer,
    running_envoy,
    zipkin_tracer,
)
from tests.servers.ports import free_ports
from tests.waiting import wait_until

Seen = TypeVar("Seen")
GATEWAY = "istio-ingressgateway.istio-system"
TRACERS: Mapping[str, Config] = {
    "zipkin-json": zipkin_tracer("zipkin"),
    "zipkin-proto": zipkin_tracer("zipkin", encoding="HTTP_PROTO"),
    # A mesh lost all of its spans by this path: its collector took v2 bodies on it for v1.
    "zipkin-json-on-a-v1-path": zipkin_tracer("zipkin", path="/zipkin/api/v1/spans"),
    "otlp-grpc": otlp_grpc_tracer("otlp_grpc", GATEWAY),
    "otlp-http": otlp_http_tracer("otlp_http", GATEWAY),
}
ZIPKIN = [name for name in TRACERS if name.startswith("zipkin")]
OTLP = [name for name in TRACERS if name.startswith("otlp")]
TAGS = (
    {"tag": "istio.cluster_id", "literal": {"value": "Kubernetes"}},
    {"tag": "user", "request_header": {"name": "x-user", "default_value": "anon"}},
)
STATUSES = (200, 404, 503)
OTLP_STATUSES = {200: ["unset"] * 3, 404: ["unset", "error", "unset"], 503: ["error"] * 3}


@pytest.fixture(scope="module")
def traces(clew: Clew, tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, int], str]:
    """The trace id of one request for each tracer and status."""
    admin, *ports = free_ports(1 + 2 * len(TRACERS))
    fronts, inbounds = ports[: len(TRACERS)], ports[len(TRACERS) :]
    listeners, clusters = (
        [],
        [
            cluster(door, int(clew.doors[door].rpartition(":")[2]), http2=door == "otlp_grpc")
            for door in ("zipkin", "otlp_grpc", "otlp_http")
        ],
    )
    for (name, tracer), front, inbound in zip(TRACERS.items(), fronts, inbounds, strict=True):
        answers = {"/404": 404, "/503": 503, "/": 200}
        upstream = f"outbound|9080||{name}"
        edge = {"is_edge": True, "spawn_upstream_span": True}
        listeners += [
            listener(f"front-{name}", front, "OUTBOUND", {"/": upstream}, tracer, tags=TAGS, **edge),
            listener(f"inbound-{name}", inbound, "INBOUND", answers, tracer, tags=TAGS),
        ]
        clusters.append(cluster(upstream, inbound))
    node = "router~10.1.2.3~istio-ingressgateway-1.istio-system~istio-system.svc.cluster.local"
    config = bootstrap(node, GATEWAY, admin, listeners, clusters)
    with running_envoy(tmp_path_factory.mktemp("envoy") / "envoy.json", config, 3):
        for name, front in zip(TRACERS, fronts, strict=True):
            for status in STATUSES:
                headers = {b"x-client-trace-id": f"{name}-{status}".encode(), b"x-user": "zoë".encode()}
                assert httpx.get(f"http://127.0.0.1:{front}/{status}?q=%C3%BC", headers=headers).status_code == status
        wait_until(lambda: all(found(clew, name, status) for name in TRACERS for status in STATUSES), "all spans")
    return {(name, status): found(clew, name, status) for name in TRACERS for status in STATUSES}


def found(clew: Clew, name: str, status: int) -> str:
    """The trace id of a request once its three spans are there, "" before."""
    query = {"annotationQuery": f"guid:x-client-trace-id={name}-{status}", "limit": "10"}
    answer = httpx.get(f"{clew.url('zipkin')}/api/v2/traces", params=query).json()
    return str(answer[0][0]["traceId"]) if answer and len(answer[0]) == 3 else ""


def chain(spans: Mapping[str, Seen], parents: Mapping[str, str]) -> list[Seen]:
    """The spans from the root down, one child each. parents: parent id by span id, "" for the root."""
    children = {parent: span_id for span_id, parent in parents.items()}
    path, at = [], ""
    while at in children:
        at = children[at]
        path.append(spans[at])
    return path


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("tracer", ZIPKIN)
def test_a_zipkin_tracers_spans_read_back_complete_through_every_window(
    clew: Clew, traces: Mapping[tuple[str, int], str], tracer: str, status: int
) -> None:
    spans = zipkin_json(clew, traces[tracer, status])
    path = chain(spans, {span_id: span.get("parentId", "") for span_id, span in spans.items()})

    assert [span["kind"] for span in path] == ["SERVER", "CLIENT", "SERVER"]
    assert [span["localEndpoint"]["serviceName"] for span in path] == [GATEWAY] * 3
    assert {span["tags"]["http.status_code"] for span in path} == {str(status)}
    assert {span["tags"]["user"] for span in path} == {"zoë"}
    assert {"error" in span["tags"] for span in path} == {status == 503}
    assert all(path[0]["timestamp"] <= span["timestamp"] and span["duration"] > 0 for span in path)
    assert_every_window_shows(clew, [otlp_form_of_zipkin(span) for span in path], zipkin=path)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("tracer", OTLP)
def test_an_otlp_tracers_spans_read_back_complete_through_every_window(
    clew: Clew, traces: Mapping[tuple[str, int], str], tracer: str, status: int
) -> None:
    spans = as_otlp(api_v3(clew, traces[tracer, status]))
    path = chain(spans, {span_id: span.parent_id for span_id, span in spans.items()})

    assert [span.kind for span in path] == ["server", "client", "server"]
    assert {span.attributes["http.status_code"] for span in path} == {("str", str(status))}
    assert {span.attributes["user"] for span in path} == {("str", "zoë")}
    # A caller's 404 is an error by OTLP, though not by Envoy's Zipkin.
    assert [span.status for span in path] == OTLP_STATUSES[status]
    assert {span.resource["service.name"] for span in path} == {("str", GATEWAY)}
    assert all(path[0].start_ns <= span.start_ns < span.end_ns for span in path)
    assert_every_window_shows(clew, path)
