"""POST /api/transform: an OTLP JSON document as Jaeger's trace JSON. Nothing of it is stored."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

from starlette.requests import Request
from starlette.responses import Response

from query.api.jaeger_answers import answered, error_answer
from query.errors import UploadRefused
from query.reconstruct.assembly import assemble
from query.render.jaeger_envelope import envelope
from query.render.jaeger_json import trace_json
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.ids import TraceId
from storage.span import Span

Uploads = Callable[[Request], AbstractAsyncContextManager[Callable[[], list[Span]]]]
"""Reads the body of a request, which takes memory until the context ends, and gives a function for a reader thread that
decodes it. Entering raises UploadRefused, the function BadRequest."""


class JaegerTransform:
    """The endpoint over `uploads`."""

    def __init__(self, service: QueryService, uploads: Uploads) -> None:
        self._service = service
        self._uploads = uploads

    async def transform(self, request: Request) -> Response:
        """The traces of an OTLP JSON body: grouped by id, without adjusters, so repeated spans stay."""
        try:
            async with self._uploads(request) as spans:
                return await answered(self._service, request, lambda: lambda _reader: _transformed(spans()))
        except UploadRefused as error:
            response = error_answer(error.status, str(error))
            response.headers.update(error.headers)
            return response


def _transformed(spans: Iterable[Span]) -> JsonObject:
    traces: dict[TraceId, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return envelope([trace_json(assemble(trace, raw=True)) for trace in traces.values()])
