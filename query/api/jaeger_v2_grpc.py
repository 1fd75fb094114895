"""jaeger.api_v2.QueryService on port 16685: what Kiali asks by default. Source: Jaeger's gRPC handler."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import grpc

from query.api.assembled_traces import AssembledTraces
from query.api.grpc_methods import stream_method, unary_method
from query.api.grpc_times import duration_ns, time_ns
from query.api.jaeger_search import trace_query
from query.api.otlp_searches import of_kind, tag_filters
from query.errors import BadRequest, NotFound
from query.render.jaeger_proto import dependencies_message, operations_message, trace_chunks
from query.service import QueryService
from storage.contract import SpanReader
from storage.ids import NO_TRACE, TraceId
from storage.requests import TraceQuery
from wire import jaeger_query_v2_pb2 as v2

SERVICE = "jaeger.api_v2.QueryService"
CHUNKS_AT_ONCE = 16
"""Chunks rendered before they are sent: 160 spans take milliseconds, a thread hop the tenth of one."""


class JaegerV2Grpc:
    """The service's calls. Traces are streamed one after another, in chunks that hold spans of one trace only.

    now_ns: the clock that the default windows end at.
    """

    def __init__(self, service: QueryService, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._service = service
        self._traces = AssembledTraces(service.settings)
        self._now_ns = now_ns

    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the port serves."""
        methods: dict[str, grpc.RpcMethodHandler[Any, bytes]] = {
            "GetTrace": stream_method(self._trace, v2.GetTraceRequest.FromString),
            "FindTraces": stream_method(self._find_traces, v2.FindTracesRequest.FromString),
            "ArchiveTrace": unary_method(self._archive, v2.ArchiveTraceRequest.FromString),
            "GetServices": unary_method(self._services, v2.GetServicesRequest.FromString),
            "GetOperations": unary_method(self._operations, v2.GetOperationsRequest.FromString),
            "GetDependencies": unary_method(self._dependencies, v2.GetDependenciesRequest.FromString),
        }
        return (grpc.method_handlers_generic_handler(SERVICE, methods),)

    def _trace(self, request: v2.GetTraceRequest) -> AsyncIterator[bytes]:
        """start_time and end_time are hints in Jaeger, and clients disagree about them: nothing is filtered by them."""
        trace_id = _trace_id(request.trace_id)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            found = False
            for trace in self._traces.by_ids(reader, [trace_id], raw=request.raw_traces):
                found = True
                yield from trace_chunks(trace)
            if not found:
                raise NotFound("trace not found")

        return self._service.stream(answer, CHUNKS_AT_ONCE)

    def _find_traces(self, request: v2.FindTracesRequest) -> AsyncIterator[bytes]:
        query = self._query(request)

        def answer(reader: SpanReader) -> Iterator[bytes]:
            for trace in self._traces.found(reader, query, raw=request.query.raw_traces):
                yield from trace_chunks(trace)

        return self._service.stream(answer, CHUNKS_AT_ONCE)

    async def _archive(self, request: v2.ArchiveTraceRequest) -> bytes:
        await self._service.archive_trace(_trace_id(request.trace_id))
        return v2.ArchiveTraceResponse().SerializeToString()

    async def _services(self, _request: v2.GetServicesRequest) -> bytes:
        return await self._service.read(
            lambda reader: v2.GetServicesResponse(services=reader.services()).SerializeToString()
        )

    async def _operations(self, request: v2.GetOperationsRequest) -> bytes:
        def answer(reader: SpanReader) -> bytes:
            return operations_message(
                of_kind(reader.operations(request.service), request.span_kind)
            ).SerializeToString()

        return await self._service.read(answer)

    async def _dependencies(self, request: v2.GetDependenciesRequest) -> bytes:
        start_ns, end_ns = time_ns(request, "start_time"), time_ns(request, "end_time")
        if start_ns is None or end_ns is None:
            raise BadRequest("StartTime and EndTime must be initialized.")
        return await self._service.read(
            lambda reader: dependencies_message(reader.dependencies(start_ns, end_ns)).SerializeToString()
        )

    def _query(self, request: v2.FindTracesRequest) -> TraceQuery:
        """search_depth 0 is as `limit=0` of the JSON API: proto3 cannot tell it from an absent one, and Jaeger v1 finds
        everything then, which Kiali counts errors by."""
        if not request.HasField("query"):
            raise BadRequest("missing query")
        asked = request.query
        return trace_query(
            self._now_ns(),
            start_min_ns=time_ns(asked, "start_time_min"),
            start_max_ns=time_ns(asked, "start_time_max"),
            limit=asked.search_depth,
            service=asked.service_name,
            operation=asked.operation_name,
            tags=tag_filters(asked.tags),
            duration_min_ns=duration_ns(asked, "duration_min"),
            duration_max_ns=duration_ns(asked, "duration_max"),
        )


def _trace_id(sent: bytes) -> TraceId:
    """16 bytes, or the 8 of a 64-bit id."""
    if len(sent) not in (0, 8, 16):
        raise BadRequest(f"expected a trace_id of 16 bytes, got {len(sent)}")
    trace_id = TraceId(sent.rjust(16, b"\0"))
    if trace_id == NO_TRACE:
        raise BadRequest("uninitialized TraceID is not allowed")
    return trace_id
