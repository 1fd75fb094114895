"""OTLP over HTTP: POST /v1/traces in protobuf or JSON (OTLP specification, "OTLP/HTTP").

The reply is in the request's type: ExportTraceServiceResponse for 200, google.rpc.Status for an error. 503 with
Retry-After is the refusal that SDKs repeat.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from google.rpc import code_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from starlette.types import Receive, Scope, Send

from collector.decode.decoded import Decoded
from collector.errors import (
    BodyTooSlow,
    ClientGone,
    CollectorError,
    MalformedPayload,
    Overloaded,
    PayloadTooLarge,
    UnsupportedPayload,
)
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.http_answer import Header, answer, retry_headers, status_of
from collector.receivers.http_body import BodyHeaders, BodyLimits, body_headers, coding_of, read_body

TRACES_PATH = "/v1/traces"
_TEXT = b"text/plain; charset=utf-8"
_CODES: tuple[tuple[type[CollectorError], int], ...] = (
    (MalformedPayload, code_pb2.INVALID_ARGUMENT),
    (UnsupportedPayload, code_pb2.UNIMPLEMENTED),
    (PayloadTooLarge, code_pb2.RESOURCE_EXHAUSTED),
    (BodyTooSlow, code_pb2.DEADLINE_EXCEEDED),
    (Overloaded, code_pb2.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class _Format:
    """One of the two types: how its bodies are read and its replies written."""

    content_type: bytes
    decode: Decode
    success: Callable[[Decoded], bytes]
    failure: Callable[[int, str], bytes]


class OtlpHttpReceiver:
    """The whole ASGI application of the OTLP HTTP door."""

    def __init__(self, intake: Intake, limits: BodyLimits, decode_proto: Decode, decode_json: Decode) -> None:
        self._intake = intake
        self._limits = limits
        self._formats = {
            "application/x-protobuf": _Format(b"application/x-protobuf", decode_proto, partial_success, _proto_failure),
            "application/json": _Format(b"application/json", decode_json, _json_success, _json_failure),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != TRACES_PATH:
            text = f"only {TRACES_PATH} is served here; clew stores traces, not metrics or logs\n"
            await answer(send, 404, text.encode(), _TEXT)
        elif scope["method"] != "POST":
            await answer(send, 405, b"expected POST\n", _TEXT, [(b"allow", b"POST")])
        else:
            await self._export(body_headers(scope["headers"]), receive, send)

    async def _export(self, headers: BodyHeaders, receive: Receive, send: Send) -> None:
        request_format = self._formats.get(headers.content_type)
        try:
            decoded = await self._take(request_format, headers, receive)
        except ClientGone:
            return
        except CollectorError as error:
            await _refuse(send, request_format, error)
        else:
            assert request_format is not None
            await answer(send, 200, request_format.success(decoded), request_format.content_type)

    async def _take(self, request_format: _Format | None, headers: BodyHeaders, receive: Receive) -> Decoded:
        with self._intake.reservation() as reservation:
            try:
                if request_format is None:
                    raise UnsupportedPayload(
                        f"expected content type {' or '.join(self._formats)}, got {headers.content_type or 'none'}"
                    )
                coding = coding_of(headers.content_encoding)
                body = await read_body(receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                self._intake.refuse(Door.OTLP_HTTP, error)
                raise
            return await self._intake.take(Door.OTLP_HTTP, request_format.decode, body, reservation)


async def _refuse(send: Send, request_format: _Format | None, error: CollectorError) -> None:
    headers: list[Header] = retry_headers(error)
    if request_format is None:
        await answer(send, status_of(error), str(error).encode(), _TEXT, headers)
        return
    code = next((code for kind, code in _CODES if isinstance(error, kind)), code_pb2.INTERNAL)
    body = request_format.failure(code, str(error))
    await answer(send, status_of(error), body, request_format.content_type, headers)


def partial_success(decoded: Decoded) -> bytes:
    """ExportTraceServiceResponse in protobuf: empty when no span was rejected and there is nothing to say."""
    response = trace_service_pb2.ExportTraceServiceResponse()
    rejected = sum(decoded.rejected.values())
    if rejected or decoded.message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = decoded.message
    encoded: bytes = response.SerializeToString()
    return encoded


def _json_success(decoded: Decoded) -> bytes:
    rejected = sum(decoded.rejected.values())
    if not rejected and not decoded.message:
        return b"{}"
    # int64 is a string in protobuf's JSON mapping.
    return json.dumps({"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": decoded.message}}).encode()


def _proto_failure(code: int, message: str) -> bytes:
    encoded: bytes = status_pb2.Status(code=code, message=message).SerializeToString()
    return encoded


def _json_failure(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()
