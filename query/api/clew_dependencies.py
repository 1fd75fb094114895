"""GET /api/clew/v1/dependencies: the service graph, on Jaeger's port. Jaeger's own has calls between services only."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.jaeger_answers import Question, answered
from query.errors import BadRequest
from query.render.clew_graph import graph_json
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.contract import SpanReader
from storage.linking.graph import MINUTE_NS, whole_minutes
from storage.requests import NodeKind, ServiceGraph
from storage.times import clamped_ns

Handler = Callable[[Request], Awaitable[Response]]


class ClewDependencies:
    """The endpoint. now_ns: the clock that the default window ends at."""

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._now_ns = now_ns

    def routes(self) -> list[tuple[str, Handler]]:
        """Every GET of the service graph, by its path."""
        return [("/api/clew/v1/dependencies", self.dependencies)]

    async def dependencies(self, request: Request) -> Response:
        """What calls what: calls, errors and latencies, with the databases, queues and hosts that report nothing.

        Of the traces that began in the whole minutes that the window touches. `start` and `end`, or `endTs` and
        `lookback` as for /api/dependencies.
        """

        def ask() -> Question:
            start_ns, end_ns = window_ns(request.query_params, self._now_ns())
            service = parameters.optional(request.query_params, "service")

            def answer(reader: SpanReader) -> JsonObject:
                minutes = whole_minutes(start_ns, end_ns)
                graph = reader.service_graph(start_ns, end_ns)
                kept = graph if service is None else touching(graph, service)
                return graph_json(kept, minutes.start * MINUTE_NS, minutes.stop * MINUTE_NS)

            return answer

        return await answered(self._service, request, ask)


def window_ns(given: QueryParams, now_ns: int) -> tuple[int, int]:
    """[start, end] or [endTs - lookback, endTs] in nanoseconds, by default the last 24 hours; both inclusive.

    BadRequest when words of both ways are given, and when the window ends before it starts.
    """
    start_us, end_us = parameters.integer(given, "start"), parameters.integer(given, "end")
    if start_us is None and end_us is None:
        start_ns, end_ns = parameters.dependency_window_ns(given, now_ns)
    elif given.get("endTs") or given.get("lookback"):
        raise BadRequest("expected 'start' and 'end', or 'endTs' and 'lookback', got some of both")
    else:
        end_ns = now_ns if end_us is None else clamped_ns(end_us * 1_000 + 999)
        length_ns = parameters.DEFAULT_LOOKBACK_MS * 1_000_000
        start_ns = clamped_ns(end_ns - length_ns if start_us is None else start_us * 1_000)
    if start_ns > end_ns:
        raise BadRequest(f"expected a window that starts before it ends, got one from {start_ns} ns to {end_ns} ns")
    return start_ns, end_ns


def touching(graph: ServiceGraph, service: str) -> ServiceGraph:
    """The edges from and to that service, and their nodes. Names are lower-case in the graph."""
    name = service.lower()
    edges = tuple(
        edge
        for edge in graph.edges
        if any(key.kind is NodeKind.SERVICE and key.name == name for key in (edge.parent, edge.child))
    )
    kept = {key for edge in edges for key in (edge.parent, edge.child)}
    return ServiceGraph(tuple(node for node in graph.nodes if node.key in kept), edges)
