"""What each endpoint of Tempo's read API answers."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from query.api import tempo_parameters as parameters
from query.api.jaeger_answers import accepts_gzip, packed, status_of
from query.api.jaeger_strconv import parse_trace_id
from query.api.tempo_search import TraceqlSearch
from query.api.tempo_tags import INTRINSIC, TempoTags
from query.errors import BadRequest, NotFound, QueryError
from query.reconstruct.assembly import assemble
from query.reconstruct.trace import Trace
from query.render.jaeger_envelope import to_bytes
from query.render.otlp_json import JsonObject
from query.render.tempo_search import scopes_json, tag_names_json, tag_values_json, typed_tag_values_json
from query.render.tempo_trace import batches_json, trace_by_id_bytes, trace_by_id_json, trace_bytes
from query.service import QueryService
from query.traceql.parser import parse_field
from query.traceql.syntax import Field
from storage.contract import SpanReader
from storage.errors import StorageError
from storage.ids import TraceId

PROTOBUF = "application/protobuf"
_Body = tuple[bytes, Mapping[str, str]]
"""What is sent, and its headers."""
_Question = Callable[[SpanReader], _Body]


class TempoEndpoints:
    """One method an endpoint; each reads, renders and compresses in a reader thread.

    now_ns: the clock that the default windows end at.
    """

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._now_ns = now_ns
        self._strict = service.settings.strict_trace_id
        self._max_skew_ns = service.settings.max_clock_skew_ns
        self._search = TraceqlSearch(service.settings)
        self._tags = TempoTags(self._search)

    async def services(self, request: Request) -> Response:
        """Names of all services that reported spans, sorted: a list, as Kiali reads it."""
        return await self._answer(request, lambda zipped: lambda reader: packed(_names(reader), zipped))

    async def trace(self, request: Request) -> Response:
        """One trace by its id, as JSON with `batches`, or protobuf for `Accept: application/protobuf`."""
        return await self._trace(request, batches_json, trace_bytes)

    async def trace_v2(self, request: Request) -> Response:
        """One trace by its id below `trace`, as JSON, or protobuf for `Accept: application/protobuf`."""
        return await self._trace(request, trace_by_id_json, trace_by_id_bytes)

    async def search(self, request: Request) -> Response:
        """The newest traces that a TraceQL query finds, each with some of the spans that were found."""

        def ask() -> Callable[[SpanReader], JsonObject]:
            search = parameters.search(request.query_params, self._now_ns())
            return lambda reader: self._search.answer(reader, search)

        return await self._json(request, ask)

    async def tags(self, request: Request) -> Response:
        """Names of the tags of newly seen spans in one list; of intrinsics only for `scope=intrinsic`."""

        def ask() -> Callable[[SpanReader], JsonObject]:
            asked = parameters.tag_search(request.query_params, self._now_ns())

            def answer(reader: SpanReader) -> JsonObject:
                scopes = self._tags.names(reader, asked).items()
                names = {
                    name for scope, found in scopes if scope != INTRINSIC or scope == asked.scope for name in found
                }
                return tag_names_json(sorted(names)[: asked.limit])

            return answer

        return await self._json(request, ask)

    async def tags_v2(self, request: Request) -> Response:
        """Names of the tags of newly seen spans by scope, and the names of all intrinsics."""

        def ask() -> Callable[[SpanReader], JsonObject]:
            asked = parameters.tag_search(request.query_params, self._now_ns())
            return lambda reader: scopes_json(self._tags.names(reader, asked))

        return await self._json(request, ask)

    async def tag_values(self, request: Request) -> Response:
        """Values of a tag in newly seen spans, as texts."""

        def ask() -> Callable[[SpanReader], JsonObject]:
            name = _tag_in_path(request)
            field = parameters.LEGACY_FIELDS.get(name) or _field(name)
            asked = parameters.tag_search(request.query_params, self._now_ns())
            return lambda reader: tag_values_json(self._tags.values(reader, field, asked))

        return await self._json(request, ask)

    async def tag_values_v2(self, request: Request) -> Response:
        """Values of a field in newly seen spans, with their types."""

        def ask() -> Callable[[SpanReader], JsonObject]:
            field = _field(_tag_in_path(request))
            asked = parameters.tag_search(request.query_params, self._now_ns())
            return lambda reader: typed_tag_values_json(self._tags.values(reader, field, asked))

        return await self._json(request, ask)

    async def _trace(
        self, request: Request, as_json: Callable[[Trace], JsonObject], as_bytes: Callable[[Trace], bytes]
    ) -> Response:
        def ask(zipped: bool) -> _Question:
            trace_id = _trace_id_in_path(request)
            parameters.refuse_bad_hints(request.query_params)
            protobuf = PROTOBUF in request.headers.get("accept", "")

            def answer(reader: SpanReader) -> _Body:
                trace = self._trace_by_id(reader, trace_id)
                if protobuf:
                    body, headers = packed(as_bytes(trace), zipped)
                    return body, {**headers, "Content-Type": PROTOBUF}
                return packed(to_bytes(as_json(trace)), zipped)

            return answer

        return await self._answer(request, ask)

    def _trace_by_id(self, reader: SpanReader, trace_id: TraceId) -> Trace:
        found = reader.get_traces([trace_id], strict=self._strict)
        if not found:
            raise NotFound("trace not found")
        return assemble(found[0], max_clock_skew_ns=self._max_skew_ns)

    async def _json(self, request: Request, ask: Callable[[], Callable[[SpanReader], JsonObject]]) -> Response:
        def asking(zipped: bool) -> _Question:
            question = ask()
            return lambda reader: packed(to_bytes(question(reader)), zipped)

        return await self._answer(request, asking)

    async def _answer(self, request: Request, ask: Callable[[bool], _Question]) -> Response:
        """The response to the question that `ask` reads from the request, given whether it may be gzipped.

        A long query takes its time to be read, so that is done in the reader thread, too.
        """
        zipped = accepts_gzip(request)
        try:
            body, headers = await self._service.read(lambda reader: ask(zipped)(reader))
        except (QueryError, StorageError) as error:
            return PlainTextResponse(f"{error}\n", status_of(error))
        return Response(body, headers=dict(headers))


def _names(reader: SpanReader) -> bytes:
    return json.dumps(reader.services(), separators=(",", ":")).encode()


def _trace_id_in_path(request: Request) -> TraceId:
    try:
        return parse_trace_id(request.path_params["trace_id"])
    except ValueError as error:
        raise BadRequest(f"invalid trace id: {error}") from error


def _tag_in_path(request: Request) -> str:
    # Grafana escapes a name twice, and not everything on the way takes one of it off.
    return unquote(str(request.path_params["tag"]))


def _field(name: str) -> Field:
    try:
        return parse_field(name)
    except BadRequest as error:
        raise BadRequest(f"please provide a valid tagName: {error}") from error
