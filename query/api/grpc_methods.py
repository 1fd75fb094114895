"""Methods of gRPC services that read requests themselves and whose answers are serialized in a reader thread."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError

from query.api.grpc_answers import answering, streaming
from query.errors import BadRequest

_Request = TypeVar("_Request")


def unary_method(
    answer: Callable[[_Request], Awaitable[bytes]], parse: Callable[[bytes], _Request]
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """A call with one answer. parse: the request from its bytes; DecodeError or BadRequest is the client's fault."""
    return grpc.unary_unary_rpc_method_handler(answering(lambda message: answer(_parsed(parse, message))))


def stream_method(
    answers: Callable[[_Request], AsyncIterator[bytes]], parse: Callable[[bytes], _Request]
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """A call answered by a stream. parse: as for `unary_method`."""
    return grpc.unary_stream_rpc_method_handler(streaming(lambda message: answers(_parsed(parse, message))))


def _parsed(parse: Callable[[bytes], _Request], message: bytes) -> _Request:
    # Given to gRPC as a deserializer, a wrong request would be UNKNOWN to the client and a traceback in the log.
    try:
        return parse(message)
    except DecodeError as error:
        raise BadRequest(f"expected a request of this method as protobuf: {error}") from error
