"""How the command starts, says where it listens, answers probes, and refuses to start."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clew.settings import doors, read_settings
from tests.process.clew_process import Clew


def test_the_ready_line_names_every_door_with_the_port_it_really_has(tmp_path: Path) -> None:
    with Clew(tmp_path) as clew:
        assert set(clew.doors) >= {"zipkin", "otlp_grpc", "otlp_http", "jaeger", "admin", "status", "metrics"}
        assert all(int(address.rpartition(":")[2]) > 0 for address in clew.doors.values())
        assert httpx.get(f"{clew.url('zipkin')}/health").json()["status"] == "UP"
        assert httpx.get(clew.url("admin")).json()["status"] == "Server available"
        assert httpx.get(f"{clew.url('jaeger')}/api/services").json()["data"] == []
        assert httpx.get(f"{clew.url('otlp_http')}/v1/traces").status_code == 405


def test_tempos_door_is_closed_unless_it_is_given(tmp_path: Path) -> None:
    assert read_settings({}).query.tempo_host_port == "off"
    with Clew(tmp_path / "closed", CLEW_STORAGE_URL="memory:", TEMPO_HTTP_HOST_PORT="") as clew:
        assert "tempo" not in clew.doors
    with Clew(tmp_path / "open", CLEW_STORAGE_URL="memory:", TEMPO_HTTP_HOST_PORT="127.0.0.1:0") as clew:
        assert httpx.get(f"{clew.url('tempo')}/api/echo").status_code == 200


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("doors"), CLEW_STORAGE_URL="memory:", QUERY_BASE_PATH="/jaeger") as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/health", "/any/thing"])
def test_the_admin_port_answers_jaegers_health_on_every_path(clew: Clew, path: str) -> None:
    answer = httpx.get(clew.url("admin") + path)

    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "upSince", "uptime"}


@pytest.mark.parametrize("path", ["/info", "/actuator/info", "/metrics", "/prometheus", "/actuator/health"])
def test_zipkins_port_answers_about_itself(clew: Clew, path: str) -> None:
    assert httpx.get(clew.url("zipkin") + path).status_code == 200


def test_zipkins_metrics_have_its_14_keys(clew: Clew) -> None:
    assert len(httpx.get(f"{clew.url('zipkin')}/metrics").json()) == 14


def allowed_origin(clew: Clew, origin: str) -> str | None:
    answer = httpx.get(f"{clew.url('zipkin')}/api/v2/services", headers={"origin": origin})
    assert answer.status_code == 200
    return dict(answer.headers).get("access-control-allow-origin")


def test_cors_allows_any_origin_by_default(clew: Clew) -> None:
    assert allowed_origin(clew, "http://a.example") == "*"


def test_cors_allows_only_the_named_origins(tmp_path: Path) -> None:
    with Clew(tmp_path, CLEW_STORAGE_URL="memory:", ZIPKIN_QUERY_ALLOWED_ORIGINS="http://a.example") as clew:
        assert allowed_origin(clew, "http://a.example") == "http://a.example"
        assert allowed_origin(clew, "http://b.example") is None


def test_a_page_of_another_origin_may_post_spans(clew: Clew) -> None:
    answer = httpx.post(f"{clew.url('zipkin')}/api/v2/spans", content=b"[]", headers={"origin": "http://a.example"})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (202, "*")


@pytest.mark.parametrize("path", ["/api/services", "/jaeger/api/services"])
def test_jaegers_api_answers_with_and_without_the_base_path(clew: Clew, path: str) -> None:
    assert httpx.get(clew.url("jaeger") + path).json()["errors"] is None


def test_a_request_head_without_end_is_cut_off(clew: Clew) -> None:
    host, _, port = clew.doors["zipkin"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: ")
        with pytest.raises(OSError):
            connection.sendall(b"y" * 50_000_000)


def test_jaeger_v2s_probe_and_scrape_are_answered_on_their_ports(clew: Clew) -> None:
    status = httpx.get(f"{clew.url('status')}/status")
    httpx.get(f"{clew.url('jaeger')}/api/services")
    metrics = httpx.get(f"{clew.url('metrics')}/metrics")

    assert (status.status_code, status.json()["status"]) == (200, "StatusOK")
    assert 'jaeger_query_requests_total{operation="get_services",result="ok"}' in metrics.text


def run_serve(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clew", "serve"]
    settings = dict.fromkeys(doors(), "off") | settings
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)


def test_serve_names_the_address_its_setting_and_the_way_out_when_a_port_is_taken(clew: Clew) -> None:
    taken = clew.doors["zipkin"]

    result = run_serve(COLLECTOR_ZIPKIN_HOST_PORT=taken, CLEW_STORAGE_URL="memory:")

    assert result.returncode == 1
    assert f"cannot listen on {taken}" in result.stderr
    assert "give COLLECTOR_ZIPKIN_HOST_PORT another address, or off" in result.stderr


def test_a_door_that_is_off_stays_closed(tmp_path: Path) -> None:
    with Clew(tmp_path, COLLECTOR_ZIPKIN_HOST_PORT="off", COLLECTOR_OTLP_GRPC_HOST_PORT="off") as clew:
        assert {"zipkin", "otlp_grpc"}.isdisjoint(clew.doors)
        assert "otlp_http" in clew.doors


def test_serve_says_that_another_process_holds_the_store(tmp_path: Path) -> None:
    with Clew(tmp_path):
        result = run_serve(CLEW_STORAGE_URL=f"duckdb:///{tmp_path}/clew.duckdb")

    assert result.returncode == 1
    assert "clew.duckdb" in result.stderr


def test_serve_reports_all_wrong_settings_at_once_and_exits_with_2() -> None:
    result = run_serve(CLEW_RETENTION="soon", COLLECTOR_SAMPLE_RATE="2", CLEW_STORAGE_URL="memory:")

    assert result.returncode == 2
    assert "CLEW_RETENTION" in result.stderr
    assert "COLLECTOR_SAMPLE_RATE" in result.stderr
