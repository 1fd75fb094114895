"""gRPC health and reflection on an HTTP port: what clew.grpc_ports gives the ports that are gRPC's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from starlette.types import Receive, Scope, Send

from clew.grpc_ports import REFLECTION_V1
from collector.budget import ByteBudget
from collector.errors import ClientGone, CollectorError, MalformedPayload
from collector.receivers.grpc_http import GrpcCall
from collector.receivers.grpc_refusals import code_of
from collector.receivers.http_body import BodyLimits

_QUESTION_BYTES = 16 * 1024
_LIMITS = BodyLimits(_QUESTION_BYTES, _QUESTION_BYTES)
_CHECK = f"/{health.SERVICE_NAME}/Check"
_WATCH = f"/{health.SERVICE_NAME}/Watch"
_REFLECTIONS = tuple(f"/{service}/ServerReflectionInfo" for service in (reflection.SERVICE_NAME, REFLECTION_V1))
INTROSPECTION_PATHS = frozenset((_CHECK, _WATCH, *_REFLECTIONS))

Question = TypeVar("Question", bound=Message)


class GrpcIntrospection:
    """The callable is given POSTs of INTROSPECTION_PATHS only. services: those that health and reflection name; the
    module of their messages must be imported."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = frozenset(("", *services))
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME, REFLECTION_V1)
        self._reflection = reflection.aio.ReflectionServicer(names)
        self._stopping = asyncio.Event()
        self._is_serving = True
        self._changed = asyncio.Event()

    def serving(self, *, is_serving: bool) -> None:
        """Answer health checks so from now on."""
        self._is_serving = is_serving
        self._changed.set()
        self._changed = asyncio.Event()

    def stopping(self) -> None:
        """Answer NOT_SERVING from now on, and end the calls that would go on for ever."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = GrpcCall(scope, receive, send)
        if await call.refused_as_no_call():
            return
        try:
            if scope["path"] == _CHECK:
                await self._check(call)
                return
            await (self._watch(call) if scope["path"] == _WATCH else self._until_stopping(self._reflect(call)))
            await call.finish()
        except ClientGone:
            return
        except CollectorError as error:
            await call.finish(code_of(error), str(error))

    async def _check(self, call: GrpcCall) -> None:
        question = await _question(call, HealthCheckRequest) or HealthCheckRequest()
        if question.service not in self._services:
            await call.finish(grpc.StatusCode.NOT_FOUND, "unknown service")
            return
        await call.write(self._status(question.service))
        await call.finish()

    async def _watch(self, call: GrpcCall) -> None:
        question = await _question(call, HealthCheckRequest) or HealthCheckRequest()
        if not self._stopping.is_set():
            await self._until_stopping(self._report(call, question.service))
        await call.write(self._status(question.service))

    async def _report(self, call: GrpcCall, service: str) -> None:
        """Write the status, and again whenever it changes, until the caller is gone."""
        gone = asyncio.ensure_future(call.gone())
        try:
            while True:
                await call.write(self._status(service))
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait((gone, changed), return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if gone.done():
                    return
        finally:
            gone.cancel()

    def _status(self, service: str) -> bytes:
        is_serving = self._is_serving and not self._stopping.is_set()
        status = HealthCheckResponse.SERVING if is_serving else HealthCheckResponse.NOT_SERVING
        known = service in self._services
        encoded: bytes = HealthCheckResponse(
            status=status if known else HealthCheckResponse.SERVICE_UNKNOWN
        ).SerializeToString()
        return encoded

    async def _reflect(self, call: GrpcCall) -> None:
        async for answer in self._reflection.ServerReflectionInfo(_questions(call), None):
            await call.write(answer.SerializeToString())

    async def _until_stopping(self, job: Coroutine[None, None, None]) -> None:
        """Return when the job has ended or clew stops; raises what the job raised."""
        asking, stopping = asyncio.ensure_future(job), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                asking.result()
        finally:
            for task in (asking, stopping):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CollectorError):
                    await task


async def _questions(call: GrpcCall) -> AsyncIterator[ServerReflectionRequest]:
    while (question := await _question(call, ServerReflectionRequest)) is not None:
        yield question


async def _question(call: GrpcCall, kind: type[Question]) -> Question | None:
    with ByteBudget(_QUESTION_BYTES).reservation() as reservation:
        message = await call.read(_LIMITS, reservation)
    if message is None:
        return None
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise MalformedPayload(f"expected a {kind.DESCRIPTOR.full_name}: {error}") from error
