"""Jaeger's /api/metrics/*, which its Monitor tab asks, answered from the spans themselves: no Prometheus is needed."""

from collections.abc import Callable, Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from query.api.jaeger_answers import answered, answered_in_pieces
from query.api.jaeger_call_parameters import call_query, required_quantile
from query.api.streamed_answers import Pieces
from query.render.call_metrics import call_rates_document, error_rates_document, latencies_document
from query.render.jaeger_envelope import envelope
from query.service import QueryService
from storage.requests import CallQuery, CallSeries

_Render = Callable[[CallQuery, Sequence[CallSeries]], Iterator[bytes]]


class JaegerCallMetrics:
    """One method an endpoint. now_ns: the clock that the default windows end at."""

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._now_ns = now_ns

    async def latencies(self, request: Request) -> Response:
        """Durations of calls in milliseconds, at a quantile."""

        def ask() -> Pieces:
            quantile = required_quantile(request.query_params)
            return _question(call_query(request.query_params, self._now_ns(), quantile=quantile), latencies_document)

        return await answered_in_pieces(self._service, request, ask)

    async def calls(self, request: Request) -> Response:
        """Calls a second."""
        return await self._rates(request, call_rates_document)

    async def errors(self, request: Request) -> Response:
        """Errors as a fraction of the calls."""
        return await self._rates(request, error_rates_document)

    async def least_step(self, request: Request) -> Response:
        """The least `step`, in milliseconds."""
        return await answered(self._service, request, lambda: lambda _reader: envelope(1))

    async def _rates(self, request: Request, render: _Render) -> Response:
        return await answered_in_pieces(
            self._service, request, lambda: _question(call_query(request.query_params, self._now_ns()), render)
        )


def _question(query: CallQuery, render: _Render) -> Pieces:
    return lambda reader: render(query, reader.call_series(query))
