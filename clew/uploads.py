"""Documents that a reader sends to look at, read within the limits of the collector's doors and stored nowhere."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request

from collector.budget import ByteBudget
from collector.decode import otlp_json
from collector.errors import CollectorError, MalformedPayload, Overloaded
from collector.receivers.http_answer import retry_headers, status_of
from collector.receivers.http_body import BodyLimits, body_headers, coding_of, read_body
from collector.settings import CollectorSettings
from query.errors import BadRequest, UploadRefused
from storage.batch import SpanBatch
from storage.rows import span_of
from storage.span import Span


class OtlpUploads:
    """OTLP JSON documents; all that are held at once share CLEW_MAX_INFLATED_BYTES."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._limits = BodyLimits(settings.max_body_bytes, settings.max_inflated_bytes)
        self._budget = ByteBudget(settings.max_inflated_bytes)

    @asynccontextmanager
    async def __call__(self, request: Request) -> AsyncIterator[Callable[[], list[Span]]]:
        """As query.api.jaeger_transform.Uploads. The content type does not matter, as it does not to Jaeger."""
        headers = body_headers(request.scope["headers"])
        with self._budget.reservation() as reservation:
            try:
                coding = coding_of(headers.content_encoding)
                body = await read_body(request.receive, headers.content_length, coding, self._limits, reservation)
            except CollectorError as error:
                raise _refusal(error) from error
            yield lambda: _spans_of(body)


def _spans_of(body: bytes) -> list[Span]:
    try:
        decoded = otlp_json.decode(body)
    except MalformedPayload as error:
        raise BadRequest(str(error)) from error
    if decoded.rejected:
        raise BadRequest(decoded.message)
    return [span_of(row) for row in SpanBatch(decoded.columns.to_batch(received_ns=0).records).rows()]


def _refusal(error: CollectorError) -> UploadRefused:
    headers = {name.decode(): value.decode() for name, value in retry_headers(error)}
    message = "other documents take the room for them; retry" if isinstance(error, Overloaded) else str(error)
    return UploadRefused(message, status_of(error), headers)
