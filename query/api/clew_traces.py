"""clew's own view of a trace, on Jaeger's port: what neither Jaeger's API nor Zipkin's has a place for."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from query.api import jaeger_parameters as parameters
from query.api.jaeger_answers import Question, accepts_gzip, answered, error_answer, status_of
from query.api.jaeger_strconv import parse_trace_id_or_base64
from query.errors import BadRequest, NotFound, QueryError
from query.reconstruct.reconstruction import ClockRule, Reconstruction, reconstruct
from query.render.clew_trace import trace_document
from query.render.trace_outline import trace_outline
from query.service import QueryService
from storage.contract import SpanReader
from storage.errors import StorageError
from storage.ids import TraceId

_GZIP_LEVEL = 6
_GZIP_WINDOW = 31
Handler = Callable[[Request], Awaitable[Response]]


class ClewTraces:
    """One method an endpoint; each reads, reconstructs, renders and compresses in a reader thread."""

    def __init__(self, service: QueryService) -> None:
        self._service = service
        self._strict = service.settings.strict_trace_id
        self._max_skew_ns = service.settings.max_clock_skew_ns

    def routes(self) -> list[tuple[str, Handler]]:
        """Every GET below /api/clew/v1/traces, by its path."""
        return [
            ("/api/clew/v1/traces/{trace_id}", self.trace),
            ("/api/clew/v1/traces/{trace_id}/outline", self.outline),
        ]

    async def trace(self, request: Request) -> Response:
        """One trace as a tree: merged, clocks corrected, with depth, self time, critical path and a summary.

        Spans are listed depth-first, each below its parent. The body is streamed as it is rendered.
        """
        given = request.query_params
        try:
            trace_id, clocks = _trace_id_in_path(request), clock_rule(given.get("clockSkew"))
            zipped = accepts_gzip(request)
            pieces = self._service.stream(
                lambda reader: encoded(
                    self._document(reader, trace_id, clocks), pretty=parameters.pretty(given), zipped=zipped
                )
            )
            first = await anext(pieces)
        except (QueryError, StorageError) as error:
            return error_answer(status_of(error), str(error))
        headers = document_headers(zipped=zipped)
        if request.method == "HEAD":
            return Response(headers=headers)
        return StreamingResponse(_after(first, pieces), headers=headers)

    async def outline(self, request: Request) -> Response:
        """The same trace as columns of numbers: all that its picture needs, without what its spans carry.

        Positions are those in the list of spans of the whole document, when both are asked by the same rule.
        """

        def ask() -> Question:
            trace_id, clocks = _trace_id_in_path(request), clock_rule(request.query_params.get("clockSkew"))
            return lambda reader: trace_outline(self._reconstructed(reader, trace_id, clocks))

        return await answered(self._service, request, ask)

    def _document(self, reader: SpanReader, trace_id: TraceId, clocks: ClockRule) -> Iterator[bytes]:
        yield from trace_document(self._reconstructed(reader, trace_id, clocks))

    def _reconstructed(self, reader: SpanReader, trace_id: TraceId, clocks: ClockRule) -> Reconstruction:
        found = reader.get_traces([trace_id], strict=self._strict)
        if not found:
            raise NotFound("trace not found")
        return reconstruct(found.pop(), clocks=clocks, max_clock_skew_ns=self._max_skew_ns)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def document_headers(*, zipped: bool) -> dict[str, str]:
    """The headers of what `encoded` gives."""
    return {
        "Content-Type": "application/json",
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": "gzip"} if zipped else {}),
    }


def encoded(pieces: Iterator[bytes], *, pretty: bool, zipped: bool) -> Iterator[bytes]:
    """The document as it is sent. Only a whole one can be indented."""
    if pretty:
        pieces = iter([msgspec.json.format(b"".join(pieces), indent=4)])
    if not zipped:
        yield from pieces
        return
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    for piece in pieces:
        if compressed := compressor.compress(piece):
            yield compressed
    yield compressor.flush()


def _trace_id_in_path(request: Request) -> TraceId:
    try:
        return parse_trace_id_or_base64(request.path_params["trace_id"])
    except ValueError as error:
        raise BadRequest(str(error)) from error


def clock_rule(text: str | None) -> ClockRule:
    """What the parameter `clockSkew` says. BadRequest when it is none of the rules."""
    if not text:
        return ClockRule.JAEGER
    try:
        return ClockRule(text)
    except ValueError as error:
        names = ", ".join(ClockRule)
        raise BadRequest(f"unable to parse param 'clockSkew': expected one of {names}, got {text!r}") from error
