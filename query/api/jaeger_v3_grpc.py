"""jaeger.api_v3.QueryService on port 16685: traces as OpenTelemetry's messages. Source: Jaeger's gRPC handler."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice

import grpc

from query.api.assembled_traces import AssembledTraces
from query.api.grpc_methods import stream_method, unary_method
from query.api.grpc_times import time_ns
from query.api.jaeger_strconv import parse_trace_id_or_base64
from query.api.otlp_searches import of_kind, trace_query
from query.errors import BadRequest, NotFound
from query.render.jaeger_v3_proto import summaries_v3, with_dependencies, with_operations
from query.render.otlp_proto import chunks
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import TraceId
from storage.requests import TraceQuery
from wire import jaeger_query_v3_pb2 as v3

SERVICE = "jaeger.api_v3.QueryService"
MAX_CHUNK_BYTES = 3 * 1024 * 1024
"""gRPC clients refuse messages of more than 4 MiB unless they are told otherwise."""
SUMMARIES_AT_ONCE = 100


class JaegerV3Grpc:
    """The service's calls. Traces are streamed one a message; a trace of more than MAX_CHUNK_BYTES takes several."""

    def __init__(self, service: QueryService) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the port serves."""
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "GetTrace": stream_method(self._trace, v3.GetTraceRequest.FromString),
            "FindTraces": stream_method(self._find_traces, v3.FindTracesRequest.FromString),
            "FindTraceSummaries": stream_method(self._find_summaries, v3.FindTraceSummariesRequest.FromString),
            "GetServices": unary_method(self._services, v3.GetServicesRequest.FromString),
            "GetOperations": unary_method(self._operations, v3.GetOperationsRequest.FromString),
            "GetDependencies": unary_method(self._dependencies, v3.GetDependenciesRequest.FromString),
        }
        return (grpc.method_handlers_generic_handler(SERVICE, methods),)

    def _trace(self, request: v3.GetTraceRequest) -> AsyncIterator[bytes]:
        trace_id = _trace_id(request.trace_id)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            found = False
            for trace in self._traces.by_ids(reader, [trace_id], raw=request.raw_traces):
                found = True
                yield from (chunk.SerializeToString() for chunk in chunks(trace, MAX_CHUNK_BYTES))
            if not found:
                raise NotFound("trace not found")

        return self._service.stream(answer)

    def _find_traces(self, request: v3.FindTracesRequest) -> AsyncIterator[bytes]:
        query = _query(request)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            for trace in self._traces.found(reader, query, raw=request.query.raw_traces):
                yield from (chunk.SerializeToString() for chunk in chunks(trace, MAX_CHUNK_BYTES))

        return self._service.stream(answer)

    def _find_summaries(self, request: v3.FindTraceSummariesRequest) -> AsyncIterator[bytes]:
        query = _query(request)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            summaries = self._traces.summaries(reader, query)
            while some := list(islice(summaries, SUMMARIES_AT_ONCE)):
                yield summaries_v3(some).SerializeToString()

        return self._service.stream(answer)

    async def _services(self, _request: v3.GetServicesRequest) -> bytes:
        return await self._service.read(
            lambda reader: v3.GetServicesResponse(services=reader.services()).SerializeToString()
        )

    async def _operations(self, request: v3.GetOperationsRequest) -> bytes:
        def answer(reader: SpanReader) -> bytes:
            found = of_kind(reader.operations(request.service), request.span_kind)
            return with_operations(v3.GetOperationsResponse(), found).SerializeToString()

        return await self._service.read(answer)

    async def _dependencies(self, request: v3.GetDependenciesRequest) -> bytes:
        start_ns, end_ns = _window(request)

        def answer(reader: SpanReader) -> bytes:
            links = reader.dependencies(start_ns, end_ns)
            return with_dependencies(v3.DependenciesResponse(), links).SerializeToString()

        return await self._service.read(answer)


def _trace_id(text: str) -> TraceId:
    try:
        return parse_trace_id_or_base64(text)
    except ValueError as error:
        raise BadRequest(f"malformed trace ID: {error}") from error


def _query(request: v3.FindTracesRequest | v3.FindTraceSummariesRequest) -> TraceQuery:
    if not request.HasField("query"):
        raise BadRequest("missing query")
    start_ns, end_ns = time_ns(request.query, "start_time_min"), time_ns(request.query, "start_time_max")
    if start_ns is None or end_ns is None:
        raise BadRequest("start time min and max are required parameters")
    return trace_query(request.query, start_ns, end_ns, request.query.attributes)


def _window(request: v3.GetDependenciesRequest) -> tuple[int, int]:
    start_ns, end_ns = time_ns(request, "start_time"), time_ns(request, "end_time")
    if start_ns is None:
        raise BadRequest("start_time is required")
    if end_ns is None:
        raise BadRequest("end_time is required")
    if end_ns <= start_ns:
        raise BadRequest("end_time must be after start_time")
    return start_ns, end_ns
