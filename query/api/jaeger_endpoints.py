"""What each endpoint of Jaeger's JSON API answers. Source: Jaeger's HTTP handler."""

from collections.abc import Callable, Iterator
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.assembled_traces import assembled
from query.api.jaeger_answers import Question, answered, answered_in_pieces, error_answer, status_of
from query.api.jaeger_strconv import parse_trace_id_or_base64
from query.api.streamed_answers import Pieces
from query.errors import BadRequest, NotFound, QueryError
from query.render.jaeger_envelope import (
    dependencies_json,
    envelope,
    envelope_document,
    operations_json,
    trace_not_found,
)
from query.render.jaeger_json import trace_document
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.contract import SpanReader
from storage.errors import StorageError
from storage.ids import TraceId, low_half, short_hex
from storage.span import Span


class JaegerEndpoints:
    """One method an endpoint; each reads, renders and compresses in a reader thread.

    now_ns: the clock that the default windows end at.
    """

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._now_ns = now_ns
        self._strict = service.settings.strict_trace_id
        self._max_skew_ns = service.settings.max_clock_skew_ns

    async def services(self, request: Request) -> Response:
        """Names of all services that reported spans, sorted."""

        def answer(reader: SpanReader) -> JsonObject:
            names = reader.services()
            return envelope(names, total=len(names))

        return await answered(self._service, request, lambda: answer)

    async def operations(self, request: Request) -> Response:
        """Span names of a service with their kinds. `spanKind` keeps those of one kind."""

        def ask() -> Question:
            service = parameters.required_service(request.query_params)
            kind = parameters.optional(request.query_params, "spanKind")

            def answer(reader: SpanReader) -> JsonObject:
                found = operations_json(reader.operations(service))
                kept = [one for one in found if kind is None or one["spanKind"] == kind]
                return envelope(kept, total=len(kept))

            return answer

        return await answered(self._service, request, ask)

    async def operations_of_service(self, request: Request) -> Response:
        """Span names of the service in the path, each once; null when there is none."""
        service = _service_in_path(request)

        def answer(reader: SpanReader) -> JsonObject:
            names = list(dict.fromkeys(operation.name for operation in reader.operations(service)))
            return envelope(names or None, total=len(names))

        return await answered(self._service, request, lambda: answer)

    async def traces(self, request: Request) -> Response:
        """Traces by their ids, or the newest that satisfy a search."""

        def ask() -> Pieces:
            search = parameters.trace_search(request.query_params, self._now_ns())
            if search.trace_ids:
                return lambda reader: self._by_ids(reader, search.trace_ids, search.raw)
            return lambda reader: envelope_document(
                self._rendered(reader.find_traces(search.query, strict=self._strict), search.raw)
            )

        return await answered_in_pieces(self._service, request, ask)

    async def trace(self, request: Request) -> Response:
        """One trace by its id."""

        def ask() -> Pieces:
            trace_id = _trace_id_in_path(request)
            parameters.refuse_bad_hints(request.query_params)
            raw = parameters.raw(request.query_params)

            def answer(reader: SpanReader) -> Iterator[bytes]:
                found = reader.get_traces([trace_id], strict=self._strict)
                if not found:
                    raise NotFound("trace not found")
                return envelope_document(self._rendered(found, raw))

            return answer

        return await answered_in_pieces(self._service, request, ask)

    async def archive(self, request: Request) -> Response:
        """Keep one trace beyond retention."""
        try:
            trace_id = _trace_id_in_path(request)
            parameters.refuse_bad_hints(request.query_params)
            await self._service.archive_trace(trace_id)
        except (QueryError, StorageError) as error:
            return error_answer(status_of(error), str(error))
        return await answered(self._service, request, lambda: lambda _reader: envelope([]) | {"errors": []})

    async def dependencies(self, request: Request) -> Response:
        """Which services call which, with the number of calls. `service` keeps the links that touch it."""

        def ask() -> Question:
            start_ns, end_ns = parameters.dependency_window_ns(request.query_params, self._now_ns())
            service = parameters.optional(request.query_params, "service")

            def answer(reader: SpanReader) -> JsonObject:
                links = reader.dependencies(start_ns, end_ns)
                kept = [link for link in links if service is None or service in (link.parent, link.child)]
                return envelope(dependencies_json(kept))

            return answer

        return await answered(self._service, request, ask)

    def _by_ids(self, reader: SpanReader, trace_ids: tuple[TraceId, ...], raw: bool) -> Iterator[bytes]:
        found = reader.get_traces(trace_ids, strict=self._strict)
        present = {self._grouping(span.trace_id) for spans in found for span in spans}
        missing = [trace_id for trace_id in trace_ids if self._grouping(trace_id) not in present]
        errors = [trace_not_found(short_hex(trace_id)) for trace_id in missing]
        return envelope_document(self._rendered(found, raw), errors)

    def _grouping(self, trace_id: TraceId) -> bytes:
        return trace_id if self._strict else low_half(trace_id)

    def _rendered(self, found: list[list[Span]], raw: bool) -> Iterator[Iterator[bytes]]:
        return map(trace_document, assembled(found, raw=raw, max_clock_skew_ns=self._max_skew_ns))


def _service_in_path(request: Request) -> str:
    # From the path as it was sent: in the decoded one an encoded slash is lost, and "+" must become a space as in Go.
    path = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    return unquote_plus(path.partition("/api/services/")[2].removesuffix("/operations"))


def _trace_id_in_path(request: Request) -> TraceId:
    try:
        return parse_trace_id_or_base64(request.path_params["trace_id"])
    except ValueError as error:
        raise BadRequest(str(error)) from error
