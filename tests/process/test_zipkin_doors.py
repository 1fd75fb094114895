"""9411 as a whole: every format and both transports to one port, and what it tells of them."""

import contextlib
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.collector.decode.zipkin.test_thrift_v1 import I64, STOP, STRING, field, i64, list_of, text
from tests.process.clew_process import Clew
from wire import zipkin_pb2 as zipkin

SERVICE = "zipkin.proto3.SpanService"


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("zipkin-doors"), CLEW_STORAGE_URL="memory:") as running:
        yield running


@contextlib.contextmanager
def channel(clew: Clew) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(clew.doors["zipkin"]) as opened:
        yield opened


def report(opened: grpc.Channel, *spans: zipkin.Span, **how: Any) -> zipkin.ReportResponse:
    method = opened.unary_unary(
        f"/{SERVICE}/Report",
        request_serializer=zipkin.ListOfSpans.SerializeToString,
        response_deserializer=zipkin.ReportResponse.FromString,
    )
    return method(zipkin.ListOfSpans(spans=spans), timeout=20, **how)


def a_span(trace: int, name: str = "get") -> zipkin.Span:
    return zipkin.Span(
        trace_id=trace.to_bytes(16, "big"),
        id=trace.to_bytes(8, "big"),
        name=name,
        timestamp=time.time_ns() // 1000,
        duration=1000,
        local_endpoint=zipkin.Endpoint(service_name="shop"),
        tags={"a": "b"},
    )


def names_of(clew: Clew, trace: int) -> list[str]:
    return [span["name"] for span in httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{trace:032x}").json()]


def metrics_of(clew: Clew) -> dict[str, float]:
    return dict(httpx.get(f"{clew.url('zipkin')}/metrics").json())


def v1_json(trace: int, value: str) -> str:
    host = '{"serviceName":"shop"}'
    annotations = f'[{{"timestamp":{time.time_ns() // 1000},"value":"{value}","endpoint":{host}}}]'
    return f'[{{"traceId":"{trace:032x}","id":"{trace:016x}","name":"v1","annotations":{annotations}}}]'


def test_spans_reported_by_grpc_read_back_and_count_for_the_grpc_transport(clew: Clew) -> None:
    before = metrics_of(clew)
    with channel(clew) as opened:
        assert report(opened, a_span(1), a_span(1, "put")) == zipkin.ReportResponse()
        report(opened, a_span(2), compression=grpc.Compression.Gzip)
    assert names_of(clew, 1) == ["get", "put"]
    assert names_of(clew, 2) == ["get"]
    after = metrics_of(clew)
    assert len(after) == 14
    moved = {name: number - before[name] for name, number in after.items() if name.startswith("counter.")}
    assert moved["counter.zipkin_collector.messages.grpc"] == 2
    assert moved["counter.zipkin_collector.spans.grpc"] == 3
    assert moved["counter.zipkin_collector.messages.http"] == 0
    assert after["gauge.zipkin_collector.message_spans.grpc"] == 1


def test_a_malformed_report_is_refused_and_counted(clew: Clew) -> None:
    before = metrics_of(clew)
    with channel(clew) as opened, pytest.raises(grpc.RpcError) as caught:
        report(opened, zipkin.Span(name="no ids"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Missing : traceId id" in str(caught.value.details())
    name = "counter.zipkin_collector.messages_dropped.grpc"
    assert metrics_of(clew)[name] - before[name] == 1


def test_health_and_reflection_answer_on_the_shared_port(clew: Clew) -> None:
    with channel(clew) as opened:
        health = health_pb2_grpc.HealthStub(opened)
        for service in ("", SERVICE):
            request = health_pb2.HealthCheckRequest(service=service)
            assert health.Check(request, timeout=20).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=20)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        database = ProtoReflectionDescriptorDatabase(opened)
        assert SERVICE in database.get_services()
        described = database.FindFileContainingSymbol(SERVICE)
        assert [method.name for method in described.service[0].method] == ["Report"]


def test_an_unknown_grpc_method_is_unimplemented(clew: Clew) -> None:
    with channel(clew) as opened:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = opened.unary_unary(f"/{SERVICE}/Delete")
        with pytest.raises(grpc.RpcError) as caught:
            method(b"", timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_plain_http_2_posts_and_reads(clew: Clew) -> None:
    with httpx.Client(http1=False, http2=True, base_url=clew.url("zipkin")) as client:
        body = zipkin.ListOfSpans(spans=[a_span(3)]).SerializeToString()
        answer = client.post("/api/v2/spans", content=body, headers={"content-type": "application/x-protobuf"})
        assert (answer.http_version, answer.status_code, answer.content) == ("HTTP/2", 202, b"")
        assert client.get(f"/api/v2/trace/{3:032x}").json()[0]["tags"] == {"a": "b"}
        assert "shop" in client.get("/api/v2/services").json()


@pytest.mark.parametrize(("value", "kind"), [("sr", "SERVER"), ("cs", "CLIENT"), ("ms", "PRODUCER")])
def test_v1_json_reads_back_as_v2_under_any_prefix(clew: Clew, value: str, kind: str) -> None:
    url = f"{clew.url('zipkin')}/any/prefix/api/v1/spans"
    trace = sum(value.encode())
    assert httpx.post(url, content=v1_json(trace, value)).status_code == 202
    (span,) = httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{trace:032x}").json()
    assert (span["kind"], span["localEndpoint"]) == (kind, {"serviceName": "shop"})


def test_v1_thrift_reads_back(clew: Clew) -> None:
    ids = field(I64, 12, i64(7)) + field(I64, 1, i64(8)) + field(I64, 4, i64(9))
    times = field(I64, 10, struct.pack("!q", time.time_ns() // 1000)) + field(I64, 11, i64(5))
    body = list_of(ids + times + field(STRING, 3, text("thrifty")) + STOP)
    url, headers = f"{clew.url('zipkin')}/api/v1/spans", {"content-type": "application/x-thrift"}
    assert httpx.post(url, content=body, headers=headers).status_code == 202
    (span,) = httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{7:016x}{8:016x}").json()
    assert (span["id"], span["name"], span["duration"]) == (f"{9:016x}", "thrifty", 5)


def test_a_v2_body_on_a_v1_path_is_kept_and_told_of(clew: Clew) -> None:
    span = f'[{{"traceId":"{5:032x}","id":"5","name":"misdirected","localEndpoint":{{"serviceName":"mesh"}}}}]'
    assert httpx.post(f"{clew.url('zipkin')}/zipkin/api/v1/spans", content=span).status_code == 202
    assert names_of(clew, 5) == ["misdirected"]
    exposed = httpx.get(f"{clew.url('zipkin')}/prometheus").text
    assert 'clew_zipkin_mistaken_formats_total{actual="JSON_V2",declared="JSON_V1"}' in exposed
    assert "posts JSON_V2 spans to '/zipkin/api/v1/spans'" in clew.log()


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/api/v2/spans", "application/json"),
        ("/api/v2/spans", "application/x-protobuf"),
        ("/api/v1/spans", "application/json"),
        ("/api/v1/spans", "application/x-thrift"),
    ],
)
def test_four_bytes_of_nonsense_are_a_400_on_every_path(clew: Clew, path: str, content_type: str) -> None:
    # zipkin.md 1.1
    url, headers = clew.url("zipkin") + path, {"content-type": content_type}
    plain = httpx.post(url, content=b"\1\2\3\4", headers=headers)
    assert plain.status_code == 400
    assert plain.text.startswith("Expected a ")
    assert plain.text.endswith(" encoded list\n")
    zipped = httpx.post(url, content=b"\1\2\3\4", headers=headers | {"content-encoding": "gzip"})
    assert (zipped.status_code, zipped.text) == (400, "Cannot gunzip spans")


def test_the_read_path_of_v1_is_gone_and_other_methods_are_404(clew: Clew) -> None:
    # zipkin.md 1.0, 1.17
    url = clew.url("zipkin")
    assert httpx.get(f"{url}/api/v1/spans").status_code == 404
    assert httpx.put(f"{url}/api/v2/spans").status_code == 404


def test_grpc_can_be_closed_alone(tmp_path: Path) -> None:
    with Clew(tmp_path, CLEW_STORAGE_URL="memory:", COLLECTOR_GRPC_ENABLED="false") as clew:
        with channel(clew) as opened, pytest.raises(grpc.RpcError) as caught:
            report(opened, a_span(1))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert httpx.post(f"{clew.url('zipkin')}/api/v1/spans", content=v1_json(1, "sr")).status_code == 202


def test_sigterm_ends_a_health_watch_with_not_serving_and_exits_0(tmp_path: Path) -> None:
    with Clew(tmp_path, CLEW_STORAGE_URL="memory:") as clew, channel(clew) as opened:
        watch = health_pb2_grpc.HealthStub(opened).Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=60)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        assert clew.stop() == 0
        assert [answer.status for answer in watch] == [health_pb2.HealthCheckResponse.NOT_SERVING]
