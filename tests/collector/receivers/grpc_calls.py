"""Calling a gRPC receiver and looking at how it refuses."""

import grpc
import pytest

Method = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


async def refusal(method: Method, body: bytes, compression: grpc.Compression | None = None) -> grpc.aio.AioRpcError:
    """The error that this message is answered with; it must be one."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(body, compression=compression)
    return caught.value


def trailers(error: grpc.aio.AioRpcError) -> dict[str, bytes | str]:
    """What came with the status."""
    return dict(error.trailing_metadata())
