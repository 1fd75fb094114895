"""Zipkin's door for spans over HTTP: POST /api/v2/spans (and /api/v1/spans, which is refused for now).

Answers as Zipkin does, 202 and nothing else for success, but only when the spans are durable. Errors are plain text.
A bare ASGI callable: Envoy posts five spans at a time, so the cost of a request decides.
"""

import time
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from collector.errors import CannotInflate, ClientGone, CollectorError, UnsupportedPayload
from collector.inflate import Coding
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.http_answer import answer, retry_headers, status_of
from collector.receivers.http_body import BodyHeaders, BodyLimits, body_headers, read_body

V1_PATH = "/api/v1/spans"
_TEXT = b"text/plain; charset=utf-8"

Observe = Callable[[str, str, int, float], None]
"""Told of each answered request: method, path, status, seconds."""


class ZipkinHttpReceiver:
    """The callable is given POSTs of the span paths only. decode_json_v2: the JSON v2 decoder. enabled: as
    COLLECTOR_HTTP_ENABLED; when false every POST is a 404."""

    def __init__(
        self,
        intake: Intake,
        limits: BodyLimits,
        decode_json_v2: Decode,
        *,
        enabled: bool = True,
        observe: Observe = lambda method, path, status, elapsed_s: None,
        perf_counter: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._decode = decode_json_v2
        self._enabled = enabled
        self._observe = observe
        self._perf_counter = perf_counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s = self._perf_counter()
        path = scope["path"]
        status = 202
        try:
            if self._enabled:
                await self._take(path, body_headers(scope["headers"]), receive)
                await answer(send, 202)
            else:
                status = 404
                await answer(send, 404)
        except ClientGone:
            return
        except CollectorError as error:
            status = status_of(error)
            text = "Cannot gunzip spans" if isinstance(error, CannotInflate) else str(error)
            await answer(send, status, text.encode(), _TEXT, retry_headers(error))
        self._observe(scope["method"], path, status, self._perf_counter() - begun_s)

    async def _take(self, path: str, headers: BodyHeaders, receive: Receive) -> None:
        intake = self._intake
        with intake.reservation() as reservation:
            try:
                _check_supported(path, headers.content_type)
                coding = _coding(headers.content_encoding)
                body = await read_body(receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                intake.refuse(Door.ZIPKIN_HTTP, error)
                raise
            # Reporters probe a server's health with an empty list (zipkin.md 1.1); neither form needs a decoder.
            if not body or body == b"[]":
                intake.take_nothing(Door.ZIPKIN_HTTP)
            else:
                await intake.take(Door.ZIPKIN_HTTP, self._decode, body, reservation)


def _check_supported(path: str, content_type: str) -> None:
    if path == V1_PATH:
        raise UnsupportedPayload(f"{V1_PATH} is not supported; post Zipkin JSON v2 to /api/v2/spans")
    if content_type == "application/x-protobuf":
        raise UnsupportedPayload(f"{content_type} is not supported here; post application/json (Zipkin JSON v2)")


def _coding(content_encoding: str) -> Coding | None:
    """Zipkin looks for the word gzip and takes anything else as plain; deflate is taken besides, as Jaeger does."""
    if not content_encoding:
        return None
    if "gzip" in content_encoding:
        return Coding.GZIP
    return Coding.DEFLATE if content_encoding in ("deflate", "zlib") else None
