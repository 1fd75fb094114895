"""The requests of Kiali in Tempo mode and of Grafana's Tempo data source, and all they read: clients.md sections 3, 4.

What Envoy and an application sent is read through port 3200 of the real command.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.clients.istio_traffic import APPLICATION_SPAN, GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION, Traffic
from tests.clients.otlp_messages import traces_spans
from tests.process.clew_process import Clew
from wire.tempo_pb2 import TraceByIDResponse

UNKNOWN = "0123456789abcdef0123456789abcdef"
KIALIS_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}
KIALIS_FIELDS = (
    "status, .service_name, .node_id, .component, .upstream_cluster, .http.method, .response_flags, "
    ".istio.destination_workload, .istio.destination_namespace, .istio.destination_instance_name, "
    ".istio.destination_canonical_service, .istio.source_workload, .istio.source_namespace, "
    ".istio.source_instance_name, .istio.source_canonical_service, resource.hostname, name"
)


def shorter(trace_ids: set[str]) -> set[str]:
    return {trace_id.removeprefix("0" * 16) for trace_id in trace_ids}


class TestKiali:
    """Kiali takes spanSet.spans[0], batches[0] and scopeSpans[0] without a look."""

    def find(
        self, mesh: Clew, traffic: Traffic, service: str, tags: Mapping[str, str] | None = None, **more: str
    ) -> dict[str, dict[str, Any]]:
        """Its search, spaces and all; traces by id."""
        query = f'.service.name = "{service}" '
        for key, value in (tags or {}).items():
            tag = '.http.status_code != "200" ' if key == "error" else f'.{key} = "{value}" '
            query = f"{query} && {tag} "
        asked = {
            "start": str(traffic.start_us // 10**6),
            "end": str(traffic.end_us // 10**6),
            "q": f"{{ {query} }} && {{  }} | select({KIALIS_FIELDS})",
            "spss": "10",
        }
        answer = httpx.get(f"{mesh.url('tempo')}/api/search", params=asked | more, headers=KIALIS_HEADERS)
        assert answer.status_code == 200, answer.text
        return {trace["traceID"]: trace for trace in answer.json()["traces"]}

    def test_the_connection_test_and_the_version_are_answered(self, mesh: Clew) -> None:
        assert httpx.get(f"{mesh.url('tempo')}/api/echo", headers=KIALIS_HEADERS).status_code == 200
        assert httpx.get(f"{mesh.url('tempo')}/api/status/buildinfo").json()["version"]

    def test_the_services_are_a_list(self, mesh: Clew, traffic: Traffic) -> None:
        assert set(httpx.get(f"{mesh.url('tempo')}/status/services").json()) == {
            *(GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION)
        }

    def test_its_diagnosis_finds_a_tempo_here(self, mesh: Clew, traffic: Traffic) -> None:
        """The braces come as they are, which no client library of Python would send; and Jaeger's API is not here."""
        assert httpx.get(f"{mesh.url('tempo')}/api/services").status_code == 404
        answer = raw_get(mesh.doors["tempo"], "/api/search?q={}")
        assert answer.status_code == 200
        assert any(len(trace["rootServiceName"].split(".")) > 1 for trace in answer.json()["traces"])

    def test_a_workloads_traces_are_found_by_its_cluster(self, mesh: Clew, traffic: Traffic) -> None:
        found = self.find(mesh, traffic, PRODUCTPAGE, {"istio.cluster_id": "Kubernetes"}, limit="100")

        assert set(found) == shorter(set(traffic.posted))
        assert self.find(mesh, traffic, PRODUCTPAGE, {"istio.cluster_id": "elsewhere"}) == {}
        assert len(self.find(mesh, traffic, PRODUCTPAGE, limit="2")) == 2

    def test_every_field_that_the_list_reads_is_there(self, mesh: Clew, traffic: Traffic) -> None:
        trace = self.find(mesh, traffic, PRODUCTPAGE)[traffic.chained]

        spans = trace["spanSet"]["spans"]
        assert trace["spanSet"]["matched"] == len(spans) == len(traffic.posted[traffic.chained]) + 1
        assert trace["rootServiceName"] == GATEWAY
        assert isinstance(trace["durationMs"], int)
        by_id = traffic.spans(traffic.chained)
        for span in spans:
            posted = by_id.get(span["spanID"])
            attributes = {one["key"]: one["value"]["stringValue"] for one in span["attributes"]}
            assert attributes["service.name"] in (GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION)
            if posted is None:
                assert (span["spanID"], span["name"], attributes["status"]) == (
                    *(APPLICATION_SPAN, "GET /reviews/{id}"),
                    "error",
                )
                continue
            assert span["name"] == posted["name"]
            assert int(span["startTimeUnixNano"]) // 1000 == posted["timestamp"]
            assert int(span["durationNanos"]) // 1000 == posted["duration"]
            assert attributes["node_id"] == posted["tags"]["node_id"]
            assert attributes["component"] == "proxy"
        first = {one["key"]: one["value"]["stringValue"] for one in spans[0]["attributes"]}
        assert first["service.name"] == PRODUCTPAGE

    def test_the_error_badge_counts_the_traces_with_another_status_than_200(self, mesh: Clew, traffic: Traffic) -> None:
        """It asks for the status code of HTTP, and then takes only those where a span's status is an error."""
        found = self.find(mesh, traffic, PRODUCTPAGE, {"error": "true"})

        failed = {
            trace_id
            for trace_id, trace in found.items()
            for span in trace["spanSet"]["spans"]
            for one in span["attributes"]
            if (one["key"], one["value"]["stringValue"]) == ("status", "error")
        }
        assert failed == shorter({traffic.failed, traffic.dead})
        assert set(found) - failed == shorter({traffic.not_found})

    def test_a_least_duration_leaves_shorter_traces_out(self, mesh: Clew, traffic: Traffic) -> None:
        long = self.find(mesh, traffic, PRODUCTPAGE, minDuration="40ms")

        assert traffic.ok not in long
        assert traffic.not_found in long

    def test_every_field_that_the_trace_view_reads_is_there(self, mesh: Clew, traffic: Traffic) -> None:
        answer = httpx.get(f"{mesh.url('tempo')}/api/traces/{traffic.chained}", headers=KIALIS_HEADERS)
        assert answer.status_code == 200

        services, spans = set(), {}
        for batch in answer.json()["batches"]:
            (service,) = [
                one["value"]["stringValue"] for one in batch["resource"]["attributes"] if one["key"] == "service.name"
            ]
            services.add(service)
            for span in batch["scopeSpans"][0]["spans"]:
                spans[base64.b64decode(span["spanId"]).hex()] = span
        assert services == {GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION}
        assert set(spans) == {*traffic.spans(traffic.chained), APPLICATION_SPAN}
        for span_id, posted in traffic.spans(traffic.chained).items():
            span = spans[span_id]
            assert span["name"] == posted["name"]
            assert span["kind"] == f"SPAN_KIND_{posted['kind']}"
            assert int(span["startTimeUnixNano"]) // 1000 == posted["timestamp"]
            assert (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) // 1000 == posted["duration"]
            texts = {one["key"]: one["value"]["stringValue"] for one in span["attributes"] if one["key"] == "node_id"}
            assert texts == {"node_id": posted["tags"]["node_id"]}
            parent = base64.b64decode(span.get("parentSpanId", "")).hex()
            assert parent == posted.get("parentId", "")
        assert spans[APPLICATION_SPAN]["status"]["code"] == "STATUS_CODE_ERROR"

    def test_an_unknown_trace_is_an_error(self, mesh: Clew, traffic: Traffic) -> None:
        answer = httpx.get(f"{mesh.url('tempo')}/api/traces/{UNKNOWN}", headers=KIALIS_HEADERS)
        assert (answer.status_code, answer.text) == (404, "trace not found\n")


class TestGrafana:
    def search(self, mesh: Clew, traffic: Traffic, q: str, **more: int) -> dict[str, dict[str, Any]]:
        """Its search, whose query comes without any escape but what a URL needs."""
        window = f"start={traffic.start_us // 10**6}&end={traffic.end_us // 10**6}"
        bounds = "".join(f"&{name}={number}" for name, number in more.items())
        url = f"{mesh.url('tempo')}/api/search?q={quote(q)}{bounds}&{window}"
        answer = httpx.get(url, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return {trace["traceID"]: trace for trace in answer.json()["traces"]}

    def values(self, mesh: Clew, tag: str, **parameters: str) -> list[tuple[str, str]]:
        path = quote(quote(tag, safe=""), safe="")
        answer = httpx.get(f"{mesh.url('tempo')}/api/v2/search/tag/{path}/values", params=parameters)
        return [(value["type"], value["value"]) for value in answer.json()["tagValues"]]

    def test_the_connection_test_is_answered(self, mesh: Clew) -> None:
        answer = httpx.get(f"{mesh.url('tempo')}/api/echo")
        assert (answer.status_code, answer.text.strip()) == (200, "echo")

    @pytest.mark.parametrize("times", [True, False])
    def test_a_trace_is_read_as_protobuf_by_the_second_version_and_the_first(
        self, mesh: Clew, traffic: Traffic, times: bool
    ) -> None:
        window = {"start": traffic.start_us // 10**6 - 1, "end": traffic.end_us // 10**6 + 1} if times else {}
        first, second = (
            httpx.get(
                f"{mesh.url('tempo')}/api{version}/traces/{traffic.chained}",
                params=window,
                headers={"Accept": "application/protobuf"},
            )
            for version in ("", "/v2")
        )
        trace = TraceByIDResponse.FromString(second.content).trace
        assert TracesData.FromString(first.content) == trace
        spans = {span.span_id: span for span in traces_spans(trace)}
        assert set(spans) == {*traffic.spans(traffic.chained), APPLICATION_SPAN}
        assert {span.resource["service.name"] for span in spans.values()} == {
            *(("str", name) for name in (GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION))
        }

    def test_an_unknown_trace_is_a_404_in_both_versions(self, mesh: Clew) -> None:
        for version in ("/v2", ""):
            answer = httpx.get(
                f"{mesh.url('tempo')}/api{version}/traces/{UNKNOWN}", headers={"Accept": "application/protobuf"}
            )
            assert answer.status_code == 404

    def test_the_builders_queries_find_what_they_say(self, mesh: Clew, traffic: Traffic) -> None:
        def found(q: str) -> set[str]:
            return set(self.search(mesh, traffic, q, limit=50, spss=3))

        everything = shorter(set(traffic.posted))
        assert found("{}") == everything
        assert found(f'{{resource.service.name="{PRODUCTPAGE}"}}') == everything
        assert found(f'{{resource.service.name=~"{REVIEWS_APPLICATION}|nobody"}}') == {traffic.chained}
        assert found('{span.http.status_code="404"}') == shorter({traffic.not_found})
        assert found('{status=error && span.http.status_code="503"}') == shorter({traffic.failed, traffic.dead})
        assert found("{span.http.response.status_code>=500 && .cache.hit=true}") == {traffic.chained}
        assert found('{(kind=client || kind=server) && name="GET /reviews/{id}"}') == {traffic.chained}
        assert found('{rootServiceName="nobody"}') == set()
        assert found("{traceDuration>1h}") == set()

    def test_every_field_that_the_table_reads_is_there(self, mesh: Clew, traffic: Traffic) -> None:
        q = '{span.http.status_code="404" && kind=server} | select(span.http.url)'
        trace = self.search(mesh, traffic, q, limit=20, spss=3)[traffic.not_found]

        assert trace["startTimeUnixNano"] == f"{traffic.posted[traffic.not_found][0]['timestamp']}000"
        assert (trace["rootServiceName"], trace["rootTraceName"] != "") == (GATEWAY, True)
        (span_set,) = trace["spanSets"]
        for span in span_set["spans"]:
            posted = traffic.spans(traffic.not_found)[span["spanID"]]
            assert span["durationNanos"] == f"{posted['duration']}000"
            assert {one["key"]: one["value"]["stringValue"] for one in span["attributes"]} == {
                "http.status_code": "404",
                "kind": "server",
                "http.url": posted["tags"]["http.url"],
            }

    def test_a_wrong_query_is_a_400_that_says_where(self, mesh: Clew) -> None:
        answer = httpx.get(f"{mesh.url('tempo')}/api/search", params={"q": "{} | rate()"})
        assert answer.status_code == 400
        assert "line 1, col 6: 'rate' is not supported" in answer.text

    def test_tags_and_values_are_offered_to_the_editor(self, mesh: Clew, traffic: Traffic) -> None:
        answer = httpx.get(f"{mesh.url('tempo')}/api/v2/search/tags", params={"limit": "5000"}).json()
        scopes = {scope["name"]: scope["tags"] for scope in answer["scopes"]}

        assert set(scopes["span"]) >= {"http.status_code", "node_id", "istio.cluster_id", "cache.hit"}
        assert set(scopes["resource"]) >= {"service.name", "pod", "namespace"}
        assert set(scopes["intrinsic"]) >= {"name", "status", "duration", "traceDuration"}
        services = [("string", name) for name in sorted([GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION])]
        assert self.values(mesh, "resource.service.name") == services
        assert self.values(mesh, "span.http.response.status_code") == [("int", "500")]
        codes = self.values(mesh, "span.http.status_code", q=f'{{resource.service.name="{PRODUCTPAGE}"}}')
        assert {text for _, text in codes} == {"200", "404", "503"}


def raw_get(address: str, target: str) -> httpx.Response:
    """A GET of a target that is sent as it is."""
    url = httpx.URL(f"http://{address}/").copy_with(raw_path=target.encode())
    with httpx.Client() as client:
        return client.send(client.build_request("GET", url))
