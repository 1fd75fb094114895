"""clew's own view of a trace, on Jaeger's port: what neither Jaeger's API nor Zipkin's has a place for."""

from collections.abc import Awaitable, Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from query.api.jaeger_answers import answered_in_pieces
from query.api.jaeger_strconv import parse_trace_id_or_base64
from query.api.streamed_answers import Pieces
from query.errors import BadRequest, NotFound
from query.reconstruct.reconstruction import ClockRule, Reconstruction, reconstruct
from query.render.clew_trace import trace_document
from query.render.trace_outline import trace_outline
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import TraceId

_OUTLINE_GZIP_LEVEL = 1
"""Of 50,000 spans' 5 MB level 6 makes 1.3 MB in 240 ms of CPU, level 1 makes 1.5 MB in 35; and somebody waits."""
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

        def ask() -> Pieces:
            trace_id, clocks = _trace_id_in_path(request), clock_rule(request.query_params.get("clockSkew"))
            return lambda reader: self._document(reader, trace_id, clocks)

        return await answered_in_pieces(self._service, request, ask)

    async def outline(self, request: Request) -> Response:
        """The same trace as columns of numbers: all that its picture needs, without what its spans carry.

        Positions are those in the list of spans of the whole document, when both are asked by the same rule. The body
        is streamed: of a large trace the tree is sent while its times are reckoned.
        """

        def ask() -> Pieces:
            trace_id, clocks = _trace_id_in_path(request), clock_rule(request.query_params.get("clockSkew"))
            return lambda reader: self._outline(reader, trace_id, clocks)

        return await answered_in_pieces(self._service, request, ask, _OUTLINE_GZIP_LEVEL)

    def _document(self, reader: SpanReader, trace_id: TraceId, clocks: ClockRule) -> Iterator[bytes]:
        yield from trace_document(self._reconstructed(reader, trace_id, clocks))

    def _outline(self, reader: SpanReader, trace_id: TraceId, clocks: ClockRule) -> Iterator[bytes]:
        yield from trace_outline(self._reconstructed(reader, trace_id, clocks))

    def _reconstructed(self, reader: SpanReader, trace_id: TraceId, clocks: ClockRule) -> Reconstruction:
        found = reader.get_traces([trace_id], strict=self._strict)
        if not found:
            raise NotFound("trace not found")
        return reconstruct(found.pop(), clocks=clocks, max_clock_skew_ns=self._max_skew_ns)


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
