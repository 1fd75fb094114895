"""Jaeger's Remote Storage v2: reference section 4."""

import gzip
from collections.abc import Iterable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from query.api.grpc_inflate import MAX_REQUEST_BYTES
from query.api.remote_storage import MAX_CHUNK_BYTES
from storage.ids import TraceId
from storage.span import SpanKind
from tests.builders import HOUR, MS, TODAY_NS, a_span, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.otlp_grpc.conftest import GrpcDoor, spans_of
from tests.query.otlp_grpc.test_api_v3 import GO_ZERO, at
from wire import jaeger_expression_pb2 as expression
from wire import jaeger_storage_v2_pb2 as v2

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def traces_request(*trace_ids: bytes) -> v2.GetTracesRequest:
    return v2.GetTracesRequest(query=[v2.GetTraceParams(trace_id=one, start_time=GO_ZERO) for one in trace_ids])


def a_query(**query: Any) -> v2.TraceQueryParameters:
    """As a Jaeger sends it: with Go's zero values for what is not asked."""
    window = {"start_time_min": at(TODAY_NS), "start_time_max": at(TODAY_NS + HOUR)}
    return v2.TraceQueryParameters(**(window | query))


def tags(**values: v2.AnyValue) -> list[v2.KeyValue]:
    return [v2.KeyValue(key=key, value=value) for key, value in values.items()]


async def found(door: GrpcDoor, **query: Any) -> list[int]:
    chunks = await door.traces("FindTraces", v2.FindTracesRequest(query=a_query(**query)))
    return sorted(spans[0].trace_id[-1] for spans in chunks)


async def test_traces_by_id_come_one_a_chunk_in_the_order_asked_and_missing_ones_are_passed_over(
    storage_door: GrpcDoor,
) -> None:
    storage_door.write(a_span(1), a_span(2, 1), a_span(2, 2))

    chunks = await storage_door.traces("GetTraces", traces_request(a_trace_id(2), a_trace_id(7), a_trace_id(1)))

    assert [(spans[0].trace_id, len(spans)) for spans in chunks] == [(a_trace_id(2), 2), (a_trace_id(1), 1)]


async def test_traces_of_unknown_ids_are_an_empty_stream(storage_door: GrpcDoor) -> None:
    assert await storage_door.traces("GetTraces", traces_request(a_trace_id(1))) == []


async def test_more_ids_than_are_read_at_once_all_come(storage_door: GrpcDoor) -> None:
    storage_door.write(*(a_span(number) for number in range(1, 51)))

    chunks = await storage_door.traces("GetTraces", traces_request(*(a_trace_id(number) for number in range(1, 51))))

    assert [spans[0].trace_id for spans in chunks] == [a_trace_id(number) for number in range(1, 51)]


@pytest.mark.parametrize("trace_id", [b"", b"12345678", bytes(17)])
async def test_an_id_that_is_not_16_bytes_is_refused(storage_door: GrpcDoor, trace_id: bytes) -> None:
    refused = await storage_door.refusal("GetTraces", traces_request(trace_id))

    assert refused == (INVALID, f"expected a trace id of 16 bytes, got {len(trace_id)}")


async def test_a_large_trace_takes_consecutive_chunks_below_4_mib(storage_door: GrpcDoor) -> None:
    large = [a_span(1, number, attributes={"a": "x" * 10_000}) for number in range(1, 601)]
    storage_door.write(*large, a_span(2))

    chunks = await storage_door.stream("GetTraces", traces_request(a_trace_id(1), a_trace_id(2)), TracesData)

    owners = [{TraceId(span.trace_id) for span in spans_of(chunk)} for chunk in chunks]
    assert all(len(owner) == 1 for owner in owners)
    assert owners == [{a_trace_id(1)}] * (len(owners) - 1) + [{a_trace_id(2)}]
    assert sum(len(spans_of(chunk)) for chunk in chunks) == 601
    assert max(chunk.ByteSize() for chunk in chunks) <= MAX_CHUNK_BYTES


async def test_traces_are_given_without_adjusters_for_jaeger_adjusts_them(storage_door: GrpcDoor) -> None:
    storage_door.write(*a_zipkin_trace(1))

    (spans,) = await storage_door.traces("GetTraces", traces_request(a_trace_id(1)))

    assert len(spans) == 4
    assert len({span.span_id for span in spans}) == 3


async def test_a_zipkin_span_is_given_as_jaeger_would_have_stored_it(storage_door: GrpcDoor) -> None:
    storage_door.write(a_zipkin_span(1, name=None, duration_ns=None, tags={}))

    (data,) = await storage_door.stream("GetTraces", traces_request(a_trace_id(1)), TracesData)

    (resource,) = data.resource_spans
    (span,) = spans_of(data)
    assert [(one.key, one.value.string_value) for one in resource.resource.attributes] == [("service.name", "frontend")]
    assert span.name == "empty-span-name"
    assert span.end_time_unix_nano - span.start_time_unix_nano == 1
    assert [one.key for one in span.attributes] == ["@jaeger@warnings"]


async def test_typed_attributes_find_by_their_text(storage_door: GrpcDoor) -> None:
    storage_door.write(
        a_span(1, attributes={"s": "x", "i": 123, "d": 72.5, "b": True, "r": b"\x01", "l": ["a", 1], "m": {"k": 1}}),
        a_span(2),
    )
    typed = tags(
        s=v2.AnyValue(string_value="x"),
        i=v2.AnyValue(int_value=123),
        d=v2.AnyValue(double_value=72.5),
        b=v2.AnyValue(bool_value=True),
        r=v2.AnyValue(bytes_value=b"\x01"),
        l=v2.AnyValue(array_value=v2.ArrayValue(values=[v2.AnyValue(string_value="a"), v2.AnyValue(int_value=1)])),
        m=v2.AnyValue(kvlist_value=v2.KeyValueList(values=tags(k=v2.AnyValue(int_value=1)))),
    )

    assert await found(storage_door, attributes=typed) == [1]
    assert await found(storage_door, attributes=tags(i=v2.AnyValue(string_value="123"))) == [1]
    assert await found(storage_door, attributes=tags(i=v2.AnyValue(int_value=124))) == []


async def test_a_search_without_service_finds_traces_of_every_service(storage_door: GrpcDoor) -> None:
    storage_door.write(a_span(1), a_span(2, service="other"))

    assert await found(storage_door) == [1, 2]
    assert await found(storage_door, service_name="other") == [2]


@pytest.mark.parametrize("times", [{}, {"start_time_min": GO_ZERO, "start_time_max": GO_ZERO}])
async def test_a_search_without_times_has_no_bounds(storage_door: GrpcDoor, times: dict[str, Any]) -> None:
    storage_door.write(a_span(1, start_ns=1), a_span(2, start_ns=2**63 - 1))
    request = v2.FindTracesRequest(query=v2.TraceQueryParameters(**times))

    assert len(await storage_door.traces("FindTraces", request)) == 2


def requests_with(query: v2.TraceQueryParameters | None) -> Iterable[tuple[str, Message]]:
    yield "FindTraces", v2.FindTracesRequest(query=query)
    yield "FindTraceIDs", v2.FindTraceIDsRequest(query=query)
    yield "FindTraceSummaries", v2.FindTraceSummariesRequest(query=query)


@pytest.mark.parametrize(
    ("query", "message"),
    [(None, "missing query"), (a_query(filter=expression.Call()), "structured filters are not supported")],
)
async def test_a_wrong_query_is_refused(
    storage_door: GrpcDoor, query: v2.TraceQueryParameters | None, message: str
) -> None:
    for method, request in requests_with(query):
        code, details = await storage_door.refusal(method, request)
        assert (code, details.startswith(message)) == (INVALID, True)


async def test_trace_ids_are_found_newest_first(storage_door: GrpcDoor) -> None:
    storage_door.write(a_span(1), a_span(2, start_ns=TODAY_NS + MS), a_span(3, service="other"))
    request = v2.FindTraceIDsRequest(query=a_query(service_name="frontend"))

    answer = await storage_door.ask("FindTraceIDs", request, v2.FindTraceIDsResponse)

    assert [one.trace_id for one in answer.trace_ids] == [a_trace_id(2), a_trace_id(1)]


async def test_summaries_have_trace_ids_of_16_bytes_and_are_adjusted(storage_door: GrpcDoor) -> None:
    storage_door.write(*a_zipkin_trace(1))
    request = v2.FindTraceSummariesRequest(query=a_query())

    (message,) = await storage_door.stream("FindTraceSummaries", request, v2.FindTraceSummariesResponse)

    (summary,) = message.summaries
    assert (summary.trace_id, summary.span_count, summary.orphan_span_count) == (a_trace_id(1), 4, 0)
    assert [one.name for one in summary.services] == ["backend", "frontend"]


async def test_services_operations_and_dependencies(storage_door: GrpcDoor) -> None:
    storage_door.write(*a_zipkin_trace(1))

    services = await storage_door.ask("GetServices", v2.GetServicesRequest(), v2.GetServicesResponse)
    operations = await storage_door.ask(
        "GetOperations", v2.GetOperationsRequest(service="backend"), v2.GetOperationsResponse
    )
    clients = await storage_door.ask(
        "GetOperations", v2.GetOperationsRequest(service="backend", span_kind="client"), v2.GetOperationsResponse
    )
    links = await storage_door.ask(
        "jaeger.storage.v2.DependencyReader/GetDependencies",
        v2.GetDependenciesRequest(start_time=at(TODAY_NS), end_time=at(TODAY_NS + HOUR)),
        v2.GetDependenciesResponse,
    )

    assert list(services.services) == ["backend", "frontend"]
    assert [(one.name, one.span_kind) for one in operations.operations] == [("get", "server"), ("get", "client")]
    assert [one.span_kind for one in clients.operations] == [SpanKind.CLIENT.name.lower()]
    assert [(link.parent, link.child, link.call_count) for link in links.dependencies] == [
        ("backend", "db", 1),
        ("frontend", "backend", 1),
    ]


async def test_capabilities_say_what_a_search_can_do(storage_door: GrpcDoor) -> None:
    answer = await storage_door.ask(
        "jaeger.storage.v2.Capabilities/GetCapabilities", v2.GetCapabilitiesRequest(), v2.GetCapabilitiesResponse
    )

    # Without a filter declared, Jaeger asks by the older conditions.
    assert answer.search == v2.SearchCapabilities(without_service_name=True, same_span_conjunction=True)


async def test_a_compressed_question_is_understood(storage_door: GrpcDoor) -> None:
    storage_door.write(a_span(1))

    answer = await storage_door.ask(
        "GetOperations",
        v2.GetOperationsRequest(service="frontend"),
        v2.GetOperationsResponse,
        compression=grpc.Compression.Gzip,
    )

    assert [one.name for one in answer.operations] == ["get"]


async def test_a_question_that_inflates_beyond_the_limit_is_refused(storage_door: GrpcDoor) -> None:
    bomb = gzip.compress(v2.GetOperationsRequest(service="x" * 2 * MAX_REQUEST_BYTES).SerializeToString())
    asked: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = storage_door.channel.unary_unary(
        "/jaeger.storage.v2.TraceReader/GetOperations"
    )

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await asked(bomb)

    assert failed.value.code() is INVALID


async def test_a_plain_question_beyond_the_limit_is_refused_as_well(storage_door: GrpcDoor) -> None:
    asked: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = storage_door.channel.unary_stream(
        "/jaeger.storage.v2.TraceReader/GetTraces"
    )

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await anext(aiter(asked(b"\x0a\x00" * MAX_REQUEST_BYTES)))

    assert (failed.value.code(), failed.value.details()) == (
        INVALID,
        f"expected a request of at most {MAX_REQUEST_BYTES} bytes, got {2 * MAX_REQUEST_BYTES}",
    )


async def test_a_question_that_is_no_protobuf_is_refused(storage_door: GrpcDoor) -> None:
    asked: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = storage_door.channel.unary_stream(
        "/jaeger.storage.v2.TraceReader/FindTraces"
    )

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await anext(aiter(asked(b"\xff\xff")))

    assert failed.value.code() is INVALID
