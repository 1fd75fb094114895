"""Jaeger's Remote Storage API, version 2: a stock Jaeger asks clew for what it stored. Source: Jaeger's gRPC handler.

Writes come by OTLP on the same port. Traces are given as Jaeger would have stored them, sanitized and without
adjusters, for the Jaeger that asks adjusts them itself. Only summaries are adjusted, since that Jaeger takes them as
they are.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice

import grpc

from query.api.assembled_traces import AssembledTraces
from query.api.grpc_inflate import inflated
from query.api.grpc_methods import stream_method, unary_method
from query.api.grpc_times import time_ns
from query.api.otlp_searches import of_kind, trace_query
from query.api.storage_values import text_map
from query.errors import BadRequest
from query.reconstruct.trace import Trace
from query.render.jaeger_v3_proto import summaries_storage_v2, with_dependencies, with_operations
from query.render.otlp_proto import chunks
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import TraceId
from storage.requests import TraceQuery
from wire import jaeger_storage_v2_pb2 as v2

HEALTHY = ("jaeger.storage.v2.TraceWriter",)
"""What Jaeger asks the health of besides the services: a name without a service, for writes come by OTLP."""
MAX_CHUNK_BYTES = 3 * 1024 * 1024
"""Jaeger refuses messages of more than 4 MiB unless it is told otherwise."""
SUMMARIES_AT_ONCE = 100
_ALWAYS_NS = 2**63 - 1


class RemoteStorage:
    """TraceReader, DependencyReader and Capabilities. A chunk holds spans of one trace; those of one trace are
    consecutive; none is empty."""

    def __init__(self, service: QueryService) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the port serves, for a server that leaves compressed requests as they are (`inflate=False`)."""
        services: dict[str, dict[str, grpc.RpcMethodHandler[bytes, bytes]]] = {
            "TraceReader": {
                "GetTraces": stream_method(self._get_traces, inflated(v2.GetTracesRequest.FromString)),
                "GetServices": unary_method(self._services, inflated(v2.GetServicesRequest.FromString)),
                "GetOperations": unary_method(self._operations, inflated(v2.GetOperationsRequest.FromString)),
                "FindTraces": stream_method(self._find_traces, inflated(v2.FindTracesRequest.FromString)),
                "FindTraceIDs": unary_method(self._find_ids, inflated(v2.FindTraceIDsRequest.FromString)),
                "FindTraceSummaries": stream_method(
                    self._find_summaries, inflated(v2.FindTraceSummariesRequest.FromString)
                ),
            },
            "DependencyReader": {
                "GetDependencies": unary_method(self._dependencies, inflated(v2.GetDependenciesRequest.FromString)),
            },
            "Capabilities": {
                "GetCapabilities": unary_method(self._capabilities, inflated(v2.GetCapabilitiesRequest.FromString)),
            },
        }
        return [
            grpc.method_handlers_generic_handler(f"jaeger.storage.v2.{name}", methods)
            for name, methods in services.items()
        ]

    def _get_traces(self, request: v2.GetTracesRequest) -> AsyncIterator[bytes]:
        """The times of a query are hints and filter nothing; an id that is not stored is passed over."""
        ids = list(dict.fromkeys(_trace_id(one.trace_id) for one in request.query))
        return self._service.stream(lambda reader: _chunks(self._traces.by_ids(reader, ids, raw=True)))

    def _find_traces(self, request: v2.FindTracesRequest) -> AsyncIterator[bytes]:
        query = _query(request)
        return self._service.stream(lambda reader: _chunks(self._traces.found(reader, query, raw=True)))

    def _find_summaries(self, request: v2.FindTraceSummariesRequest) -> AsyncIterator[bytes]:
        query = _query(request)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            summaries = self._traces.summaries(reader, query)
            while some := list(islice(summaries, SUMMARIES_AT_ONCE)):
                yield summaries_storage_v2(some).SerializeToString()

        return self._service.stream(answer)

    async def _find_ids(self, request: v2.FindTraceIDsRequest) -> bytes:
        """The ids alone: the optional times would cost reading the traces."""
        query = _query(request)

        def answer(reader: SpanReader) -> bytes:
            found = self._traces.ids_found(reader, query)
            message = v2.FindTraceIDsResponse(trace_ids=[v2.FoundTraceID(trace_id=one) for one in found])
            return message.SerializeToString()

        return await self._service.read(answer)

    async def _services(self, _request: v2.GetServicesRequest) -> bytes:
        return await self._service.read(
            lambda reader: v2.GetServicesResponse(services=reader.services()).SerializeToString()
        )

    async def _operations(self, request: v2.GetOperationsRequest) -> bytes:
        def answer(reader: SpanReader) -> bytes:
            found = of_kind(reader.operations(request.service), request.span_kind)
            return with_operations(v2.GetOperationsResponse(), found).SerializeToString()

        return await self._service.read(answer)

    async def _dependencies(self, request: v2.GetDependenciesRequest) -> bytes:
        start_ns, end_ns = _or_always(time_ns(request, "start_time"), time_ns(request, "end_time"))

        def answer(reader: SpanReader) -> bytes:
            links = reader.dependencies(start_ns, end_ns)
            return with_dependencies(v2.GetDependenciesResponse(), links).SerializeToString()

        return await self._service.read(answer)

    async def _capabilities(self, _request: v2.GetCapabilitiesRequest) -> bytes:
        """No filter is declared, so Jaeger turns a structured filter into the other conditions before it asks."""
        search = v2.SearchCapabilities(without_service_name=True, same_span_conjunction=True)
        return v2.GetCapabilitiesResponse(search=search).SerializeToString()


def _chunks(traces: Iterator[Trace]) -> Iterator[bytes]:
    for trace in traces:
        for chunk in chunks(trace, MAX_CHUNK_BYTES):
            yield chunk.SerializeToString()


def _trace_id(raw: bytes) -> TraceId:
    if len(raw) != 16:
        raise BadRequest(f"expected a trace id of 16 bytes, got {len(raw)}")
    return TraceId(raw)


def _query(request: v2.FindTracesRequest | v2.FindTraceIDsRequest | v2.FindTraceSummariesRequest) -> TraceQuery:
    if not request.HasField("query"):
        raise BadRequest("missing query")
    given = request.query
    start_ns, end_ns = _or_always(time_ns(given, "start_time_min"), time_ns(given, "start_time_max"))
    return trace_query(given, start_ns, end_ns, text_map(given.attributes))


def _or_always(start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    """The window, open at the ends that are not given."""
    return -_ALWAYS_NS if start_ns is None else start_ns, _ALWAYS_NS if end_ns is None else end_ns
