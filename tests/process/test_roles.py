"""Collectors and query servers apart: what each opens, what it says of the rest, and which stores refuse it."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.process.clew_process import Clew
from tests.process.senders import exporting, otlp_request, zipkin_spans
from wire import zipkin_pb2 as zipkin

TRACE = "5af7183fb1d4cf5f"
PROCESS = {"admin", "status", "metrics"}
INGEST = {
    "otlp_grpc",
    "otlp_http",
    "jaeger_thrift_http",
    "jaeger_collector_grpc",
    "jaeger_udp_compact",
    "jaeger_udp_binary",
    "sampling_http",
    "sampling_grpc",
}
READS = {"jaeger", "jaeger_grpc", "remote_storage", "tempo"}


def of_role(directory: Path, role: str) -> Clew:
    return Clew(
        directory,
        module="tests.process.store_on_command",
        CLEW_STORAGE_URL="memory:",
        CLEW_ROLE=role,
        STORE_AWAY=str(directory / "away"),
    )


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with of_role(tmp_path_factory.mktemp("collector"), "collector") as running:
        yield running


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with of_role(tmp_path_factory.mktemp("query"), "query") as running:
        yield running


def report_over_grpc(clew: Clew) -> grpc.StatusCode:
    with grpc.insecure_channel(clew.doors["zipkin"]) as channel:
        method = channel.unary_unary(
            "/zipkin.proto3.SpanService/Report",
            request_serializer=zipkin.ListOfSpans.SerializeToString,
            response_deserializer=zipkin.ReportResponse.FromString,
        )
        try:
            method(zipkin.ListOfSpans(), timeout=20)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def health_of(clew: Clew, door: str, service: str = "") -> int:
    with grpc.insecure_channel(clew.doors[door]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status)


def test_each_role_opens_its_own_doors_and_those_of_the_process(collector: Clew, query: Clew) -> None:
    assert set(collector.doors) == {*PROCESS, "zipkin", *INGEST}
    assert set(query.doors) == {*PROCESS, "zipkin", *READS}


def test_a_collector_takes_spans_by_every_protocol_of_9411_and_otlp(collector: Clew) -> None:
    answer = httpx.post(f"{collector.url('zipkin')}/api/v2/spans", json=zipkin_spans(TRACE))

    assert answer.status_code == 202
    assert report_over_grpc(collector) is grpc.StatusCode.OK
    with exporting(collector.doors["otlp_grpc"]) as export:
        assert export("0" * 31 + "1") > 0
    body = otlp_request("0" * 31 + "2").SerializeToString()
    headers = {"content-type": "application/x-protobuf"}
    assert httpx.post(f"{collector.url('otlp_http')}/v1/traces", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/api/v2/services", f"/api/v2/trace/{TRACE}", "/zipkin/", "/zipkin/config.json", "/"])
def test_a_collector_says_that_it_answers_no_questions(collector: Clew, path: str) -> None:
    answer = httpx.get(collector.url("zipkin") + path)

    assert (answer.status_code, answer.text) == (
        501,
        "this clew only collects spans (CLEW_ROLE=collector); ask a query server\n",
    )


@pytest.mark.parametrize("path", ["/api/v2/spans", "/api/v1/spans", "/any/prefix/api/v2/spans"])
def test_a_query_server_says_that_it_takes_no_spans(query: Clew, path: str) -> None:
    answer = httpx.post(query.url("zipkin") + path, json=zipkin_spans(TRACE))

    assert (answer.status_code, answer.text) == (
        501,
        "this clew only answers questions (CLEW_ROLE=query); send spans to a collector\n",
    )


def test_a_query_server_takes_no_spans_over_grpc(query: Clew) -> None:
    assert report_over_grpc(query) is grpc.StatusCode.UNIMPLEMENTED
    with pytest.raises(grpc.RpcError) as refusal, exporting(query.doors["remote_storage"]) as export:
        export("0" * 31 + "1")
    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_query_server_answers_on_every_window(query: Clew) -> None:
    assert httpx.get(f"{query.url('zipkin')}/api/v2/services").json() == []
    assert httpx.get(f"{query.url('jaeger')}/api/services").json()["data"] == []
    assert httpx.get(f"{query.url('tempo')}/api/echo").status_code == 200
    assert health_of(query, "jaeger_grpc") == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("role", ["collector", "query"])
def test_both_tell_of_themselves(role: str, request: pytest.FixtureRequest) -> None:
    clew: Clew = request.getfixturevalue(role)

    assert httpx.get(f"{clew.url('zipkin')}/health").json()["status"] == "UP"
    assert httpx.get(clew.url("admin")).status_code == 200
    assert "clew_build_info" in httpx.get(f"{clew.url('metrics')}/metrics").text
    assert len(httpx.get(f"{clew.url('zipkin')}/metrics").json()) == 14
    assert health_of(clew, "zipkin") == health_pb2.HealthCheckResponse.SERVING


def refused_start(directory: Path, **settings: str) -> str:
    clew = Clew(directory, **settings)
    with pytest.raises(AssertionError, match="clew ended before it was ready"):
        clew.start()
    return clew.log()


@pytest.mark.parametrize("role", ["collector", "query"])
@pytest.mark.parametrize(("url", "name"), [("", "duckdb"), ("duckdb:temporary", "duckdb"), ("memory:", "memory")])
def test_a_store_for_one_process_refuses_a_role_by_name_and_says_what_to_use(
    tmp_path: Path, url: str, name: str, role: str
) -> None:
    log = refused_start(tmp_path, CLEW_ROLE=role, **({"CLEW_STORAGE_URL": url} if url else {}))

    assert f"CLEW_ROLE={role}: {name} (CLEW_STORAGE_URL) serves one process" in log
    assert "use CLEW_ROLE=all, or a store for several: postgresql://... or clickhouse://..." in log
    assert not (tmp_path / "clew.duckdb").exists()


def test_an_archive_for_one_process_refuses_too(tmp_path: Path) -> None:
    clew = Clew(
        tmp_path,
        module="tests.process.store_on_command",
        CLEW_STORAGE_URL="memory:",
        CLEW_ARCHIVE_URL=f"duckdb:///{tmp_path}/archive.duckdb",
        CLEW_ROLE="query",
        STORE_AWAY=str(tmp_path / "away"),
    )
    with pytest.raises(AssertionError, match="clew ended before it was ready"):
        clew.start()

    assert "CLEW_ROLE=query: duckdb (CLEW_ARCHIVE_URL) serves one process" in clew.log()


def test_a_role_that_nobody_knows_is_a_wrong_setting(tmp_path: Path) -> None:
    assert "CLEW_ROLE: expected all, collector, query, got 'reader'" in refused_start(tmp_path, CLEW_ROLE="reader")
