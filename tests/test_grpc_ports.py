import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from clew.grpc_ports import REFLECTION_V1, GrpcServer

SERVICE = trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"].full_name
EXPORT = f"/{SERVICE}/Export"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
MAX_MESSAGE_BYTES = 1000

Export = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


async def echo(request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return request


def echo_server(*, inflate: bool = True) -> GrpcServer:
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(echo)
    handler = grpc.method_handlers_generic_handler(SERVICE, {"Export": method})
    return GrpcServer([handler], MAX_MESSAGE_BYTES, healthy=["x.OnlyByName"], inflate=inflate)


@asynccontextmanager
async def connected(server: GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(grace_s=30)


async def health_of(channel: grpc.aio.Channel, service: str) -> int:
    check = health_pb2_grpc.HealthStub(channel).Check
    response: health_pb2.HealthCheckResponse = await check(health_pb2.HealthCheckRequest(service=service))
    return int(response.status)


async def reflected(
    channel: grpc.aio.Channel, reflection: str, request: reflection_pb2.ServerReflectionRequest
) -> reflection_pb2.ServerReflectionResponse:
    method = channel.stream_stream(
        f"/{reflection}/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    (response,) = [response async for response in method(iter([request]))]
    return response


@pytest.mark.parametrize("service", ["", SERVICE, "x.OnlyByName"])
async def test_health_is_serving_for_the_port_and_each_of_its_services(service: str) -> None:
    async with connected(echo_server()) as channel:
        assert await health_of(channel, service) == SERVING


async def test_health_of_a_service_that_is_not_here_is_not_found() -> None:
    async with connected(echo_server()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_of(channel, "x.Another")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_is_not_serving_while_stopping_and_calls_still_work() -> None:
    server = echo_server()
    async with connected(server) as channel:
        await server.stopping()
        assert [await health_of(channel, service) for service in ("", SERVICE)] == [NOT_SERVING, NOT_SERVING]
        export: Export = channel.unary_unary(EXPORT)
        assert await export(b"hello") == b"hello"


@pytest.mark.parametrize("reflection", ["grpc.reflection.v1alpha.ServerReflection", REFLECTION_V1])
async def test_reflection_lists_the_services_under_both_its_names(reflection: str) -> None:
    async with connected(echo_server()) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        response = await reflected(channel, reflection, request)
        assert {service.name for service in response.list_services_response.service} == {
            SERVICE,
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
            REFLECTION_V1,
        }


async def test_reflection_describes_a_service() -> None:
    async with connected(echo_server()) as channel:
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
        response = await reflected(channel, REFLECTION_V1, request)
        assert trace_service_pb2.DESCRIPTOR.serialized_pb in response.file_descriptor_response.file_descriptor_proto


async def test_a_request_over_the_limit_is_resource_exhausted() -> None:
    async with connected(echo_server()) as channel:
        export: Export = channel.unary_unary(EXPORT)
        assert await export(bytes(MAX_MESSAGE_BYTES)) == bytes(MAX_MESSAGE_BYTES)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await export(bytes(MAX_MESSAGE_BYTES + 1))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(("inflate", "begins"), [(True, b"xxx"), (False, b"\x1f\x8b")])
async def test_a_compressed_request_is_inflated_only_when_told_so(inflate: bool, begins: bytes) -> None:
    async with connected(echo_server(inflate=inflate)) as channel:
        export: Export = channel.unary_unary(EXPORT)
        answer = await export(b"x" * 500, compression=grpc.Compression.Gzip)
        assert answer.startswith(begins)


async def test_start_says_which_address_cannot_be_had() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen on {address} for gRPC"):
            await echo_server().start(address)
