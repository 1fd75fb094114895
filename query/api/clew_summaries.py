"""What a list of traces shows, on Jaeger's port: clew's own page asks this where Jaeger's asks for whole traces."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.assembled_traces import AssembledTraces
from query.api.jaeger_answers import Question, answered
from query.reconstruct.summary import summarize
from query.render.clew_summaries import summaries_json
from query.service import QueryService

Handler = Callable[[Request], Awaitable[Response]]


class ClewSummaries:
    """One method an endpoint. now_ns: the clock that the default window ends at."""

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)
        self._now_ns = now_ns

    def routes(self) -> list[tuple[str, Handler]]:
        """Every GET of summaries, by its path."""
        return [("/api/clew/v1/trace-summaries", self.summaries)]

    async def summaries(self, request: Request) -> Response:
        """What a list shows of traces by their ids, or of the newest that satisfy a search; empty when there is none.

        The parameters are those of /api/traces, but that no service need be given.
        """

        def ask() -> Question:
            search = parameters.trace_search(request.query_params, self._now_ns(), any_service=True)
            if search.trace_ids:
                return lambda reader: summaries_json(
                    summarize(trace) for trace in self._traces.by_ids(reader, search.trace_ids)
                )
            return lambda reader: summaries_json(self._traces.summaries(reader, search.query))

        return await answered(self._service, request, ask)
