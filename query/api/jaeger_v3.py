"""/api/v3 on port 16686: what Jaeger's newer UIs call. Source: Jaeger's HTTP gateway of its gRPC API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_v3_parameters as parameters
from query.api.assembled_traces import AssembledTraces
from query.api.jaeger_answers import Question, answered, as_text
from query.api.jaeger_strconv import parse_trace_id_or_base64
from query.api.otlp_searches import of_kind
from query.errors import BadRequest, NotFound
from query.reconstruct.trace import Trace
from query.render.jaeger_v3_json import (
    dependencies_json,
    failure_json,
    operations_json,
    services_json,
    summaries_json,
    traces_json,
)
from query.render.otlp_json import JsonObject
from query.service import QueryService
from storage.ids import TraceId

Handler = Callable[[Request], Awaitable[Response]]


class JaegerV3Endpoints:
    """One method an endpoint; each reads, renders and compresses in a reader thread."""

    def __init__(self, service: QueryService) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)

    def routes(self) -> list[tuple[str, Handler]]:
        """Every GET below /api/v3, by its path."""
        return [
            ("/api/v3/services", self.services),
            ("/api/v3/operations", self.operations),
            ("/api/v3/traces", self.traces),
            ("/api/v3/traces/{trace_id}", self.trace),
            ("/api/v3/trace-summaries", self.summaries),
            ("/api/v3/dependencies", self.dependencies),
        ]

    async def services(self, request: Request) -> Response:
        """Names of all services that reported spans, sorted."""
        return await self._answer(request, lambda: lambda reader: services_json(reader.services()))

    async def operations(self, request: Request) -> Response:
        """Span names of a service with their kinds; `spanKind` keeps those of one kind."""
        service, kind = parameters.service(request.query_params), parameters.span_kind(request.query_params)
        return await self._answer(
            request, lambda: lambda reader: operations_json(of_kind(reader.operations(service), kind))
        )

    async def traces(self, request: Request) -> Response:
        """The newest traces that satisfy a search, in one object; 404 when there is none."""

        def ask() -> Question:
            search = parameters.trace_search(request.query_params)
            return lambda reader: _found(list(self._traces.found(reader, search.query, raw=search.raw)))

        return await self._answer(request, ask)

    async def trace(self, request: Request) -> Response:
        """One trace by its id; 404 when there is none."""

        def ask() -> Question:
            trace_id = _trace_id_in_path(request)
            parameters.refuse_bad_hints(request.query_params)
            raw = parameters.raw(request.query_params)
            return lambda reader: _found(list(self._traces.by_ids(reader, [trace_id], raw=raw)))

        return await self._answer(request, ask)

    async def summaries(self, request: Request) -> Response:
        """What a list shows of the traces that satisfy a search; an empty list when there is none."""

        def ask() -> Question:
            query = parameters.trace_search(request.query_params).query
            return lambda reader: summaries_json(self._traces.summaries(reader, query))

        return await self._answer(request, ask)

    async def dependencies(self, request: Request) -> Response:
        """Which services call which, with the number of calls."""

        def ask() -> Question:
            start_ns, end_ns = parameters.dependency_window_ns(request.query_params)
            return lambda reader: dependencies_json(reader.dependencies(start_ns, end_ns))

        return await self._answer(request, ask)

    async def _answer(self, request: Request, ask: Callable[[], Question]) -> Response:
        return await answered(self._service, request, ask, _failure)


def _found(traces: list[Trace]) -> JsonObject:
    if not traces:
        raise NotFound("No traces found")
    return traces_json(traces)


def _trace_id_in_path(request: Request) -> TraceId:
    try:
        return parse_trace_id_or_base64(request.path_params["trace_id"])
    except ValueError as error:
        raise BadRequest(f"malformed parameter trace_id: {error}") from error


def _failure(status: int, message: str) -> Response:
    return as_text(status, failure_json(status, message))
