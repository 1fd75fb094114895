"""What Jaeger's UI asks beyond traces, and Jaeger itself answers with made-up samples: answered from own data or empty.

Neither has Jaeger's envelope.
"""

from collections.abc import Callable
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from query.api import jaeger_parameters as parameters
from query.api.assembled_traces import AssembledTraces
from query.api.jaeger_answers import Question, answered
from query.api.jaeger_search import DEFAULT_LIMIT, trace_query
from query.reconstruct.call_paths import CallPath, call_paths
from query.render.jaeger_values import JsonObject
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import TraceId, short_hex

MOST_PATHS = 10_000
"""Paths in one answer; a graph of as many shows nothing any more."""
_NO_QUALITY_METRICS: JsonObject = {
    "traceQualityDocumentationLink": "",
    "bannerText": "clew computes no quality metrics.",
    "scores": [],
    "metrics": [],
    "clients": [],
}


class JaegerInsights:
    """One method an endpoint. now_ns: the clock that the default windows end at."""

    def __init__(self, service: QueryService, now_ns: Callable[[], int]) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)
        self._now_ns = now_ns

    async def quality_metrics(self, request: Request) -> Response:
        """Always empty: clew computes none."""
        return await answered(self._service, request, lambda: lambda _reader: _NO_QUALITY_METRICS)

    async def deep_dependencies(self, request: Request) -> Response:
        """The ways calls took through a service, from its newest 100 traces, each with a trace that took it."""

        def ask() -> Question:
            given = request.query_params
            service, operation = parameters.optional(given, "service"), parameters.optional(given, "operation")
            # Jaeger's UI sends 0 for both, and means no bound.
            start_us, end_us = parameters.integer(given, "start"), parameters.integer(given, "end")
            if service is None:
                return lambda _reader: {"dependencies": []}
            query = trace_query(
                self._now_ns(),
                start_min_ns=start_us * 1_000 if start_us else None,
                start_max_ns=end_us * 1_000 + 999 if end_us else None,
                limit=DEFAULT_LIMIT,
                service=service,
                operation=operation,
            )

            def answer(reader: SpanReader) -> JsonObject:
                examples: dict[CallPath, TraceId] = {}
                for trace in self._traces.found(reader, query):
                    for path in call_paths(trace, service, operation):
                        examples.setdefault(path, trace.trace_id)
                    if len(examples) >= MOST_PATHS:
                        break
                shown = islice(examples.items(), MOST_PATHS)
                return {"dependencies": [_path_json(path, trace_id) for path, trace_id in shown]}

            return answer

        return await answered(self._service, request, ask)


def _path_json(path: CallPath, trace_id: TraceId) -> JsonObject:
    return {
        "path": [step._asdict() for step in path],
        "attributes": [{"key": "exemplar_trace_id", "value": short_hex(trace_id)}],
    }
