"""POST /api/clew/v1/transform: a file of traces in the documents of clew's own view. Nothing of it is stored."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from query.api.clew_traces import clock_rule
from query.api.jaeger_answers import GZIP_LEVEL, accepts_gzip, document_headers, error_answer, indented, status_of
from query.api.jaeger_parameters import pretty
from query.api.streamed_answers import gzipped
from query.errors import QueryError, UploadRefused
from query.reconstruct.reconstruction import ClockRule, reconstruct
from query.render.clew_trace import trace_document
from query.render.jaeger_envelope import to_bytes
from query.service import QueryService
from storage.errors import StorageError
from storage.ids import TraceId
from storage.span import Span


class UploadedSpans(NamedTuple):
    """What a file holds. left_out: how many of its spans are not in `spans`; message: why, "" when none."""

    spans: list[Span]
    left_out: int
    message: str


FileUploads = Callable[[Request], AbstractAsyncContextManager[Callable[[], UploadedSpans]]]
"""As query.api.jaeger_transform.Uploads, for files of any format."""


class ClewUploads:
    """The endpoint over `uploads`. max_clock_skew_ns: as of the traces that are stored."""

    def __init__(self, service: QueryService, uploads: FileUploads) -> None:
        self._service = service
        self._uploads = uploads
        self._max_skew_ns = service.settings.max_clock_skew_ns

    async def transform(self, request: Request) -> Response:
        """The traces of a file in Jaeger's, Zipkin's (v1 or v2) or OTLP's JSON, or one such document a line.

        Each as `GET /api/clew/v1/traces/{id}` answers it, in the order in which the file names them.
        """
        given, zipped = request.query_params, accepts_gzip(request)
        try:
            clocks = clock_rule(given.get("clockSkew"))
            async with self._uploads(request) as spans:
                pieces = self._service.stream(
                    lambda _reader: _encoded(self._document(spans(), clocks), pretty=pretty(given), zipped=zipped)
                )
                body = b"".join([piece async for piece in pieces])
        except UploadRefused as error:
            response = error_answer(error.status, str(error))
            response.headers.update(error.headers)
            return response
        except (QueryError, StorageError) as error:
            return error_answer(status_of(error), str(error))
        return Response(body, headers=document_headers(zipped=zipped))

    def _document(self, upload: UploadedSpans, clocks: ClockRule) -> Iterator[bytes]:
        traces: dict[TraceId, list[Span]] = {}
        for span in upload.spans:
            traces.setdefault(span.trace_id, []).append(span)
        yield b'{"leftOut":' + to_bytes({"spans": upload.left_out, "message": upload.message}) + b',"traces":['
        for number, spans in enumerate(traces.values()):
            if number:
                yield b","
            yield from trace_document(reconstruct(spans, clocks=clocks, max_clock_skew_ns=self._max_skew_ns))
        yield b"]}"


def _encoded(pieces: Iterator[bytes], *, pretty: bool, zipped: bool) -> Iterator[bytes]:
    pieces = indented(pieces) if pretty else pieces
    return gzipped(pieces, GZIP_LEVEL) if zipped else pieces
