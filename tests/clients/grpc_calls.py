"""gRPC calls as a plain client makes them: cleartext, without options."""

from typing import TypeVar

import grpc
from google.protobuf.message import Message

Reply = TypeVar("Reply", bound=Message)
TIMEOUT_S = 10


def stream(address: str, method: str, request: Message, reply: type[Reply]) -> list[Reply]:
    """Every message of a server stream. method: `package.Service/Method`."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_stream(
            f"/{method}", request_serializer=type(request).SerializeToString, response_deserializer=reply.FromString
        )
        return list(call(request, timeout=TIMEOUT_S))


def ask(address: str, method: str, request: Message, reply: type[Reply]) -> Reply:
    """The one answer of a unary call."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            f"/{method}", request_serializer=type(request).SerializeToString, response_deserializer=reply.FromString
        )
        answer: Reply = call(request, timeout=TIMEOUT_S)
        return answer
