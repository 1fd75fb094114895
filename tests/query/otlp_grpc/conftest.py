"""The gRPC windows that speak OTLP, over a store in memory, asked over a real connection with gRPC's default limits."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from clew.grpc_ports import GrpcServer
from query.api.jaeger_v3_grpc import JaegerV3Grpc
from query.api.remote_storage import HEALTHY, RemoteStorage
from query.service import QueryService
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.memory import MemoryStore
from storage.span import Span

Handlers = Callable[[QueryService], Sequence[grpc.GenericRpcHandler]]
_Answer = TypeVar("_Answer", bound=Message)


class GrpcDoor:
    """One port, the store behind it, and a client before it. service: the name before the method's."""

    def __init__(self, service: str, handlers: Handlers, *, inflate: bool = True) -> None:
        self.store = MemoryStore(max_spans=100_000, autocomplete_keys=())
        self._service = service
        self._query = QueryService(self.store, QuerySettings.model_validate({}))
        self._server = GrpcServer(handlers(self._query), 4 * 2**20, healthy=HEALTHY, inflate=inflate)
        self.channel = grpc.aio.insecure_channel("localhost:0")

    async def open(self) -> None:
        port = await self._server.start("127.0.0.1:0")
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def close(self) -> None:
        await self.channel.close()
        await self._server.stop(0)
        self._query.close()

    def write(self, *spans: Span) -> None:
        self.store.write(SpanBatch.of(spans))

    async def ask(self, method: str, request: Message, answer: type[_Answer], **call: Any) -> _Answer:
        """The answer of a unary call; `method` may name another service, as `Service/Method`."""
        asked: grpc.aio.UnaryUnaryMultiCallable[Message, _Answer] = self.channel.unary_unary(
            self._path(method), type(request).SerializeToString, answer.FromString
        )
        return await asked(request, **call)

    async def stream(self, method: str, request: Message, answer: type[_Answer]) -> list[_Answer]:
        """Every message of the answer."""
        asked: grpc.aio.UnaryStreamMultiCallable[Message, _Answer] = self.channel.unary_stream(
            self._path(method), type(request).SerializeToString, answer.FromString
        )
        return [message async for message in asked(request)]

    async def traces(self, method: str, request: Message) -> list[list[SpanMessage]]:
        """The spans of every chunk."""
        return [spans_of(chunk) for chunk in await self.stream(method, request, TracesData)]

    async def refusal(self, method: str, request: Message) -> tuple[grpc.StatusCode, str]:
        """Status and text of a call that must fail."""
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await self.stream(method, request, TracesData)
        return failed.value.code(), failed.value.details() or ""

    def _path(self, method: str) -> str:
        return f"/{method}" if "/" in method else f"/{self._service}/{method}"


def spans_of(data: TracesData) -> list[SpanMessage]:
    return [span for resource in data.resource_spans for scope in resource.scope_spans for span in scope.spans]


@pytest.fixture
async def v3_door() -> AsyncIterator[GrpcDoor]:
    """jaeger.api_v3.QueryService."""
    door = GrpcDoor("jaeger.api_v3.QueryService", lambda query: JaegerV3Grpc(query).handlers())
    await door.open()
    yield door
    await door.close()


@pytest.fixture
async def storage_door() -> AsyncIterator[GrpcDoor]:
    """Jaeger's Remote Storage, on a server that leaves requests compressed, as the process has it."""
    door = GrpcDoor("jaeger.storage.v2.TraceReader", lambda query: RemoteStorage(query).handlers(), inflate=False)
    await door.open()
    yield door
    await door.close()
