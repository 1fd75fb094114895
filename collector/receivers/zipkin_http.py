"""Zipkin's door for spans over HTTP: POST /api/v1/spans and /api/v2/spans, with any prefix before them.

Answers as Zipkin does, 202 and nothing else for success, but only when the spans are durable. Errors are plain text.
A bare ASGI callable: Envoy posts five spans at a time, so the cost of a request decides.
"""

import time
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from collector.decode.zipkin_formats import ZipkinFormat, format_of
from collector.errors import CannotInflate, ClientGone, CollectorError
from collector.gathering import Gathering
from collector.inflate import Coding
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.receivers.http_answer import answer, retry_headers, status_of
from collector.receivers.http_body import BodyLimits, body_headers, read_body

_V1, _V2 = "/api/v1/spans", "/api/v2/spans"
_V1_PATHS = (_V1, f"{_V1}/")
SPAN_PATHS = (_V2, _V1, f"{_V2}/", f"{_V1}/")
"""How the path of a post of spans ends: a collectorEndpoint is often written with a prefix that is not there."""
_V1_TYPES = {"application/x-thrift": ZipkinFormat.THRIFT}
_V2_TYPES = {"application/x-protobuf": ZipkinFormat.PROTO3}
_TEXT = b"text/plain; charset=utf-8"

Observe = Callable[[str, str, int, float], None]
"""Told of each answered request: method, path without its prefix, status, seconds."""
Mistaken = Callable[[ZipkinFormat, ZipkinFormat, str, str], None]
"""Told of a body in another format than declared: declared, actual, path, the sender's address."""

_NONE: Mapping[ZipkinFormat, Gathering] = {}


class ZipkinHttpReceiver:
    """The callable is given POSTs of paths that end as SPAN_PATHS only. decoders: one for every format. gathered: the
    formats whose small posts are taken together. enabled: as COLLECTOR_HTTP_ENABLED; when false every POST is a 404."""

    def __init__(
        self,
        intake: Intake,
        limits: BodyLimits,
        decoders: Mapping[ZipkinFormat, Decode],
        *,
        gathered: Mapping[ZipkinFormat, Gathering] = _NONE,
        enabled: bool = True,
        observe: Observe = lambda method, path, status, elapsed_s: None,
        mistaken: Mistaken = lambda declared, actual, path, sender: None,
        perf_counter: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._decoders = decoders
        self._gathered = gathered
        self._enabled = enabled
        self._observe = observe
        self._mistaken = mistaken
        self._perf_counter = perf_counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s = self._perf_counter()
        is_v1 = scope["path"].endswith(_V1_PATHS)
        status = 202
        try:
            if self._enabled:
                await self._take(scope, is_v1, receive)
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
        self._observe(scope["method"], _V1 if is_v1 else _V2, status, self._perf_counter() - begun_s)

    async def _take(self, scope: Scope, is_v1: bool, receive: Receive) -> None:
        intake = self._intake
        headers = body_headers(scope["headers"])
        with intake.reservation() as reservation:
            try:
                coding = _coding(headers.content_encoding)
                body = await read_body(receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                intake.refuse(Door.ZIPKIN_HTTP, error)
                raise
            # Reporters probe a server's health with an empty list (zipkin.md 1.1); neither form needs a decoder.
            if not body or body == b"[]":
                intake.take_nothing(Door.ZIPKIN_HTTP)
                return
            declared = _declared(is_v1, headers.content_type)
            actual = format_of(body, declared)
            if actual is not declared:
                client = scope.get("client")
                self._mistaken(declared, actual, scope["path"], client[0] if client else "somebody")
            gathering = self._gathered.get(actual)
            if gathering:
                await gathering.take(body, reservation)
            else:
                await intake.take(Door.ZIPKIN_HTTP, self._decoders[actual], body, reservation)


def _declared(is_v1: bool, content_type: str) -> ZipkinFormat:
    """Any content type that is not its version's binary one is JSON, as in Zipkin."""
    if is_v1:
        return _V1_TYPES.get(content_type, ZipkinFormat.JSON_V1)
    return _V2_TYPES.get(content_type, ZipkinFormat.JSON_V2)


def _coding(content_encoding: str) -> Coding | None:
    """Zipkin looks for the word gzip and takes anything else as plain; deflate is taken besides, as Jaeger does."""
    if not content_encoding:
        return None
    if "gzip" in content_encoding:
        return Coding.GZIP
    return Coding.DEFLATE if content_encoding in ("deflate", "zlib") else None
