"""Kiali's requests as its own client makes them, and every field it reads of the answers: clients.md section 3.

Kiali never looks at an HTTP status here: what the body says counts.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tests.clients.grpc_calls import ask, stream
from tests.clients.istio_traffic import APPLICATION_SPAN, GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION, Traffic
from tests.clients.windows import jaeger_message_span
from tests.process.clew_process import Clew
from wire import jaeger_model_pb2 as model
from wire import jaeger_query_v2_pb2 as v2

CLUSTER = {"istio.cluster_id": "Kubernetes"}
SERVICE = "jaeger.api_v2.QueryService"
ASKED_AS_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


def get(mesh: Clew, path: str, **parameters: object) -> Any:
    """The envelope at a path below the base path, decoded as Kiali does: data, and errors with a code and a message."""
    url = f"{mesh.url('jaeger')}/jaeger{path}"
    envelope = httpx.get(url, params={k: str(v) for k, v in parameters.items()}, headers=ASKED_AS_JSON).json()
    for error in envelope["errors"] or []:
        assert isinstance(error["code"], int)
        assert isinstance(error["msg"], str)
    return envelope


def find(mesh: Clew, traffic: Traffic, service: str, tags: Mapping[str, str], **more: object) -> dict[str, Any]:
    """Kiali's search over HTTP: whole seconds in microseconds, tags as one JSON object. Traces by id.

    A limit and a least duration are left out when they are 0, as for the error badge.
    """
    window = {"start": traffic.start_us // 10**6 * 10**6, "end": (traffic.end_us // 10**6 + 1) * 10**6}
    asked = {"service": service, "tags": json.dumps(tags, separators=(",", ":")), **window, **more}
    envelope = get(mesh, "/api/traces", **dict(sorted(asked.items())))
    assert not envelope["errors"]
    for trace in envelope["data"]:
        assert_decodes(trace)
    return {trace["traceID"]: trace for trace in envelope["data"]}


def assert_decodes(trace: Mapping[str, Any]) -> None:
    """Kiali's types: a number that is negative or no integer where Go has uint64 fails the whole answer."""
    assert trace["spans"]
    for span in trace["spans"]:
        numbers = [
            span["startTime"],
            span["duration"],
            span.get("flags", 0),
            *(log["timestamp"] for log in span["logs"]),
        ]
        assert all(type(number) is int and number >= 0 for number in numbers)
        assert all(isinstance(span[key], str) for key in ("traceID", "spanID", "operationName", "processID"))
        assert {one["refType"] for one in span["references"]} <= {"CHILD_OF", "FOLLOWS_FROM"}
        tags = [*span["tags"], *(pair for log in span["logs"] for pair in log["fields"])]
        assert all(set(tag) == {"key", "type", "value"} for tag in tags)
        assert isinstance(trace["processes"][span["processID"]]["serviceName"], str)


def test_the_services_are_listed_with_the_names_of_workloads(mesh: Clew, traffic: Traffic) -> None:
    envelope = get(mesh, "/api/services")

    assert sorted(envelope["data"]) == sorted([GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION])
    assert not envelope["errors"]


def test_a_workloads_traces_are_found_by_its_cluster(mesh: Clew, traffic: Traffic) -> None:
    found = find(mesh, traffic, PRODUCTPAGE, CLUSTER)

    assert set(found) == {trace_id.removeprefix("0" * 16) for trace_id in traffic.posted}
    assert find(mesh, traffic, PRODUCTPAGE, {"istio.cluster_id": "elsewhere"}) == {}


def test_a_search_gives_at_most_limit_traces(mesh: Clew, traffic: Traffic) -> None:
    assert len(find(mesh, traffic, PRODUCTPAGE, CLUSTER, limit=2)) == 2


def test_a_least_duration_leaves_shorter_spans_out(mesh: Clew, traffic: Traffic) -> None:
    long = find(mesh, traffic, PRODUCTPAGE, CLUSTER, minDuration="40000us")

    assert traffic.ok not in long
    assert traffic.not_found in long


@pytest.mark.parametrize("tags", [{"error": "true"}, {"error": "true"} | CLUSTER])
def test_the_error_badge_counts_the_traces_with_a_failed_span_of_the_workload(
    mesh: Clew, traffic: Traffic, tags: Mapping[str, str]
) -> None:
    assert set(find(mesh, traffic, PRODUCTPAGE, tags)) == {traffic.failed, traffic.dead}


def test_the_error_badge_counts_an_applications_otlp_error_status(mesh: Clew, traffic: Traffic) -> None:
    assert set(find(mesh, traffic, REVIEWS_APPLICATION, {"error": "true"})) == {traffic.chained}


@pytest.mark.parametrize("tags", [{"http.response.status_code": "500"}, {"cache.hit": "true"}])
def test_typed_attributes_are_found_by_their_text(mesh: Clew, traffic: Traffic, tags: Mapping[str, str]) -> None:
    assert set(find(mesh, traffic, REVIEWS_APPLICATION, tags)) == {traffic.chained}


def test_every_field_that_kiali_reads_of_a_span_is_there(mesh: Clew, traffic: Traffic) -> None:
    (trace,) = get(mesh, f"/api/traces/{traffic.chained}")["data"]

    assert_decodes(trace)
    assert trace["traceID"] == traffic.chained
    posted = traffic.spans(traffic.chained)
    assert {span["spanID"] for span in trace["spans"]} == set(posted) | {APPLICATION_SPAN}
    for span in trace["spans"]:
        if (sent := posted.get(span["spanID"])) is None:
            continue
        tags = {tag["key"]: tag["value"] for tag in span["tags"]}
        assert span["operationName"] == sent["name"]
        assert (span["startTime"], span["duration"]) == (sent["timestamp"], sent["duration"])
        assert tags["node_id"].split("~")[2] == sent["tags"]["node_id"].split("~")[2]
        assert tags["span.kind"] == sent["kind"].lower()
        assert tags["component"] == "proxy"
        assert int(tags["http.status_code"]) == 200
        assert tags["response_flags"] == "-"
        assert span["warnings"] is None
        assert span["logs"] == [
            {"timestamp": one["timestamp"], "fields": [{"key": "event", "type": "string", "value": one["value"]}]}
            for one in sent["annotations"]
        ]
        assert trace["processes"][span["processID"]]["serviceName"] == sent["localEndpoint"]["serviceName"]


def test_the_parent_is_the_first_reference(mesh: Clew, traffic: Traffic) -> None:
    (trace,) = get(mesh, f"/api/traces/{traffic.chained}")["data"]
    posted = traffic.spans(traffic.chained)

    for span in trace["spans"]:
        if span["spanID"] in posted:
            parent = posted[span["spanID"]].get("parentId")
            expected = [] if parent is None else [("CHILD_OF", traffic.chained, parent)]
            assert [(r["refType"], r["traceID"], r["spanID"]) for r in span["references"]] == expected


@pytest.mark.parametrize("failure", ["failed", "dead"])
def test_a_failed_span_carries_error_as_true(mesh: Clew, traffic: Traffic, failure: str) -> None:
    (trace,) = get(mesh, f"/api/traces/{getattr(traffic, failure)}")["data"]

    for span in trace["spans"]:
        assert {tag["key"]: tag["value"] for tag in span["tags"]}["error"] in (True, "true")


def test_span_ids_are_unique_where_a_sidecar_shares_them(mesh: Clew, traffic: Traffic) -> None:
    """Kiali's page appends _1 to the second of two equal ids, and loses that span's children."""
    (trace,) = get(mesh, f"/api/traces/{traffic.shared}")["data"]
    ids = [span["spanID"] for span in trace["spans"]]

    assert len(set(ids)) == len(ids) == len(traffic.posted[traffic.shared])
    assert all(span["references"][0]["spanID"] in ids for span in trace["spans"] if span["references"])


def test_a_trace_id_of_64_bits_is_read_by_16_digits(mesh: Clew, traffic: Traffic) -> None:
    (trace,) = get(mesh, f"/api/traces/{traffic.foreign}")["data"]

    assert trace["traceID"] == traffic.foreign == "00000000000000aa"


def test_an_unknown_trace_is_no_data_and_an_error_with_a_code(mesh: Clew, traffic: Traffic) -> None:
    envelope = get(mesh, "/api/traces/0123456789abcdef0123456789abcdef")

    assert envelope["data"] is None
    assert [error["code"] for error in envelope["errors"]] == [404]


def test_a_service_that_nobody_knows_has_no_traces(mesh: Clew, traffic: Traffic) -> None:
    assert find(mesh, traffic, "nobody.default", CLUSTER) == {}


@pytest.mark.parametrize("base", ["/jaeger", ""])
def test_the_version_is_read_from_the_page_at_the_base_url(mesh: Clew, base: str) -> None:
    """Kiali cuts it out from these words to the next semicolon; a page without them makes its handler panic."""
    page = httpx.get(mesh.url("jaeger") + base, follow_redirects=True).text

    cut_out = page.partition("const JAEGER_VERSION = ")[2].partition(";")[0]
    assert re.fullmatch(r"v\d+\.\d+\.\d+", json.loads(cut_out)["gitVersion"])


@pytest.mark.parametrize("base", ["/jaeger", ""])
def test_the_configuration_tester_finds_the_services_with_and_without_base_path(mesh: Clew, base: str) -> None:
    assert httpx.get(f"{mesh.url('jaeger')}{base}/api/services").status_code == 200


@pytest.mark.parametrize(
    "path", ["/trace/{}?uiFind=00000000000000a1", "/search?service=productpage.default", "/trace/{}...{}"]
)
def test_kialis_links_lead_to_a_page(mesh: Clew, traffic: Traffic, path: str) -> None:
    answer = httpx.get(f"{mesh.url('jaeger')}/jaeger{path.format(traffic.ok, traffic.failed)}")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


class TestGrpc:
    """Kiali's default: jaeger.api_v2 on 16685."""

    def find(self, mesh: Clew, traffic: Traffic, **asked: Any) -> dict[str, list[model.Span]]:
        """FindTraces as Kiali calls it, and the spans by trace id as Kiali groups them."""
        start, end = Timestamp(), Timestamp()
        start.FromMicroseconds(traffic.start_us)
        end.FromMicroseconds(traffic.end_us)
        window: dict[str, Any] = {"start_time_min": start, "start_time_max": end, "duration_min": Duration()}
        query = v2.TraceQueryParameters(**(window | asked))
        request = v2.FindTracesRequest(query=query)
        found: dict[str, list[model.Span]] = {}
        for chunk in stream(mesh.doors["jaeger_grpc"], f"{SERVICE}/FindTraces", request, v2.SpansResponseChunk):
            for span in chunk.spans:
                found.setdefault(span.trace_id.hex(), []).append(span)
        return found

    def test_the_status_check_lists_the_services(self, mesh: Clew, traffic: Traffic) -> None:
        answer = ask(
            mesh.doors["jaeger_grpc"], f"{SERVICE}/GetServices", v2.GetServicesRequest(), v2.GetServicesResponse
        )

        assert sorted(answer.services) == sorted([GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION])

    def test_a_workloads_traces_are_found_by_its_cluster(self, mesh: Clew, traffic: Traffic) -> None:
        found = self.find(mesh, traffic, service_name=PRODUCTPAGE, tags=CLUSTER, search_depth=100)

        assert {trace_id: len(spans) for trace_id, spans in found.items()} == {
            trace_id.rjust(32, "0"): len(spans) + (trace_id == traffic.chained)
            for trace_id, spans in traffic.posted.items()
        }

    def test_error_counts_are_asked_without_a_depth(self, mesh: Clew, traffic: Traffic) -> None:
        found = self.find(mesh, traffic, service_name=PRODUCTPAGE, tags={"error": "true"}, search_depth=0)

        assert set(found) == {traffic.failed, traffic.dead}

    def test_every_span_carries_its_own_process_and_ids_of_full_length(self, mesh: Clew, traffic: Traffic) -> None:
        found = self.find(mesh, traffic, service_name=PRODUCTPAGE, tags=CLUSTER, search_depth=100)

        for spans in found.values():
            for span in spans:
                seen = jaeger_message_span(span)
                assert seen.service in (GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION)
                assert seen.duration_ns > 0

    @pytest.mark.parametrize("trace", ["chained", "foreign"])
    def test_a_trace_is_read_by_16_bytes(self, mesh: Clew, traffic: Traffic, trace: str) -> None:
        trace_id = getattr(traffic, trace)
        request = v2.GetTraceRequest(trace_id=bytes.fromhex(trace_id.rjust(32, "0")))
        chunks = stream(mesh.doors["jaeger_grpc"], f"{SERVICE}/GetTrace", request, v2.SpansResponseChunk)

        spans = {span.span_id.hex(): span for chunk in chunks for span in chunk.spans}
        posted = traffic.spans(trace_id)
        assert set(spans) >= set(posted)
        for span_id, sent in posted.items():
            seen = jaeger_message_span(spans[span_id])
            assert seen.name == sent["name"]
            assert (seen.start_ns, seen.duration_ns) == (sent["timestamp"] * 1000, sent["duration"] * 1000)
            assert seen.references == (
                (("CHILD_OF", trace_id.rjust(32, "0"), sent["parentId"]),) if "parentId" in sent else ()
            )
            assert seen.tags["span.kind"] == ("str", sent["kind"].lower())
            assert seen.tags["node_id"] == ("str", sent["tags"]["node_id"])

    def test_an_unknown_trace_is_not_found(self, mesh: Clew, traffic: Traffic) -> None:
        request = v2.GetTraceRequest(trace_id=bytes(range(16)))

        with pytest.raises(grpc.RpcError) as refused:
            stream(mesh.doors["jaeger_grpc"], f"{SERVICE}/GetTrace", request, v2.SpansResponseChunk)

        assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    def test_a_service_that_nobody_knows_is_an_empty_stream(self, mesh: Clew, traffic: Traffic) -> None:
        assert self.find(mesh, traffic, service_name="nobody.default", tags=CLUSTER, search_depth=10) == {}

    def test_a_trace_of_many_megabytes_arrives_in_chunks_below_the_limit_of_a_client(self, clew: Clew) -> None:
        """Kiali's client takes at most 4 MiB in one message."""
        trace_id = "feedfacefeedfacefeedfacefeedface"
        spans = [
            {"traceId": trace_id, "id": f"{number:016x}", "timestamp": 1_700_000_000_000_000 + number, "duration": 1,
             "localEndpoint": {"serviceName": "big"}, "tags": {"blob": "x" * 5_000}}
            for number in range(1, 1_501)
        ]  # fmt: skip
        httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=spans).raise_for_status()
        request = v2.GetTraceRequest(trace_id=bytes.fromhex(trace_id))

        chunks = stream(clew.doors["jaeger_grpc"], f"{SERVICE}/GetTrace", request, v2.SpansResponseChunk)

        assert sum(len(chunk.spans) for chunk in chunks) == 1_500
        assert max(chunk.ByteSize() for chunk in chunks) < 4 * 2**20
