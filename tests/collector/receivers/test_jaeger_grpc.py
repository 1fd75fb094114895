"""Port 14250: reference section 1.4. What every gRPC method that takes spans does is tested by OTLP's."""

import grpc
import pytest

from clew.grpc_ports import GrpcServer
from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.http_body import BodyLimits
from collector.receivers.jaeger_grpc import JaegerGrpcReceiver
from tests.collector.rig import Rig, decode_words
from wire.jaeger_collector_pb2 import PostSpansResponse

POST_SPANS = "/jaeger.api_v2.CollectorService/PostSpans"
LIMITS = BodyLimits(wire_bytes=1000, inflated_bytes=4000)


async def posted(rig: Rig, body: bytes, compression: grpc.Compression | None = None) -> bytes:
    server = GrpcServer(
        JaegerGrpcReceiver(rig.intake, LIMITS, decode_words, LossLog(lambda: 0)).handlers(),
        LIMITS.wire_bytes,
        inflate=False,
    )
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(POST_SPANS)
            return await method(body, compression=compression)
    finally:
        await server.stop(grace_s=30)


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_batch_is_answered_with_an_empty_response_when_it_is_stored(
    compression: grpc.Compression | None,
) -> None:
    async with Rig() as rig:
        assert await posted(rig, b"5 shop" + b" " * 500, compression) == PostSpansResponse().SerializeToString()
        assert rig.store.spans == 5
        assert rig.ledger.books().messages == {Door.JAEGER_GRPC: 1}


async def test_a_batch_that_is_none_is_an_invalid_argument() -> None:
    async with Rig() as rig:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await posted(rig, b"what is this")
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert rig.ledger.books().messages_refused == {(Door.JAEGER_GRPC, "malformed"): 1}
