"""The requests of Grafana's data sources for Jaeger and Zipkin, and every field they read: clients.md section 4."""

import json
import re
import time
from typing import Any

import httpx
import pytest

from tests.clients.istio_traffic import APPLICATION_SPAN, GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION, Traffic
from tests.clients.otlp_messages import json_traces_spans
from tests.process.clew_process import Clew

UNKNOWN = "0123456789abcdef0123456789abcdef"


class TestJaeger:
    """Grafana takes data[0] and spans[0] without a look: no data must be a 404, and no trace may be without spans."""

    def get(self, mesh: Clew, path: str, **parameters: object) -> Any:
        """What the envelope at a path holds."""
        answer = httpx.get(f"{mesh.url('jaeger')}/jaeger{path}", params={k: str(v) for k, v in parameters.items()})
        assert answer.status_code == 200, answer.text
        envelope = answer.json()
        assert not envelope["errors"]
        return envelope["data"]

    def test_the_connection_test_sees_services(self, mesh: Clew, traffic: Traffic) -> None:
        assert set(self.get(mesh, "/api/services")) >= {GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION}

    def test_the_operations_of_a_service_are_names(self, mesh: Clew, traffic: Traffic) -> None:
        operations = self.get(mesh, f"/api/services/{PRODUCTPAGE}/operations")

        assert sorted(operations) == [
            f"{service}.default.svc.cluster.local:9080/*" for service in ("dead", "productpage", "reviews")
        ]

    @pytest.mark.parametrize("base", ["/jaeger", ""])
    def test_a_search_finds_traces_with_and_without_the_base_path(
        self, mesh: Clew, traffic: Traffic, base: str
    ) -> None:
        """One release lost the base path on its way."""
        asked = {
            "service": PRODUCTPAGE,
            "operation": "reviews.default.svc.cluster.local:9080/*",
            "tags": json.dumps({"http.status_code": "200"}),
            "minDuration": "0.1ms",
            "maxDuration": "1.2s",
            "limit": "20",
            "start": str(traffic.start_us),
            "end": str(traffic.end_us),
        }
        answer = httpx.get(f"{mesh.url('jaeger')}{base}/api/traces", params=asked).json()

        found = {trace["traceID"] for trace in answer["data"]}
        assert found > {traffic.chained, traffic.shared}
        assert all(trace["spans"] for trace in answer["data"])

    @pytest.mark.parametrize("window", [{}, {"lookback": "custom"}, {"lookback": "1h"}])
    def test_a_search_without_times_takes_what_is_recent(
        self, mesh: Clew, traffic: Traffic, window: dict[str, str]
    ) -> None:
        found = self.get(mesh, "/api/traces", service=PRODUCTPAGE, limit=20, **window)

        assert len(found) == len(traffic.posted)

    def test_every_field_that_the_trace_view_reads_is_there(self, mesh: Clew, traffic: Traffic) -> None:
        (trace,) = self.get(mesh, f"/api/traces/{traffic.chained}")

        ids = {span["spanID"] for span in trace["spans"]}
        for span in trace["spans"]:
            assert span["traceID"] == trace["traceID"] == traffic.chained
            assert all(type(span[key]) is int for key in ("startTime", "duration"))
            assert type(span.get("flags", 0)) is int
            assert all(isinstance(span[key], list) for key in ("tags", "logs", "references"))
            assert isinstance(span["warnings"], list | None)
            assert isinstance(trace["processes"][span["processID"]]["serviceName"], str)
            assert {one["spanID"] for one in span["references"] if one["refType"] == "CHILD_OF"} <= ids
        root = min(trace["spans"], key=lambda span: int(span["startTime"]))
        assert root["references"] == []

    def test_typed_values_arrive_with_their_types(self, mesh: Clew, traffic: Traffic) -> None:
        (trace,) = self.get(mesh, f"/api/traces/{traffic.chained}")
        (span,) = (span for span in trace["spans"] if span["spanID"] == APPLICATION_SPAN)

        tags = {tag["key"]: (tag["type"], tag["value"]) for tag in span["tags"]}
        assert tags["http.response.status_code"] == ("int64", 500)
        assert tags["cache.hit"] == ("bool", True)
        assert tags["error"] == ("bool", True)
        assert tags["otel.status_description"] == ("string", "no such review")
        assert [log["fields"] for log in span["logs"]] == [[{"key": "event", "type": "string", "value": "exception"}]]

    def test_trace_to_logs_finds_resource_attributes_among_the_process_tags(self, mesh: Clew, traffic: Traffic) -> None:
        (trace,) = self.get(mesh, f"/api/traces/{traffic.chained}")
        (process,) = (one for one in trace["processes"].values() if one["serviceName"] == REVIEWS_APPLICATION)

        tags = {tag["key"]: tag["value"] for tag in process["tags"]}
        assert tags == {"cluster": "c1", "namespace": "default", "pod": "reviews-v1-1"}

    def test_the_node_graph_has_unique_ids_where_a_sidecar_shares_them(self, mesh: Clew, traffic: Traffic) -> None:
        (trace,) = self.get(mesh, f"/api/traces/{traffic.shared}")
        parents = {span["spanID"]: [one["spanID"] for one in span["references"]] for span in trace["spans"]}

        assert len(parents) == len(trace["spans"]) == len(traffic.posted[traffic.shared])
        assert sorted(map(len, parents.values())) == [0, 1, 1]

    @pytest.mark.parametrize("unit", [1_000, 1_000_000], ids=["in ms", "in us"])
    def test_a_trace_is_found_whatever_the_unit_of_the_times_beside_its_id(
        self, mesh: Clew, traffic: Traffic, unit: int
    ) -> None:
        window = {"start": int(time.time() - 3600) * unit, "end": int(time.time()) * unit}

        assert len(self.get(mesh, f"/api/traces/{traffic.chained}", **window)) == 1

    def test_an_unknown_trace_is_a_404(self, mesh: Clew, traffic: Traffic) -> None:
        answer = httpx.get(f"{mesh.url('jaeger')}/jaeger/api/traces/{UNKNOWN}")

        assert answer.status_code == 404
        assert answer.json()["data"] is None
        assert answer.json()["errors"] == [{"code": 404, "msg": "trace not found"}]

    def test_the_dependencies_are_pairs_with_counts(self, mesh: Clew, traffic: Traffic) -> None:
        links = self.get(mesh, "/api/dependencies", endTs=int(time.time() * 1000), lookback=3_600_000)

        assert all(type(link["callCount"]) is int for link in links)
        calls = {(link["parent"], link["child"]): link["callCount"] for link in links}
        assert calls[GATEWAY, PRODUCTPAGE] == len(traffic.posted)
        assert calls[PRODUCTPAGE, REVIEWS_APPLICATION] == 1

    def test_the_path_of_version_3_gives_services_operations_and_otlp(self, mesh: Clew, traffic: Traffic) -> None:
        base = f"{mesh.url('jaeger')}/jaeger/api/v3"
        services = httpx.get(f"{base}/services").json()["services"]
        operations = httpx.get(f"{base}/operations", params={"service": PRODUCTPAGE}).json()["operations"]
        trace = httpx.get(f"{base}/traces/{traffic.chained}").json()

        assert set(services) >= {GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION}
        assert {one["spanKind"] for one in operations} == {"client", "server"}
        spans = {span.span_id: span for span in json_traces_spans(trace["result"])}
        assert set(spans) == {*traffic.spans(traffic.chained), APPLICATION_SPAN}
        assert httpx.get(f"{base}/traces/{UNKNOWN}").status_code == 404


class TestZipkin:
    """Grafana decodes by zipkin-go: one tag that is not text fails a whole trace."""

    def get(self, mesh: Clew, path: str, **parameters: str) -> Any:
        answer = httpx.get(mesh.url("zipkin") + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def test_the_connection_test_sees_services(self, mesh: Clew, traffic: Traffic) -> None:
        assert set(self.get(mesh, "/api/v2/services")) >= {GATEWAY, PRODUCTPAGE, REVIEWS_APPLICATION}

    def test_the_span_names_of_a_service_are_listed(self, mesh: Clew, traffic: Traffic) -> None:
        names = self.get(mesh, "/api/v2/spans", serviceName=PRODUCTPAGE)

        assert names == [
            f"{service}.default.svc.cluster.local:9080/*" for service in ("dead", "productpage", "reviews")
        ]

    def test_traces_are_found_by_service_and_span_name_without_times_and_limit(
        self, mesh: Clew, traffic: Traffic
    ) -> None:
        name = "dead.default.svc.cluster.local:9080/*"
        (trace,) = self.get(mesh, "/api/v2/traces", serviceName=PRODUCTPAGE, spanName=name)

        assert {span["id"] for span in trace} == set(traffic.spans(traffic.dead))

    def test_every_span_of_a_trace_is_what_zipkin_go_can_decode(self, mesh: Clew, traffic: Traffic) -> None:
        for span in self.get(mesh, f"/api/v2/trace/{traffic.chained}"):
            assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
            assert all(re.fullmatch("[0-9a-f]{16}", span[key]) for key in ("id", "parentId") if key in span)
            assert all(type(span[key]) is int and span[key] > 0 for key in ("timestamp", "duration"))
            assert all(type(one["timestamp"]) is int for one in span.get("annotations", []))
            assert all(isinstance(text, str) for text in span["tags"].values())
            assert span["localEndpoint"]["serviceName"]

    def test_a_failed_span_has_an_error_tag(self, mesh: Clew, traffic: Traffic) -> None:
        spans = {span["id"]: span for span in self.get(mesh, f"/api/v2/trace/{traffic.chained}")}

        assert [id_ for id_, span in spans.items() if "error" in span["tags"]] == [APPLICATION_SPAN]

    def test_an_unknown_trace_is_a_404(self, mesh: Clew, traffic: Traffic) -> None:
        assert httpx.get(f"{mesh.url('zipkin')}/api/v2/trace/{UNKNOWN}").status_code == 404
