"""How port 9411 answers: JSON bytes (gzip when it pays), Zipkin's cache headers, and errors as plain text.

| what went wrong                         | status | body                                     |
|-----------------------------------------|--------|------------------------------------------|
| BadRequest, NotFound                    | 400, 404 | the message                            |
| StoreUnavailable                        | 503    | the message (Zipkin: 500)                |
| UnsupportedByStore                      | 501    | the message                              |
| QueryTimeout, StorageError, a bug       | 500    | the message, or the exception's name     |
| no such path, or not with this method   | 404    | `404 Not Found` (Zipkin has no 405)      |
| HTTP TRACE                              | 405    | `405 Method Not Allowed`                 |
"""

import gzip
import logging
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from query.api.streamed_answers import Pieces, streamed
from query.errors import BadRequest, NotFound, QueryTimeout
from query.service import QueryService
from storage.contract import SpanReader
from storage.errors import StorageError, StoreUnavailable, UnsupportedByStore

log = logging.getLogger(__name__)

JSON = "application/json"
JSON_UTF8 = "application/json; charset=utf-8"
_ZIPPED = {"content-encoding": "gzip"}
_LEAST_COMPRESSED_BYTES = 2048
_GZIP_LEVEL = 4
"""Traces are repetitive: level 4 is within a few percent of 9 at a fraction of its time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body of JSON, and for how long a client may keep it; None says nothing about that."""

    body: bytes
    max_age_s: int | None = None


async def answer(service: QueryService, request: Request, question: Callable[[SpanReader], Answer]) -> Response:
    """The response to `question`: fetched, rendered and compressed in a reader thread, not on the event loop."""
    accepted = accepts_gzip(request.headers.get("accept-encoding", ""))

    def ask(reader: SpanReader) -> tuple[Answer, bytes | None]:
        found = question(reader)
        return found, _compressed(found.body, accepted)

    found, compressed = await service.read(ask)
    return _response(found, compressed)


async def answer_in_pieces(service: QueryService, request: Request, question: Pieces) -> Response:
    """The response to a question whose answer may be long: a long one is sent as it is rendered."""
    zipped = accepts_gzip(request.headers.get("accept-encoding", ""))
    return await streamed(
        service,
        request,
        question,
        whole=lambda body: _response(Answer(body), _compressed(body, zipped)),
        headers={"content-type": JSON, "vary": "accept-encoding", **(_ZIPPED if zipped else {})},
        gzip_level=_GZIP_LEVEL if zipped else None,
    )


def plain(found: Answer) -> Response:
    """The response to a question that needs no store, and whose answer is small."""
    return _response(found, None)


def _compressed(body: bytes, accepted: bool) -> bytes | None:
    """None when it is to be sent as it is."""
    worthwhile = accepted and len(body) >= _LEAST_COMPRESSED_BYTES
    return gzip.compress(body, _GZIP_LEVEL, mtime=0) if worthwhile else None


def _response(found: Answer, compressed: bytes | None) -> Response:
    headers = {}
    if found.max_age_s is not None:
        headers["cache-control"] = f"max-age={found.max_age_s}, must-revalidate"
    if len(found.body) >= _LEAST_COMPRESSED_BYTES:
        headers["vary"] = "accept-encoding"
    if compressed is None:
        return Response(found.body, media_type=JSON, headers=headers)
    return Response(compressed, media_type=JSON, headers=headers | _ZIPPED)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: named (or `*`), and not with a weight of 0 (RFC 9110, 12.5.3)."""
    weights = dict(_coding(part) for part in accept_encoding.lower().split(","))
    return weights.get("gzip", weights.get("*", False))


def _coding(part: str) -> tuple[str, bool]:
    name, _, parameters = part.partition(";")
    weight = parameters.replace(" ", "").removeprefix("q=")
    return name.strip(), weight == "" or weight.strip("0.") != ""


def install_error_answers(app: FastAPI) -> None:
    """Make this application answer errors as the table above says."""
    app.add_exception_handler(BadRequest, _bad_request)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(QueryTimeout, _failed)
    app.add_exception_handler(StorageError, _failed)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(UnsupportedByStore, _unsupported)
    app.add_exception_handler(HTTPException, _no_such_route)
    app.add_exception_handler(Exception, _broken)


async def _bad_request(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


async def _not_found(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 404)


async def _failed(request: Request, error: Exception) -> Response:
    log.warning("cannot answer %s: %s", request.url.path, error)
    return await _broken(request, error)


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("cannot answer %s: %s", request.url.path, error)
    return PlainTextResponse(str(error) or type(error).__name__, 503)


async def _unsupported(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 501)


async def _broken(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error) or type(error).__name__, 500)


async def _no_such_route(request: Request, error: Exception) -> Response:
    # Both of Starlette's answers, 404 and 405, are Zipkin's 404: a catch-all route takes what no other took.
    if request.method == "TRACE":
        return PlainTextResponse("405 Method Not Allowed", 405)
    return PlainTextResponse("404 Not Found", 404)
