"""What each endpoint of Zipkin's read API answers.

Handlers only read parameters and say what to ask; a reader thread fetches, renders and compresses. Validation is
Zipkin's (`query.api.zipkin_parameters`): parameters are declared as optional text, so the framework never refuses one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from query.api import zipkin_parameters as parameters
from query.api.zipkin_responses import Answer, answer, answer_in_pieces, install_error_answers, plain
from query.errors import BadRequest, NotFound
from query.render.zipkin_v2 import links_json, names_json, trace_document, traces_document
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import short_hex

_MANY_NAMES = 3
"""More names than this may be cached: someone who is just starting must see the first ones arrive. Zipkin's rule."""

_ServiceName = Annotated[
    str | None, Query(alias="serviceName", description="Required. Local service name, in any case.")
]
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter is missing or wrong; the body says which.", **_TEXT},
    "default": {"description": "The read failed; the body says why.", **_TEXT},
}


def zipkin_reads(service: QueryService, clock_s: Callable[[], float]) -> FastAPI:
    """Zipkin's reads alone, to be mounted at /api/v2 of another port; they document themselves on 9411."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    install_error_answers(app)
    app.include_router(ZipkinReadApi(service, clock_s).router())
    return app


class ZipkinReadApi:
    """The handlers, one method a route."""

    def __init__(self, service: QueryService, clock_s: Callable[[], float]) -> None:
        self._service = service
        self._settings = service.settings
        self._clock_s = clock_s
        self._autocomplete_keys = sorted(set(service.settings.autocomplete_keys))

    def router(self) -> APIRouter:
        """The routes, without their prefix."""
        router = APIRouter(responses=_RESPONSES)
        routes: Mapping[str, Callable[..., Any]] = {
            "/services": self.services,
            "/spans": self.spans,
            "/remoteServices": self.remote_services,
            "/traces": self.traces,
            "/trace/{trace_id}": self.trace,
            "/traceMany": self.trace_many,
            "/dependencies": self.dependencies,
            "/autocompleteKeys": self.autocomplete_keys,
            "/autocompleteValues": self.autocomplete_values,
        }
        for path, handler in routes.items():
            router.add_api_route(path, handler, methods=["GET"], response_class=Response)
        return router

    async def services(self, request: Request) -> Response:
        """Local service names, lower-case, sorted."""
        return await self._names(request, lambda reader: reader.services())

    async def spans(self, request: Request, service_name: _ServiceName = None) -> Response:
        """Span names of one service, lower-case, sorted."""
        service = parameters.required("serviceName", service_name)
        return await self._names(
            request,
            lambda reader: (operation.name for operation in reader.operations(service, ignore_case=True)),
            unless=not service,
        )

    async def remote_services(self, request: Request, service_name: _ServiceName = None) -> Response:
        """Names of the services that one service called or was called by, lower-case, sorted."""
        service = parameters.required("serviceName", service_name)
        return await self._names(
            request, lambda reader: reader.remote_services(service, ignore_case=True), unless=not service
        )

    async def traces(self, request: Request, given: Annotated[parameters.TraceParameters, Query()]) -> Response:
        """Traces in which one span meets every condition, newest first. Without parameters: the newest of all."""
        query = parameters.trace_query(given, int(self._clock_s() * 1000), self._settings.lookback_ms)
        if not self._settings.search_enabled:
            return plain(Answer(b"[]"))
        strict = self._settings.strict_trace_id
        return await answer_in_pieces(
            self._service, request, lambda reader: traces_document(reader.find_traces(query, strict=strict))
        )

    async def trace(
        self, request: Request, trace_id: Annotated[str, Path(description="1 to 32 lower-hex characters.")]
    ) -> Response:
        """One trace: its spans as they were reported, not merged. 404 when there is none."""
        wanted = parameters.one_trace_id(parameters.trimmed(trace_id))
        strict = self._settings.strict_trace_id

        def find(reader: SpanReader) -> Iterator[bytes]:
            traces = reader.get_traces([wanted], strict=strict)
            if not traces:
                raise NotFound(f"{short_hex(wanted)} not found")
            return trace_document(traces[0])

        return await answer_in_pieces(self._service, request, find)

    async def trace_many(
        self,
        request: Request,
        trace_ids: Annotated[
            str | None, Query(alias="traceIds", description="Required. Two or more trace ids, with commas.")
        ] = None,
    ) -> Response:
        """Those of several traces that exist, in the order asked."""
        wanted = parameters.many_trace_ids(trace_ids)
        strict = self._settings.strict_trace_id
        return await answer_in_pieces(
            self._service, request, lambda reader: traces_document(reader.get_traces(wanted, strict=strict))
        )

    async def dependencies(
        self,
        request: Request,
        end_ts: Annotated[
            str | None, Query(alias="endTs", description="Required. End of the window in epoch milliseconds.")
        ] = None,
        lookback: Annotated[
            str | None,
            Query(description="Length of the window in milliseconds; default the setting `QUERY_LOOKBACK`."),
        ] = None,
    ) -> Response:
        """Who called whom, how often, and how often in error."""
        start_ns, end_ns = parameters.dependency_window_ns(end_ts, lookback, self._settings.lookback_ms)
        return await answer(
            self._service, request, lambda reader: Answer(links_json(reader.dependencies(start_ns, end_ns)))
        )

    async def autocomplete_keys(self) -> Response:
        """The tags whose values can be asked for: the setting `AUTOCOMPLETE_KEYS`."""
        keys = self._autocomplete_keys if self._settings.search_enabled else []
        return plain(Answer(names_json(keys), self._settings.names_max_age_s))

    async def autocomplete_values(
        self,
        request: Request,
        key: Annotated[str | None, Query(description="Required. One of the autocomplete keys.")] = None,
    ) -> Response:
        """The values of one autocomplete key, sorted; none when the key is not configured."""
        wanted = parameters.required("key", key)
        if not wanted:
            raise BadRequest("key was empty")
        return await self._names(
            request,
            lambda reader: reader.tag_values(wanted),
            unless=wanted not in self._autocomplete_keys,
            keep_case=True,
        )

    async def _names(
        self,
        request: Request,
        ask: Callable[[SpanReader], Iterable[str]],
        *,
        unless: bool = False,
        keep_case: bool = False,
    ) -> Response:
        if unless or not self._settings.search_enabled:
            return plain(Answer(b"[]"))

        def find(reader: SpanReader) -> Answer:
            found = ask(reader)
            names = sorted(set(found) if keep_case else {name.lower() for name in found})
            return Answer(names_json(names), self._settings.names_max_age_s if len(names) > _MANY_NAMES else None)

        return await answer(self._service, request, find)
