"""What Prometheus scrapes for Grafana's service graph and span metrics, of the real command and its real store."""

import time
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.process.clew_process import Clew
from tests.waiting import wait_until


def a_call(number: int, *, failed: bool = False) -> list[dict[str, Any]]:
    """web calls shop, which asks its database."""
    begin_us = int(time.time() * 1e6)
    error = {"error": "500"} if failed else {}
    ids = {"traceId": f"{number:016x}", "timestamp": begin_us}
    return [
        ids
        | {"id": "01", "kind": "CLIENT", "name": "get", "duration": 30_000, "localEndpoint": {"serviceName": "web"}},
        ids
        | {
            "id": "02",
            "parentId": "01",
            "kind": "SERVER",
            "name": "buy",
            "duration": 20_000,
            "localEndpoint": {"serviceName": "shop"},
            "tags": error,
        },
        ids
        | {
            "id": "03",
            "parentId": "02",
            "kind": "CLIENT",
            "name": "select",
            "duration": 5_000,
            "localEndpoint": {"serviceName": "shop"},
            "tags": {"db.system": "postgresql", "db.name": "orders", "server.address": "db.local"},
        },
    ]


def post(clew: Clew, *spans: dict[str, Any]) -> None:
    httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=spans).raise_for_status()


def scraped(clew: Clew, door: str = "admin") -> dict[str, list[tuple[dict[str, str], float]]]:
    """The samples by their names."""
    text = httpx.get(f"{clew.url(door)}/metrics").raise_for_status().text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def calls_by_edge(clew: Clew, door: str = "admin") -> dict[tuple[str, str], float]:
    requests = scraped(clew, door).get("traces_service_graph_request_total", [])
    return {(labels["client"], labels["server"]): calls for labels, calls in requests}


def test_edges_and_operations_are_scraped_within_seconds_and_begin_anew_after_a_restart(tmp_path: Path) -> None:
    with Clew(tmp_path) as clew:
        post(clew, *a_call(1), *a_call(2, failed=True), *a_call(3))
        wait_until(lambda: "traces_spanmetrics_calls_total" in scraped(clew), "the spans are told after the edges")

        samples = scraped(clew)
        assert calls_by_edge(clew)["web", "shop"] == 3
        assert calls_by_edge(clew, "metrics") == calls_by_edge(clew)
        edge = {"client": "web", "server": "shop", "connection_type": ""}
        assert (edge, 1) in samples["traces_service_graph_request_failed_total"]
        assert (edge | {"le": "0.016"}, 0) in samples["traces_service_graph_request_server_seconds_bucket"]
        assert (edge | {"le": "0.032"}, 3) in samples["traces_service_graph_request_server_seconds_bucket"]
        (database,) = [labels for labels, _ in samples["traces_service_graph_request_client_seconds_count"]]
        assert (database["client"], database["connection_type"]) == ("shop", "database")
        assert (
            {
                "service": "shop",
                "span_name": "buy",
                "span_kind": "SPAN_KIND_SERVER",
                "status_code": "STATUS_CODE_UNSET",
            },
            2,
        ) in samples["traces_spanmetrics_calls_total"]

    with Clew(tmp_path) as clew:
        assert calls_by_edge(clew) == {}
        post(clew, *a_call(4))
        wait_until(lambda: calls_by_edge(clew).get(("web", "shop")) == 1, "the edge is told")


def test_without_series_there_are_none_of_these_metrics(tmp_path: Path) -> None:
    with Clew(tmp_path, CLEW_CALL_METRICS_MAX_SERIES="0") as clew:
        assert [name for name in scraped(clew) if name.startswith(("traces_", "clew_call_metrics"))] == []
