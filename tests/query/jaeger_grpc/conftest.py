"""jaeger.api_v2 over a store in memory, asked over a real connection. The clock stands at NOW_NS."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message

from clew.grpc_ports import GrpcServer
from query.api.jaeger_v2_grpc import SERVICE, JaegerV2Grpc
from query.archive import TraceArchive
from query.service import QueryService
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.contract import SpanReader
from storage.memory import MemoryStore
from storage.span import Span
from tests.builders import HOUR, TODAY_NS
from wire import jaeger_model_pb2 as model
from wire import jaeger_query_v2_pb2 as v2

NOW_NS = TODAY_NS + HOUR
_Answer = TypeVar("_Answer", bound=Message)


class Door:
    """Port 16685, the store behind it, and a client before it with gRPC's default limits."""

    def __init__(self, settings: QuerySettings, reader: SpanReader | None, archive: TraceArchive | None) -> None:
        self.store = MemoryStore(max_spans=100_000, autocomplete_keys=())
        self.service = QueryService(reader or self.store, settings, threads=1, archive=archive)
        self._server = GrpcServer(JaegerV2Grpc(self.service, now_ns=lambda: NOW_NS).handlers(), 4 * 2**20)
        self.channel = grpc.aio.insecure_channel("")

    async def open(self) -> None:
        port = await self._server.start("127.0.0.1:0")
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def close(self) -> None:
        await self.channel.close()
        await self._server.stop(0)
        self.service.close()

    def write(self, *spans: Span) -> None:
        self.store.write(SpanBatch.of(spans, received_ns=NOW_NS))

    async def ask(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """The answer of a unary call."""
        call: grpc.aio.UnaryUnaryMultiCallable[Message, _Answer] = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return await call(request)

    def stream(
        self, method: str, request: Message, timeout_s: float | None = None
    ) -> "grpc.aio.UnaryStreamCall[Message, v2.SpansResponseChunk]":
        """The call, to be iterated over."""
        call: grpc.aio.UnaryStreamMultiCallable[Message, v2.SpansResponseChunk] = self.channel.unary_stream(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=v2.SpansResponseChunk.FromString,
        )
        return call(request, timeout=timeout_s)

    async def chunks(self, method: str, request: Message) -> list[list[model.Span]]:
        """The spans of every chunk."""
        return [list(chunk.spans) async for chunk in self.stream(method, request)]

    async def find(self, **query: Any) -> list[model.Span]:
        """The spans of FindTraces with these TraceQueryParameters."""
        request = v2.FindTracesRequest(query=v2.TraceQueryParameters(**query))
        return [span for chunk in await self.chunks("FindTraces", request) for span in chunk]

    async def trace(self, trace_id: bytes, **more: Any) -> list[model.Span]:
        """The spans of GetTrace."""
        chunks = await self.chunks("GetTrace", v2.GetTraceRequest(trace_id=trace_id, **more))
        return [span for chunk in chunks for span in chunk]

    async def refusal(self, method: str, request: Message) -> tuple[grpc.StatusCode, str]:
        """Code and text of a call that fails."""
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await self.chunks(method, request)
        return raised.value.code(), raised.value.details() or ""


OpenDoor = Callable[..., Any]


@pytest.fixture
async def open_door() -> AsyncIterator[OpenDoor]:
    """`await open_door(reader=None, archive=None, **settings)`: a door with these settings, closed after the test."""
    doors: list[Door] = []

    async def open_one(reader: SpanReader | None = None, archive: TraceArchive | None = None, **settings: Any) -> Door:
        doors.append(Door(QuerySettings.model_validate(settings), reader, archive))
        await doors[-1].open()
        return doors[-1]

    yield open_one
    for door in doors:
        await door.close()


@pytest.fixture
async def door(open_door: OpenDoor) -> Door:
    opened = await open_door()
    assert isinstance(opened, Door)
    return opened
