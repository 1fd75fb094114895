"""What Kiali and Grafana read of an answer, read as they read it: clients.md sections 3 and 4."""

import json
from pathlib import Path
from typing import Any

import pytest

from collector.decode import zipkin_json_v2
from storage.batch import SpanBatch
from storage.span import Resource, SpanKind
from tests.builders import SECOND, a_span
from tests.query.jaeger.conftest import Door

DATA = Path(__file__).parents[2] / "data"
CAPTURED_US = 1_795_229_130_000_000
WINDOW = {"start": CAPTURED_US - 60_000_000, "end": CAPTURED_US + 60_000_000}
SHARED_TRACE = "248bae9853f62bb30f581302bf57279d"


@pytest.fixture
def mesh(door: Door) -> Door:
    """The captured mesh: gateway and sidecar sharing span ids, and the application that the sidecar stands before."""
    for number in range(1, 5):
        body = (DATA / f"envoy-zipkin-json-shared-000{number}.json").read_bytes()
        door.store.write(SpanBatch(zipkin_json_v2.decode(body).columns.to_batch(received_ns=0).records))
    door.write(
        a_span(
            trace_id(),
            0xA1,
            parent_span_id=bytes.fromhex("0f581302bf57279d"),
            name="GET /chain",
            service="productpage",
            kind=SpanKind.SERVER,
            start_ns=CAPTURED_US * 1_000 + SECOND // 2,
            resource=Resource({"service.name": "productpage", "host.name": "productpage-v1-1", "cluster": "c1"}),
        )
    )
    return door


def trace_id() -> Any:
    return bytes.fromhex(SHARED_TRACE)


async def test_kiali_finds_the_traces_of_a_workload_in_its_cluster(mesh: Door) -> None:
    found = await mesh.data(
        "/api/traces",
        service="productpage.default",
        tags=json.dumps({"istio.cluster_id": "Kubernetes"}),
        minDuration="0us",
        limit=100,
        **WINDOW,
    )

    assert SHARED_TRACE in [trace["traceID"] for trace in found]
    for trace in found:
        assert trace["spans"]


async def test_kiali_can_read_every_field_of_every_span(mesh: Door) -> None:
    (trace,) = await mesh.data(f"/api/traces/{SHARED_TRACE}")

    for span in trace["spans"]:
        assert isinstance(span["startTime"], int)
        assert isinstance(span["duration"], int)
        assert span["startTime"] > 0
        assert span["duration"] >= 0
        assert isinstance(span["warnings"], list | None)
        assert trace["processes"][span["processID"]]["serviceName"]
        assert all(set(tag) == {"key", "type", "value"} for tag in span["tags"])
        if span["references"]:
            assert span["references"][0]["refType"] in ("CHILD_OF", "FOLLOWS_FROM")
    envoy = {tag["key"]: tag["value"] for tag in trace["spans"][0]["tags"]}
    assert envoy["component"] == "proxy"
    assert envoy["span.kind"] == "client"
    assert len(envoy["node_id"].split("~")) == 4


async def test_the_span_ids_of_a_trace_are_unique_and_every_parent_is_there(mesh: Door) -> None:
    """Grafana builds its node graph from them; Kiali appends "_1" to a duplicate and loses its children."""
    found = await mesh.data("/api/traces", service="productpage.default", limit=100, **WINDOW)

    assert len(found) >= 5
    for trace in found:
        span_ids = [span["spanID"] for span in trace["spans"]]
        assert len(set(span_ids)) == len(span_ids)
        parents = {span["references"][0]["spanID"] for span in trace["spans"] if span["references"]}
        assert parents - set(span_ids) <= {"00000000000000bb"}, "only the caller that sent its own context is unknown"


async def test_sidecar_and_application_are_one_tree_in_grafana(mesh: Door) -> None:
    (trace,) = await mesh.data(f"/api/traces/{SHARED_TRACE}")
    services = {name: process["serviceName"] for name, process in trace["processes"].items()}
    service_of = {span["spanID"]: services[span["processID"]] for span in trace["spans"]}

    calls = [
        (service_of[first_child_of["spanID"]], services[span["processID"]])
        for span in trace["spans"]
        if (first_child_of := _first_child_of(span))
    ]

    assert sorted(calls) == [
        ("istio-ingressgateway.istio-system", "productpage.default"),
        ("productpage.default", "productpage"),
        ("productpage.default", "productpage.default"),
    ]


async def test_grafana_takes_the_earliest_span_for_the_root(mesh: Door) -> None:
    (trace,) = await mesh.data(f"/api/traces/{SHARED_TRACE}")

    assert min(trace["spans"], key=lambda span: span["startTime"])["references"] == []


async def test_grafana_finds_resource_attributes_among_the_process_tags(mesh: Door) -> None:
    """Its trace-to-logs looks for cluster, hostname, namespace, pod, service.namespace there."""
    (trace,) = await mesh.data(f"/api/traces/{SHARED_TRACE}")

    (process,) = (one for one in trace["processes"].values() if one["serviceName"] == "productpage")
    assert {"key": "cluster", "type": "string", "value": "c1"} in process["tags"]


def _first_child_of(span: Any) -> Any:
    return next((reference for reference in span["references"] if reference["refType"] == "CHILD_OF"), None)
