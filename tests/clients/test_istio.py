"""What Istio's own integration tests ask of its tracing add-on, and how they read the answers: clients.md section 5."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.clients.istio_traffic import GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION, Traffic
from tests.process.clew_process import Clew

PRODUCTPAGE_NAME = "productpage.default.svc.cluster.local:9080/*"
REVIEWS_NAME = "reviews.default.svc.cluster.local:9080/*"


@dataclass(slots=True)
class Node:
    """A span and its children, as Istio's tests build them from id and parentId."""

    name: str
    service: str
    children: list["Node"] = field(default_factory=list)


def traces(mesh: Clew, query: str) -> dict[str, list[Node]]:
    """The roots of every trace of a search, by trace id. The query is sent as it stands, empty parameters too."""
    answer = httpx.get(f"{mesh.url('zipkin')}/api/v2/traces?{query}")
    assert answer.status_code == 200, answer.text
    return {spans[0]["traceId"]: roots(spans) for spans in answer.json()}


def roots(spans: list[dict[str, Any]]) -> list[Node]:
    nodes = {span["id"]: Node(span["name"], span["localEndpoint"]["serviceName"]) for span in spans}
    for span in spans:
        if span.get("parentId") in nodes:
            nodes[span["parentId"]].children.append(nodes[span["id"]])
    return [nodes[span["id"]] for span in spans if span.get("parentId") not in nodes]


def test_an_empty_annotation_query_is_none(mesh: Clew, traffic: Traffic) -> None:
    found = traces(mesh, f"limit=100&spanName={REVIEWS_NAME}&annotationQuery=")

    assert set(found) > {traffic.chained, traffic.shared}
    assert traffic.dead not in found


@pytest.mark.parametrize("query", ["http.status_code=404", "http.status_code=404 and istio.mesh_id=cluster.local"])
def test_an_empty_span_name_is_none(mesh: Clew, traffic: Traffic, query: str) -> None:
    assert set(traces(mesh, f"limit=300&spanName=&annotationQuery={query}")) == {traffic.not_found}


def test_the_tree_of_a_call_through_two_services_is_exactly_what_was_called(mesh: Clew, traffic: Traffic) -> None:
    found = traces(mesh, f"limit=100&spanName={REVIEWS_NAME}&annotationQuery=")

    application = Node("get /reviews/{id}", REVIEWS_APPLICATION)
    call = Node(REVIEWS_NAME, PRODUCTPAGE, [application])
    assert found[traffic.chained] == [Node(PRODUCTPAGE_NAME, GATEWAY, [Node(PRODUCTPAGE_NAME, PRODUCTPAGE, [call])])]


def test_a_trace_of_the_gateway_alone_begins_at_the_gateway(mesh: Clew, traffic: Traffic) -> None:
    found = traces(mesh, f"limit=100&spanName={PRODUCTPAGE_NAME}&annotationQuery=")

    assert found[traffic.ok] == [Node(PRODUCTPAGE_NAME, GATEWAY, [Node(PRODUCTPAGE_NAME, PRODUCTPAGE)])]
