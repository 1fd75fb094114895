"""One unary gRPC method that takes spans: read, limit, inflate, decode, submit, answer.

The call is unary on the wire, but handled as a stream of one request: gRPC hands a unary request over only when it
holds it whole, and here the number of requests in memory must stay bounded. A compressed request is inflated here and
not by gRPC, so that both size limits and the queue's budget hold for it; the server must leave it as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

import grpc

from collector.budget import RETRY_AFTER_S, Reservation
from collector.decode.decoded import Decoded
from collector.errors import (
    BodyTooSlow,
    ClientGone,
    CollectorError,
    Overloaded,
)
from collector.inflate import Coding, Inflater, has_zlib_header
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.grpc_refusals import code_of, retry_metadata
from collector.receivers.http_body import BodyLimits

MAX_READING = 16
"""Requests that are read at once: this many times the wire limit may be in memory beside the queue's budget, for
gRPC says how large a request is only when it holds it."""
MAX_CALLS = 4096
"""Calls that wait at once, for a place to be read or for their commit."""
_GZIP_MAGIC = b"\x1f\x8b"

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcIngest:
    """The method of one door. decode: of an inflated request; reply: the response, when every good span is durable."""

    def __init__(
        self, intake: Intake, limits: BodyLimits, door: Door, decode: Decode, reply: Callable[[Decoded], bytes]
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._door = door
        self._decode = decode
        self._reply = reply
        self._reading = asyncio.Semaphore(MAX_READING)
        self._calls = 0

    def handler(self) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """The method, for a service's table."""
        return grpc.stream_unary_rpc_method_handler(self._call)

    async def _call(self, _requests: AsyncIterator[bytes], context: Context) -> bytes:
        if self._calls >= MAX_CALLS:
            error = Overloaded(f"{MAX_CALLS} calls are waiting already", RETRY_AFTER_S)
            self._intake.refuse(self._door, error)
            await _abort(context, error)
        self._calls += 1
        try:
            return self._reply(await self._take(context))
        except CollectorError as error:
            return await _abort(context, error)
        finally:
            self._calls -= 1

    async def _take(self, context: Context) -> Decoded:
        with self._intake.reservation() as reservation:
            try:
                body = await self._read(context, reservation)
            except CollectorError as error:
                self._intake.refuse(self._door, error)
                raise
            return await self._intake.take(self._door, self._decode, body, reservation)

    async def _read(self, context: Context, reservation: Reservation) -> bytes:
        async with self._reading:
            try:
                async with asyncio.timeout(self._limits.read_timeout_s):
                    message: object = await context.read()
            except TimeoutError as error:
                raise BodyTooSlow(f"expected the request within {self._limits.read_timeout_s:g} s") from error
            if not isinstance(message, bytes):
                raise ClientGone("the call ended without a request")
            coding = coding_of_message(message)
            if coding is not None:
                return await self._inflated(message, coding, reservation)
        reservation.grow(len(message))
        return message

    async def _inflated(self, message: bytes, coding: Coding, reservation: Reservation) -> bytes:
        inflater = Inflater(coding, self._limits.inflated_bytes, reservation.grow)
        for _ in inflater.feed(message):
            await asyncio.sleep(0)
        return inflater.finish()


def coding_of_message(message: bytes) -> Coding | None:
    """gRPC does not show its compressed flag, but no request of ours begins like a gzip or a zlib stream."""
    if message.startswith(_GZIP_MAGIC):
        return Coding.GZIP
    return Coding.DEFLATE if message[:1] == b"\x78" and has_zlib_header(message) else None


async def _abort(context: Context, error: CollectorError) -> NoReturn:
    code = code_of(error)
    await context.abort(code, str(error), retry_metadata(code, error))
