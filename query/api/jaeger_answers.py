"""HTTP answers of Jaeger's JSON API: envelopes, the two kinds of 404, and compression."""

import gzip
from collections.abc import Callable, Iterator, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.streamed_answers import Pieces, streamed
from query.errors import BadRequest, NotFound, QueryError
from query.render.jaeger_envelope import failure, to_bytes
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.contract import SpanReader
from storage.errors import StorageError, StoreUnavailable, UnsupportedByStore

_ERROR_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
_SMALLEST_COMPRESSED_BYTES = 1024
GZIP_LEVEL = 6  # Measured on Envoy's spans: 7 µs for the 2 kB of one, a tenth of what rendering it takes.

_STATUSES: tuple[tuple[type[QueryError | StorageError], int], ...] = (
    (BadRequest, 400),
    (NotFound, 404),
    (UnsupportedByStore, 501),
    (StoreUnavailable, 503),
)

Question = Callable[[SpanReader], JsonObject]
"""What a reader thread answers with: the whole JSON document."""


async def answered(
    service: QueryService,
    request: Request,
    ask: Callable[[], Question],
    refuse: Callable[[int, str], Response] | None = None,
) -> Response:
    """The response to the question that `ask` reads from the request.

    The question is answered, rendered and compressed in a reader thread. refuse: the answer to an error, from its
    status and message; `error_answer` when not given.
    """
    refuse = refuse or error_answer
    pretty, zipped = parameters.pretty(request.query_params), accepts_gzip(request)
    try:
        question = ask()
        body, headers = await service.read(lambda reader: packed(to_bytes(question(reader), pretty=pretty), zipped))
    except (QueryError, StorageError) as error:
        return refuse(status_of(error), str(error))
    return Response(body, headers=dict(headers))


async def answered_in_pieces(
    service: QueryService, request: Request, ask: Callable[[], Pieces], gzip_level: int = GZIP_LEVEL
) -> Response:
    """As `answered`, of a JSON document that may be long: only one that is asked for indented is ever held whole."""
    pretty, zipped = parameters.pretty(request.query_params), accepts_gzip(request)

    def whole(body: bytes) -> Response:
        sent, headers = packed(body, zipped, gzip_level)
        return Response(sent, headers=dict(headers))

    try:
        question = ask()
        return await streamed(
            service,
            request,
            (lambda reader: indented(question(reader))) if pretty else question,
            whole=whole,
            headers=document_headers(zipped=zipped),
            gzip_level=gzip_level if zipped else None,
        )
    except (QueryError, StorageError) as error:
        return error_answer(status_of(error), str(error))


def indented(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The document with 4 spaces, in one piece: only a whole one can be indented."""
    yield msgspec.json.format(b"".join(pieces), indent=4)


def document_headers(*, zipped: bool) -> dict[str, str]:
    """Of a JSON document that is sent compressed or not."""
    return {
        "Content-Type": "application/json",
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": "gzip"} if zipped else {}),
    }


def status_of(error: QueryError | StorageError) -> int:
    """As `_STATUSES`, and 500 for the rest. Where Jaeger has only 500 a store that may come back is told apart."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def packed(body: bytes, accepts_gzip: bool, gzip_level: int = GZIP_LEVEL) -> tuple[bytes, Mapping[str, str]]:
    """The bytes to send and their headers. It takes CPU time by the megabyte, so it belongs into a reader thread."""
    if accepts_gzip and len(body) >= _SMALLEST_COMPRESSED_BYTES:
        return gzip.compress(body, gzip_level, mtime=0), document_headers(zipped=True)
    return body, document_headers(zipped=False)


def accepts_gzip(request: Request) -> bool:
    """As `accepts`, of gzip."""
    return accepts(request, "gzip")


def accepts(request: Request, coding: str) -> bool:
    """Whether the request lists the coding (or *) among the encodings it takes, with a weight other than 0."""
    for offer in request.headers.get("accept-encoding", "").split(","):
        offered, _, weight = offer.partition(";")
        if offered.strip().lower() in (coding, "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def error_answer(status: int, message: str) -> Response:
    """The envelope with one error."""
    return as_text(status, failure(status, message))


def as_text(status: int, body: JsonObject) -> Response:
    """An error's JSON. It is sent as text, with a line end, because Jaeger does (Go's http.Error)."""
    return Response(to_bytes(body) + b"\n", status, _ERROR_HEADERS)


def page_not_found() -> Response:
    """What an unknown path below /api answers."""
    return Response("404 page not found\n", 404, _ERROR_HEADERS)


def method_not_allowed() -> Response:
    """What anything but GET and HEAD outside of /api answers."""
    return Response("Method Not Allowed\n", 405, _ERROR_HEADERS | {"Allow": "GET, HEAD"})
