"""Port 16685 of the real command: bodies of real clients read through it, and what the port says about itself."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from query.render.jaeger_proto import MOST_BYTES, MOST_SPANS
from tests.process.clew_process import Clew
from tests.query.jaeger_messages import span_as_json, spans_with_processes
from wire import jaeger_query_v2_pb2 as v2

DATA = Path(__file__).parents[1] / "data"
ZIPKIN = sorted(path.name for path in DATA.glob("*zipkin*.json"))
OTLP = ["envoy-otlp-http-0001.bin", "otelpy-http.bin", "otelnode-proto-gzip.bin.gz"]
SERVICE = "jaeger.api_v2.QueryService"


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """With the bodies posted."""
    with Clew(tmp_path_factory.mktemp("jaeger-grpc")) as running:
        for name in ZIPKIN:
            url, content = f"{running.url('zipkin')}/api/v2/spans", (DATA / name).read_bytes()
            httpx.post(url, content=content, headers={"content-type": "application/json"}).raise_for_status()
        for name in OTLP:
            url, content = f"{running.url('otlp_http')}/v1/traces", (DATA / name).read_bytes()
            plain = gzip.decompress(content) if name.endswith(".gz") else content
            httpx.post(url, content=plain, headers={"content-type": "application/x-protobuf"}).raise_for_status()
        yield running


@pytest.fixture(scope="module")
def channel(clew: Clew) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(clew.doors["jaeger_grpc"]) as opened:
        yield opened


def stream(channel: grpc.Channel, method: str, request: Message) -> list[v2.SpansResponseChunk]:
    call: grpc.UnaryStreamMultiCallable[Message, v2.SpansResponseChunk] = channel.unary_stream(
        f"/{SERVICE}/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=v2.SpansResponseChunk.FromString,
    )
    return list(call(request, timeout=30))


def services(channel: grpc.Channel) -> list[str]:
    call: grpc.UnaryUnaryMultiCallable[v2.GetServicesRequest, v2.GetServicesResponse] = channel.unary_unary(
        f"/{SERVICE}/GetServices",
        request_serializer=v2.GetServicesRequest.SerializeToString,
        response_deserializer=v2.GetServicesResponse.FromString,
    )
    return list(call(v2.GetServicesRequest(), timeout=30).services)


def test_every_trace_of_every_client_is_on_16685_what_it_is_on_16686(clew: Clew, channel: grpc.Channel) -> None:
    query = v2.TraceQueryParameters()
    query.start_time_min.seconds, query.start_time_max.seconds = 1, 4_000_000_000
    chunks = stream(channel, "FindTraces", v2.FindTracesRequest(query=query))
    spans: dict[bytes, list[dict[str, object]]] = {}
    for chunk in chunks:
        assert 1 <= len(chunk.spans) <= MOST_SPANS
        assert chunk.ByteSize() <= MOST_BYTES
        assert len({span.trace_id for span in chunk.spans}) == 1
        for span in chunk.spans:
            spans.setdefault(span.trace_id, []).append(span_as_json(span))

    assert len(spans) == 20
    for trace_id, found in spans.items():
        answer = httpx.get(f"{clew.url('jaeger')}/api/traces/{trace_id.hex()}").raise_for_status()
        assert found == spans_with_processes(answer.json()["data"][0])
        by_id = stream(channel, "GetTrace", v2.GetTraceRequest(trace_id=trace_id))
        assert [span_as_json(span) for chunk in by_id for span in chunk.spans] == found


def test_the_services_are_those_of_16686(clew: Clew, channel: grpc.Channel) -> None:
    assert services(channel) == httpx.get(f"{clew.url('jaeger')}/api/services").json()["data"]


def test_unknown_traces_and_ids_of_zeros_are_refused_as_jaeger_refuses_them(channel: grpc.Channel) -> None:
    for trace_id, code in ((b"\x01" * 16, grpc.StatusCode.NOT_FOUND), (bytes(16), grpc.StatusCode.INVALID_ARGUMENT)):
        with pytest.raises(grpc.RpcError) as raised:
            stream(channel, "GetTrace", v2.GetTraceRequest(trace_id=trace_id))
        assert isinstance(raised.value, grpc.Call)
        assert raised.value.code() is code


def test_a_question_too_large_to_be_one_is_refused_however_small_it_travels(channel: grpc.Channel) -> None:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{SERVICE}/GetServices")

    with pytest.raises(grpc.RpcError) as raised:
        call(bytes(10_000_000), timeout=30, compression=grpc.Compression.Gzip)

    assert isinstance(raised.value, grpc.Call)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("service", ["", SERVICE, "jaeger.api_v3.QueryService"])
def test_the_port_is_healthy_by_the_name_of_each_service(channel: grpc.Channel, service: str) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=30)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_describes_the_service_with_jaegers_own_names(channel: grpc.Channel) -> None:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)

    (answer,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]), timeout=30)

    (described,) = (
        file
        for file in map(FileDescriptorProto.FromString, answer.file_descriptor_response.file_descriptor_proto)
        if file.service
    )
    assert described.package == "jaeger.api_v2"
    assert [method.name for method in described.service[0].method] == [
        "GetTrace",
        "ArchiveTrace",
        "FindTraces",
        "GetServices",
        "GetOperations",
        "GetDependencies",
    ]
