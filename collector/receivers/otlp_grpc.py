"""OTLP over gRPC: opentelemetry.proto.collector.trace.v1.TraceService/Export.

The call is unary on the wire, but handled as a stream of one request: gRPC hands a unary request over only when it
holds it whole, and here the number of requests in memory must stay bounded. A compressed request is inflated here and
not by gRPC, so that both size limits and the queue's budget hold for it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from collector.budget import RETRY_AFTER_S, Reservation
from collector.decode.decoded import Decoded
from collector.errors import (
    BodyTooSlow,
    ClientGone,
    CollectorError,
    MalformedPayload,
    Overloaded,
    PayloadTooLarge,
    StoreUnreachable,
)
from collector.inflate import Coding, Inflater, has_zlib_header
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.http_body import BodyLimits
from collector.receivers.otlp_http import partial_success

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
MAX_READING = 16
"""Requests that are read at once: this many times the wire limit may be in memory beside the queue's budget, for
gRPC says how large a request is only when it holds it."""
MAX_CALLS = 4096
"""Calls that wait at once, for a place to be read or for their commit."""
_GZIP_MAGIC = b"\x1f\x8b"

_CODES: tuple[tuple[type[CollectorError], grpc.StatusCode], ...] = (
    (MalformedPayload, grpc.StatusCode.INVALID_ARGUMENT),
    (PayloadTooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (StoreUnreachable, grpc.StatusCode.UNAVAILABLE),
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (BodyTooSlow, grpc.StatusCode.DEADLINE_EXCEEDED),
)

Context = grpc.aio.ServicerContext[bytes, bytes]


class OtlpGrpcReceiver:
    """The gRPC server of the OTLP door."""

    def __init__(self, intake: Intake, limits: BodyLimits, decode_proto: Decode) -> None:
        self._intake = intake
        self._limits = limits
        self._decode = decode_proto
        self._reading = asyncio.Semaphore(MAX_READING)
        self._calls = 0
        self._server: grpc.aio.Server | None = None

    async def start(self, address: str) -> int:
        """Listen on `host:port` (port 0: a free one) and return the port. OSError when that cannot be had."""
        server = grpc.aio.server(options=_server_options(self._limits))
        export: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self._export)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": export}),))
        try:
            port = server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address} for OTLP gRPC: {error}") from error
        await server.start()
        self._server = server
        return int(port)

    async def stop(self, grace_s: float) -> None:
        """Take no new call; return when the running ones have ended, or are cancelled after `grace_s`."""
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _export(self, _requests: AsyncIterator[bytes], context: Context) -> bytes:
        if self._calls >= MAX_CALLS:
            error = Overloaded(f"{MAX_CALLS} calls are waiting already", RETRY_AFTER_S)
            self._intake.refuse(Door.OTLP_GRPC, error)
            await _abort(context, error)
        self._calls += 1
        try:
            return partial_success(await self._take(context))
        except CollectorError as error:
            return await _abort(context, error)
        finally:
            self._calls -= 1

    async def _take(self, context: Context) -> Decoded:
        with self._intake.reservation() as reservation:
            try:
                body = await self._read(context, reservation)
            except CollectorError as error:
                self._intake.refuse(Door.OTLP_GRPC, error)
                raise
            return await self._intake.take(Door.OTLP_GRPC, self._decode, body, reservation)

    async def _read(self, context: Context, reservation: Reservation) -> bytes:
        async with self._reading:
            try:
                async with asyncio.timeout(self._limits.read_timeout_s):
                    message: object = await context.read()
            except TimeoutError as error:
                raise BodyTooSlow(f"expected the request within {self._limits.read_timeout_s:g} s") from error
            if not isinstance(message, bytes):
                raise ClientGone("the call ended without a request")
            coding = _coding(message)
            if coding is not None:
                return await self._inflated(message, coding, reservation)
        reservation.grow(len(message))
        return message

    async def _inflated(self, message: bytes, coding: Coding, reservation: Reservation) -> bytes:
        inflater = Inflater(coding, self._limits.inflated_bytes, reservation.grow)
        for _ in inflater.feed(message):
            await asyncio.sleep(0)
        return inflater.finish()


def _coding(message: bytes) -> Coding | None:
    """gRPC does not show its compressed flag, but no OTLP request begins like a gzip or a zlib stream."""
    if message.startswith(_GZIP_MAGIC):
        return Coding.GZIP
    return Coding.DEFLATE if message[:1] == b"\x78" and has_zlib_header(message) else None


async def _abort(context: Context, error: CollectorError) -> NoReturn:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
    await context.abort(code, str(error), _retry_metadata(code, error))


def _retry_metadata(code: grpc.StatusCode, error: CollectorError) -> tuple[tuple[str, bytes], ...]:
    """RetryInfo, without which collectors drop what is RESOURCE_EXHAUSTED; and as Python's exporter looks for it."""
    if not isinstance(error, Overloaded):
        return ()
    delay = duration_pb2.Duration()
    delay.FromNanoseconds(int(error.retry_after_s * 1e9))
    info = error_details_pb2.RetryInfo(retry_delay=delay)
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    return (
        ("grpc-status-details-bin", status.SerializeToString()),
        ("google.rpc.retryinfo-bin", info.SerializeToString()),
    )


def _server_options(limits: BodyLimits) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.max_receive_message_length", limits.wire_bytes),
        ("grpc.per_message_decompression", 0),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", MAX_CALLS),
        # SDKs keep idle connections alive by pings; gRPC's default would close such a connection.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", 0),
    )
