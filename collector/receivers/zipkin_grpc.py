"""Zipkin's door for spans over gRPC, on the HTTP port: zipkin.proto3.SpanService/Report, a list of spans in protobuf.

Success is an empty response, given when the spans are durable. Zipkin takes no compressed messages and calls every
error INTERNAL; here gzip is taken, and errors are told apart so that a sender knows what to repeat.
"""

import asyncio

import grpc
from starlette.types import Receive, Scope, Send

from collector.budget import RETRY_AFTER_S
from collector.errors import BodyTooSlow, ClientGone, CollectorError, MalformedPayload, Overloaded
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.grpc_http import GrpcCall
from collector.receivers.grpc_refusals import code_of, retry_metadata
from collector.receivers.http_body import BodyLimits

SERVICE = "zipkin.proto3.SpanService"
REPORT_PATH = f"/{SERVICE}/Report"
MAX_CALLS = 4096
"""Calls at once, for all connections: each is little more than its spans, which the queue bounds."""


class ZipkinGrpcReceiver:
    """The callable is given POSTs of REPORT_PATH only. enabled: as COLLECTOR_GRPC_ENABLED; when false a call is
    UNIMPLEMENTED."""

    def __init__(self, intake: Intake, limits: BodyLimits, decode_proto3: Decode, *, enabled: bool = True) -> None:
        self._intake = intake
        self._limits = limits
        self._decode = decode_proto3
        self._enabled = enabled
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = GrpcCall(scope, receive, send)
        if await call.refused_as_no_call():
            return
        if not self._enabled:
            await call.finish(grpc.StatusCode.UNIMPLEMENTED, f"{SERVICE} is off (COLLECTOR_GRPC_ENABLED)")
            return
        self._calls += 1
        try:
            await self._take(call)
            await call.write(b"")
            await call.finish()
        except ClientGone:
            return
        except CollectorError as error:
            code = code_of(error)
            await call.finish(code, str(error), retry_metadata(code, error))
        finally:
            self._calls -= 1

    async def _take(self, call: GrpcCall) -> None:
        intake = self._intake
        with intake.reservation() as reservation:
            try:
                if self._calls > MAX_CALLS:
                    raise Overloaded(f"{MAX_CALLS} calls are waiting already", RETRY_AFTER_S)
                async with asyncio.timeout(self._limits.read_timeout_s):
                    body = await call.read(self._limits, reservation)
                if body is None:
                    raise MalformedPayload("expected a message, got none")
            except TimeoutError as error:
                late = BodyTooSlow(f"expected the message within {self._limits.read_timeout_s:g} s")
                intake.refuse(Door.ZIPKIN_GRPC, late)
                raise late from error
            except CollectorError as error:
                intake.refuse(Door.ZIPKIN_GRPC, error)
                raise
            if body:
                await intake.take(Door.ZIPKIN_GRPC, self._decode, body, reservation)
            else:
                intake.take_nothing(Door.ZIPKIN_GRPC)
