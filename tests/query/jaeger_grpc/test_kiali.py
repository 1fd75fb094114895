"""Kiali over gRPC, its default: its requests, and what it makes of the answers. clients.md section 3.

Kiali groups spans by trace id, hashes each span's process, and makes Jaeger's JSON of them; its pages read that.
"""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from collector.decode import zipkin_json_v2
from storage.batch import SpanBatch
from storage.ids import trace_id_of
from storage.span import Resource, SpanKind, StatusCode
from tests.builders import MS, SECOND, a_short_trace_id, a_span
from tests.query.jaeger_grpc.conftest import Door
from tests.query.jaeger_messages import span_as_json
from wire import jaeger_query_v2_pb2 as v2

DATA = Path(__file__).parents[2] / "data"
CAPTURED_S = 1_795_229_130
SHARED_TRACE = trace_id_of("248bae9853f62bb30f581302bf57279d")
CLUSTER = {"istio.cluster_id": "Kubernetes"}


@pytest.fixture
def mesh(door: Door) -> Door:
    """The captured mesh of Envoys, and the application behind the sidecar, which reports an error by OTLP."""
    for number in range(1, 5):
        body = (DATA / f"envoy-zipkin-json-shared-000{number}.json").read_bytes()
        door.store.write(SpanBatch(zipkin_json_v2.decode(body).columns.to_batch(received_ns=0).records))
    door.write(
        a_span(
            SHARED_TRACE,
            0xA1,
            parent_span_id=bytes.fromhex("0f581302bf57279d"),
            name="GET /chain",
            service="productpage",
            kind=SpanKind.SERVER,
            status_code=StatusCode.ERROR,
            start_ns=CAPTURED_S * SECOND + SECOND // 2,
            resource=Resource({"service.name": "productpage", "hostname": "productpage-v1-1"}),
        )
    )
    return door


def search(service: str, tags: dict[str, str], *, depth: int, min_duration_ns: int = 0) -> v2.FindTracesRequest:
    """FindTraces as Kiali fills it in: no operation, no largest duration, and a least one even when it is 0."""
    query = v2.TraceQueryParameters(
        service_name=service,
        start_time_min=Timestamp(seconds=CAPTURED_S - 60),
        start_time_max=Timestamp(seconds=CAPTURED_S + 60),
        tags=tags,
        duration_min=Duration(seconds=min_duration_ns // 10**9, nanos=min_duration_ns % 10**9),
        search_depth=depth,
    )
    return v2.FindTracesRequest(query=query)


async def traces_by_id(door: Door, method: str, request: Any) -> dict[bytes, list[Any]]:
    """The spans of each trace, as Kiali collects them from the stream and converts them."""
    found: dict[bytes, list[Any]] = {}
    for chunk in await door.chunks(method, request):
        for span in chunk:
            assert len(span.trace_id) in (8, 16)
            assert len(span.span_id) == 8
            assert span.HasField("process"), "Kiali hashes it without looking whether it is there"
            found.setdefault(span.trace_id, []).append(span_as_json(span))
    return found


async def test_the_status_of_the_tracing_service_is_whether_it_lists_services(mesh: Door) -> None:
    answer = await mesh.ask("GetServices", v2.GetServicesRequest(), v2.GetServicesResponse)

    assert {"productpage.default", "istio-ingressgateway.istio-system", "productpage"} <= set(answer.services)


async def test_the_traces_of_a_workload_are_found_in_its_cluster(mesh: Door) -> None:
    found = await traces_by_id(mesh, "FindTraces", search("productpage.default", CLUSTER, depth=100))

    assert SHARED_TRACE in found
    assert len(found) >= 5
    assert all("productpage.default" in {span["process"]["serviceName"] for span in spans} for spans in found.values())


async def test_traces_of_another_cluster_are_not_found(mesh: Door) -> None:
    assert (
        await traces_by_id(mesh, "FindTraces", search("productpage.default", {"istio.cluster_id": "x"}, depth=9)) == {}
    )


async def test_a_least_duration_holds_for_a_span_of_the_workload(mesh: Door) -> None:
    everything = await traces_by_id(mesh, "FindTraces", search("productpage.default", CLUSTER, depth=100))
    longest_us = max(
        span["duration"]
        for spans in everything.values()
        for span in spans
        if span["process"]["serviceName"] == "productpage.default"
    )

    found = await traces_by_id(
        mesh, "FindTraces", search("productpage.default", CLUSTER, depth=100, min_duration_ns=longest_us * 1_000)
    )
    none = await traces_by_id(
        mesh, "FindTraces", search("productpage.default", CLUSTER, depth=100, min_duration_ns=longest_us * 1_000 + MS)
    )

    assert 1 <= len(found) < len(everything)
    assert none == {}


async def test_errors_are_counted_by_the_error_tag_with_no_depth_given(mesh: Door) -> None:
    """An OTLP error status has no `error` attribute; Jaeger's translation shows one, so it is found by it."""
    found = await traces_by_id(mesh, "FindTraces", search("productpage", {"error": "true"}, depth=0))

    assert list(found) == [SHARED_TRACE]


async def test_every_field_that_kiali_reads_of_a_trace_is_there(mesh: Door) -> None:
    found = await traces_by_id(mesh, "GetTrace", v2.GetTraceRequest(trace_id=SHARED_TRACE))

    assert list(found) == [SHARED_TRACE]
    for span in found[SHARED_TRACE]:
        assert span["traceID"] == SHARED_TRACE.hex()
        assert span["operationName"]
        assert span["startTime"] > 0
        assert span["duration"] >= 0
        assert span["process"]["serviceName"]
        if span["references"]:
            assert span["references"][0]["refType"] in ("CHILD_OF", "FOLLOWS_FROM")


async def test_the_tags_that_kiali_reads_of_an_envoy_span_have_the_forms_it_parses(mesh: Door) -> None:
    spans = (await traces_by_id(mesh, "GetTrace", v2.GetTraceRequest(trace_id=SHARED_TRACE)))[SHARED_TRACE]
    gateway = next(span for span in spans if not span["references"])
    tags = {tag["key"]: tag["value"] for tag in gateway["tags"]}

    assert tags["component"] == "proxy"
    assert tags["span.kind"] == "client"
    assert len(tags["node_id"].split("~")) == 4
    assert int(tags["http.status_code"]) == 200
    assert tags["response_flags"] == "-"
    assert tags["istio.cluster_id"] == "Kubernetes"


async def test_the_tags_of_the_applications_process_are_there(mesh: Door) -> None:
    spans = (await traces_by_id(mesh, "GetTrace", v2.GetTraceRequest(trace_id=SHARED_TRACE)))[SHARED_TRACE]

    (application,) = (span for span in spans if span["process"]["serviceName"] == "productpage")

    assert {"key": "hostname", "type": "string", "value": "productpage-v1-1"} in application["process"]["tags"]
    assert {"key": "error", "type": "bool", "value": True} in application["tags"]


async def test_span_ids_are_unique_and_the_parent_comes_first(mesh: Door) -> None:
    """Kiali appends "_1" to a repeated id and loses that span's children."""
    found = await traces_by_id(mesh, "FindTraces", search("productpage.default", CLUSTER, depth=100))

    for spans in found.values():
        ids = [span["spanID"] for span in spans]
        assert len(set(ids)) == len(ids)
        parents = {span["references"][0]["spanID"] for span in spans if span["references"]}
        assert parents - set(ids) <= {"00000000000000bb"}, "only the caller that sent its own context is unknown"


async def test_a_64_bit_trace_is_found_by_its_padded_id(mesh: Door) -> None:
    mesh.write(a_span(a_short_trace_id(0xAB)))

    found = await traces_by_id(mesh, "GetTrace", v2.GetTraceRequest(trace_id=bytes(15) + b"\xab"))

    assert [span["traceID"] for spans in found.values() for span in spans] == ["00000000000000ab"]
