"""Jaeger over HTTP, port 14268: POST /api/traces takes a Batch in Thrift's binary protocol; GET /api/sampling answers.

202 and nothing else for success, but only when the spans are durable. Errors are plain text in Jaeger's words; 503
with Retry-After and 413 are clew's own, where Jaeger would drop spans or run out of memory.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from collector.errors import ClientGone, CollectorError, UnsupportedPayload
from collector.intake import Decode, Intake
from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.http_answer import answer, retry_headers, status_of
from collector.receivers.http_body import BodyHeaders, BodyLimits, body_headers, coding_of, read_body

TRACES_PATH = "/api/traces"
SAMPLING_PATH = "/api/sampling"
_TYPES = ("application/x-thrift", "application/vnd.apache.thrift.binary")
_TEXT = b"text/plain; charset=utf-8"


class JaegerHttpReceiver:
    """The whole ASGI application of the port. sampling: is given the GETs of SAMPLING_PATH. losses: where rejected
    spans are told, for 202 has no body."""

    def __init__(
        self, intake: Intake, limits: BodyLimits, decode_thrift: Decode, sampling: ASGIApp, losses: LossLog
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._decode = decode_thrift
        self._sampling = sampling
        self._losses = losses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if path == SAMPLING_PATH and method == "GET":
            await self._sampling(scope, receive, send)
        elif path == TRACES_PATH and method == "POST":
            await self._post(body_headers(scope["headers"]), receive, send)
        elif path in (TRACES_PATH, SAMPLING_PATH):
            allowed = b"POST" if path == TRACES_PATH else b"GET"
            await answer(send, 405, b"expected " + allowed + b"\n", _TEXT, [(b"allow", allowed)])
        else:
            await answer(send, 404, b"404 page not found\n", _TEXT)

    async def _post(self, headers: BodyHeaders, receive: Receive, send: Send) -> None:
        try:
            await self._take(headers, receive)
        except ClientGone:
            return
        except CollectorError as error:
            # Jaeger has 400 for every body that it does not understand, whatever it is.
            status = 400 if isinstance(error, UnsupportedPayload) else status_of(error)
            await answer(send, status, f"{error}\n".encode(), _TEXT, retry_headers(error))
        else:
            await answer(send, 202)

    async def _take(self, headers: BodyHeaders, receive: Receive) -> None:
        with self._intake.reservation() as reservation:
            try:
                _check_type(headers.content_type)
                coding = coding_of(headers.content_encoding)
                body = await read_body(receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                self._intake.refuse(Door.JAEGER_HTTP, error)
                raise
            decoded = await self._intake.take(Door.JAEGER_HTTP, self._decode, body, reservation)
        self._losses.report_rejected(decoded)


def _check_type(content_type: str) -> None:
    if not content_type:
        raise UnsupportedPayload("Cannot parse content type: mime: no media type")
    if content_type not in _TYPES:
        raise UnsupportedPayload(f"Unsupported content type: {content_type}")
