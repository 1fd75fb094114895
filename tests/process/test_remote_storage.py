"""17271 of the real command: what a stock Jaeger needs of its storage backend."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.process.clew_process import Clew
from tests.process.senders import exporting
from wire import jaeger_storage_v2_pb2 as v2


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("remote"), CLEW_MAX_BODY_BYTES="100000") as running:
        yield running


@pytest.fixture
def channel(clew: Clew) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(clew.doors["remote_storage"]) as opened:
        yield opened


def read_back(channel: grpc.Channel, trace_id: bytes) -> list[TracesData]:
    """The chunks of one trace."""
    get: grpc.UnaryStreamMultiCallable[v2.GetTracesRequest, TracesData] = channel.unary_stream(
        "/jaeger.storage.v2.TraceReader/GetTraces", v2.GetTracesRequest.SerializeToString, TracesData.FromString
    )
    return list(get(v2.GetTracesRequest(query=[v2.GetTraceParams(trace_id=trace_id)])))


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_what_opentelemetrys_exporter_writes_there_is_read_back_there(
    clew: Clew, channel: grpc.Channel, compression: grpc.Compression | None
) -> None:
    exporter = OTLPSpanExporter(f"http://{clew.doors['remote_storage']}", insecure=True, compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": "remote"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("lib", "1.0").start_as_current_span("work", attributes={"n": 1}) as span:
        trace_id = span.get_span_context().trace_id.to_bytes(16, "big")
    provider.shutdown()

    (chunk,) = read_back(channel, trace_id)

    (scope,) = chunk.resource_spans[0].scope_spans
    assert (scope.scope.name, scope.spans[0].name) == ("lib", "work")
    assert [(one.key, one.value.int_value) for one in scope.spans[0].attributes] == [("n", 1)]


def test_a_write_there_is_on_disk_when_it_is_acknowledged(tmp_path: Path) -> None:
    trace_id = secrets.token_hex(16)
    clew = Clew(tmp_path)
    clew.start()
    with exporting(clew.doors["remote_storage"]) as export:
        assert export(trace_id) > 0
    clew.kill()

    with clew, grpc.insecure_channel(clew.doors["remote_storage"]) as channel:
        assert len(read_back(channel, bytes.fromhex(trace_id))) == 1


def test_writes_there_are_in_the_same_books_as_those_of_4317(clew: Clew) -> None:
    with exporting(clew.doors["remote_storage"]) as export:
        assert export(secrets.token_hex(16)) > 0

    assert 'door="otlp_grpc"' in httpx.get(f"{clew.url('admin')}/metrics").text


def test_a_write_beyond_the_limit_of_a_body_is_refused(channel: grpc.Channel) -> None:
    export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    )

    with pytest.raises(grpc.RpcError) as refused:
        export(bytes(100_001))

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("service", ["", "TraceReader", "DependencyReader", "TraceWriter", "Capabilities"])
def test_health_answers_for_every_name_that_jaeger_asks_for(channel: grpc.Channel, service: str) -> None:
    check = health_pb2_grpc.HealthStub(channel).Check
    name = f"jaeger.storage.v2.{service}" if service else ""

    answer = check(health_pb2.HealthCheckRequest(service=name))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_names_the_services_and_describes_them(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="jaeger.storage.v2.TraceReader"),
    ]

    listed, described = stub.ServerReflectionInfo(iter(requests))

    assert {one.name for one in listed.list_services_response.service} >= {
        "jaeger.storage.v2.TraceReader",
        "jaeger.storage.v2.DependencyReader",
        "jaeger.storage.v2.Capabilities",
        "opentelemetry.proto.collector.trace.v1.TraceService",
    }
    assert described.file_descriptor_response.file_descriptor_proto


def test_a_writer_of_metrics_is_told_that_only_traces_are_taken(channel: grpc.Channel) -> None:
    export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    )

    with pytest.raises(grpc.RpcError) as refused:
        export(b"")

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
