"""Methods of gRPC services whose answers are serialized where they are made: in a reader thread."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc

from query.api.grpc_answers import answering, streaming

_Request = TypeVar("_Request")


def unary_method(
    answer: Callable[[_Request], Awaitable[bytes]], parse: Callable[[bytes], _Request]
) -> "grpc.RpcMethodHandler[_Request, bytes]":
    """A call with one answer. parse: the request from its bytes."""
    return grpc.unary_unary_rpc_method_handler(answering(answer), parse)


def stream_method(
    answers: Callable[[_Request], AsyncIterator[bytes]], parse: Callable[[bytes], _Request]
) -> "grpc.RpcMethodHandler[_Request, bytes]":
    """A call answered by a stream. parse: the request from its bytes."""
    return grpc.unary_stream_rpc_method_handler(streaming(answers), parse)
