"""Documents that a reader sends to look at, read within the limits of the collector's doors and stored nowhere."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from starlette.requests import Request

from collector.budget import ByteBudget
from collector.decode import otlp_json, trace_files
from collector.decode.decoded import Decoded
from collector.errors import CollectorError, MalformedPayload, Overloaded
from collector.receivers.http_answer import retry_headers, status_of
from collector.receivers.http_body import BodyLimits, body_headers, coding_of, read_body
from collector.settings import CollectorSettings
from query.api.clew_uploads import UploadedSpans
from query.errors import BadRequest, UploadRefused
from storage.batch import SpanBatch
from storage.rows import span_of
from storage.span import Span

_Found = TypeVar("_Found")


class DocumentUploads(Generic[_Found]):
    """Documents that `read` reads; all that are held at once share CLEW_MAX_INFLATED_BYTES."""

    def __init__(self, settings: CollectorSettings, read: Callable[[bytes], _Found]) -> None:
        self._limits = BodyLimits(settings.max_body_bytes, settings.max_inflated_bytes)
        self._budget = ByteBudget(settings.max_inflated_bytes)
        self._read = read

    @asynccontextmanager
    async def __call__(self, request: Request) -> AsyncIterator[Callable[[], _Found]]:
        """As query.api.jaeger_transform.Uploads. The content type does not matter, as it does not to Jaeger."""
        headers = body_headers(request.scope["headers"])
        with self._budget.reservation() as reservation:
            try:
                coding = coding_of(headers.content_encoding)
                body = await read_body(request.receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                raise _refusal(error) from error
            yield lambda: self._read(body)


def otlp_uploads(settings: CollectorSettings) -> DocumentUploads[list[Span]]:
    """OTLP JSON documents, each wholly good or refused."""
    return DocumentUploads(settings, _spans_of_otlp)


def file_uploads(settings: CollectorSettings) -> DocumentUploads[UploadedSpans]:
    """Files with traces in any JSON that `trace_files` reads."""
    return DocumentUploads(settings, _spans_of_file)


def _spans_of_otlp(body: bytes) -> list[Span]:
    decoded = _decoded(otlp_json.decode, body)
    if decoded.rejected:
        raise BadRequest(decoded.message)
    return _spans(decoded)


def _spans_of_file(body: bytes) -> UploadedSpans:
    decoded = _decoded(trace_files.decode, body)
    return UploadedSpans(_spans(decoded), sum(decoded.rejected.values()), decoded.message)


def _decoded(decode: Callable[[bytes], Decoded], body: bytes) -> Decoded:
    try:
        return decode(body)
    except MalformedPayload as error:
        raise BadRequest(str(error)) from error


def _spans(decoded: Decoded) -> list[Span]:
    return [span_of(row) for row in SpanBatch(decoded.columns.to_batch(received_ns=0).records).rows()]


def _refusal(error: CollectorError) -> UploadRefused:
    headers = {name.decode(): value.decode() for name, value in retry_headers(error)}
    message = "other documents take the room for them; retry" if isinstance(error, Overloaded) else str(error)
    return UploadRefused(message, status_of(error), headers)
