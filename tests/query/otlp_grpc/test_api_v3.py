"""jaeger.api_v3.QueryService: reference section 4."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from query.api.jaeger_v3_grpc import MAX_CHUNK_BYTES
from storage.span import SpanKind
from tests.builders import HOUR, MS, SECOND, TODAY_NS, a_span, a_trace_id, a_zipkin_trace
from tests.query.otlp_grpc.conftest import GrpcDoor
from wire import jaeger_expression_pb2 as expression
from wire import jaeger_query_v3_pb2 as v3

INVALID = grpc.StatusCode.INVALID_ARGUMENT
GO_ZERO = Timestamp(seconds=-62_135_596_800)


def at(time_ns: int) -> Timestamp:
    seconds, nanos = divmod(time_ns, SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def a_search(**query: Any) -> v3.FindTracesRequest:
    """FindTraces within TODAY's first hour."""
    window = {"start_time_min": at(TODAY_NS), "start_time_max": at(TODAY_NS + HOUR)}
    return v3.FindTracesRequest(query=v3.TraceQueryParameters(**(window | query)))


async def found(door: GrpcDoor, **query: Any) -> list[int]:
    """The last byte of the trace ids that a search finds, sorted."""
    return sorted(spans[0].trace_id[-1] for spans in await door.traces("FindTraces", a_search(**query)))


async def test_a_trace_comes_as_one_message_with_adjusted_spans(v3_door: GrpcDoor) -> None:
    v3_door.write(*a_zipkin_trace(1))

    (spans,) = await v3_door.traces("GetTrace", v3.GetTraceRequest(trace_id=a_trace_id(1).hex()))

    assert len(spans) == 4
    assert len({span.span_id for span in spans}) == 4


async def test_a_raw_trace_keeps_shared_ids(v3_door: GrpcDoor) -> None:
    v3_door.write(*a_zipkin_trace(1))

    (spans,) = await v3_door.traces("GetTrace", v3.GetTraceRequest(trace_id=a_trace_id(1).hex(), raw_traces=True))

    assert len({span.span_id for span in spans}) == 3


async def test_the_times_of_a_trace_by_id_are_hints_and_gos_zero_time_is_no_time(v3_door: GrpcDoor) -> None:
    v3_door.write(a_span(1))
    request = v3.GetTraceRequest(trace_id=a_trace_id(1).hex(), start_time=GO_ZERO, end_time=at(5))

    assert len(await v3_door.traces("GetTrace", request)) == 1


async def test_an_unknown_trace_is_not_found(v3_door: GrpcDoor) -> None:
    refused = await v3_door.refusal("GetTrace", v3.GetTraceRequest(trace_id="abc"))

    assert refused == (grpc.StatusCode.NOT_FOUND, "trace not found")


@pytest.mark.parametrize("text", ["", "xyz", "1" * 33])
async def test_a_malformed_trace_id_is_refused(v3_door: GrpcDoor, text: str) -> None:
    code, details = await v3_door.refusal("GetTrace", v3.GetTraceRequest(trace_id=text))

    assert code is INVALID
    assert details.startswith("malformed trace ID: ")


async def test_a_search_streams_one_message_a_trace(v3_door: GrpcDoor) -> None:
    v3_door.write(a_span(1, 1), a_span(1, 2, parent=1), a_span(2))

    traces = await v3_door.traces("FindTraces", a_search(service_name="frontend"))

    assert sorted((spans[0].trace_id[-1], len(spans)) for spans in traces) == [(1, 2), (2, 1)]


async def test_a_search_that_finds_nothing_is_an_empty_stream(v3_door: GrpcDoor) -> None:
    assert await v3_door.traces("FindTraces", a_search()) == []


async def test_every_condition_of_a_search(v3_door: GrpcDoor) -> None:
    v3_door.write(
        a_span(1, name="get", attributes={"n": 123, "d": 72.5, "b": True}, duration_ns=5 * MS),
        a_span(2, name="put", duration_ns=50 * MS),
        a_span(3, name="put", service="other", start_ns=TODAY_NS + 1),
    )

    assert await found(v3_door) == [1, 2, 3]
    assert await found(v3_door, service_name="frontend") == [1, 2]
    assert await found(v3_door, operation_name="get") == [1]
    assert await found(v3_door, attributes={"n": "123", "d": "72.5", "b": "true"}) == [1]
    assert await found(v3_door, duration_min=Duration(nanos=40 * MS), duration_max=Duration()) == [2, 3]
    assert await found(v3_door, duration_min=Duration(), duration_max=Duration(nanos=5 * MS)) == [1]
    assert await found(v3_door, start_time_max=at(TODAY_NS + 1)) == [3]


async def test_a_search_depth_of_zero_is_a_hundred_traces(v3_door: GrpcDoor) -> None:
    v3_door.write(*(a_span(number) for number in range(1, 121)))

    assert len(await v3_door.traces("FindTraces", a_search())) == 100
    assert len(await v3_door.traces("FindTraces", a_search(search_depth=3))) == 3


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (v3.FindTracesRequest(), "missing query"),
        (a_search(start_time_min=None), "start time min and max are required parameters"),
        (a_search(start_time_max=GO_ZERO), "start time min and max are required parameters"),
        (a_search(filter=expression.Call()), "structured filters are not supported"),
    ],
)
async def test_a_wrong_search_is_refused(v3_door: GrpcDoor, request_: v3.FindTracesRequest, message: str) -> None:
    summaries = v3.FindTraceSummariesRequest.FromString(request_.SerializeToString())
    for method, request in (("FindTraces", request_), ("FindTraceSummaries", summaries)):
        code, details = await v3_door.refusal(method, request)
        assert (code, details.startswith(message)) == (INVALID, True)


async def test_a_trace_too_large_for_one_message_takes_consecutive_ones(v3_door: GrpcDoor) -> None:
    # A default client takes 4 MiB a message; this trace has 6.
    v3_door.write(*(a_span(1, number, attributes={"a": "x" * 10_000}) for number in range(1, 601)))

    chunks = await v3_door.traces("GetTrace", v3.GetTraceRequest(trace_id=a_trace_id(1).hex()))

    assert len(chunks) > 1
    assert sum(len(chunk) for chunk in chunks) == 600
    assert max(sum(span.ByteSize() for span in chunk) for chunk in chunks) <= MAX_CHUNK_BYTES


async def test_summaries_come_in_messages_of_a_hundred(v3_door: GrpcDoor) -> None:
    v3_door.write(*(a_span(number) for number in range(1, 121)))
    request = v3.FindTraceSummariesRequest(query=a_search(search_depth=120).query)

    messages = await v3_door.stream("FindTraceSummaries", request, v3.FindTraceSummariesResponse)

    assert [len(message.summaries) for message in messages] == [100, 20]


async def test_a_summary_has_what_a_list_shows(v3_door: GrpcDoor) -> None:
    v3_door.write(*a_zipkin_trace(1))
    request = v3.FindTraceSummariesRequest(query=a_search().query)

    (message,) = await v3_door.stream("FindTraceSummaries", request, v3.FindTraceSummariesResponse)

    assert list(message.summaries) == [
        v3.TraceSummary(
            trace_id=a_trace_id(1).hex(),
            root_service_name="frontend",
            root_operation_name="get",
            min_start_time_unix_nano=TODAY_NS,
            max_end_time_unix_nano=TODAY_NS + 350 * MS,
            span_count=4,
            error_span_count=1,
            services=[
                v3.ServiceSummary(name="backend", span_count=2, error_span_count=1),
                v3.ServiceSummary(name="frontend", span_count=2),
            ],
        )
    ]


async def test_services_and_operations_with_an_unspecified_kind_left_empty(v3_door: GrpcDoor) -> None:
    v3_door.write(a_span(1, 1, name="a"), a_span(1, 2, name="b", kind=SpanKind.SERVER))

    services = await v3_door.ask("GetServices", v3.GetServicesRequest(), v3.GetServicesResponse)
    operations = await v3_door.ask(
        "GetOperations", v3.GetOperationsRequest(service="frontend"), v3.GetOperationsResponse
    )
    servers = await v3_door.ask(
        "GetOperations", v3.GetOperationsRequest(service="frontend", span_kind="server"), v3.GetOperationsResponse
    )

    assert list(services.services) == ["frontend"]
    assert [(one.name, one.span_kind) for one in operations.operations] == [("a", ""), ("b", "server")]
    assert [one.name for one in servers.operations] == ["b"]


async def test_dependencies_of_a_window(v3_door: GrpcDoor) -> None:
    v3_door.write(*a_zipkin_trace(1))
    request = v3.GetDependenciesRequest(start_time=at(TODAY_NS), end_time=at(TODAY_NS + HOUR))

    answer = await v3_door.ask("GetDependencies", request, v3.DependenciesResponse)

    assert [(link.parent, link.child, link.call_count) for link in answer.dependencies] == [
        ("backend", "db", 1),
        ("frontend", "backend", 1),
    ]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (None, at(5), "start_time is required"),
        (GO_ZERO, at(5), "start_time is required"),
        (at(5), None, "end_time is required"),
        (at(5), at(5), "end_time must be after start_time"),
    ],
)
async def test_dependencies_without_a_window_are_refused(
    v3_door: GrpcDoor, start: Timestamp | None, end: Timestamp | None, message: str
) -> None:
    request = v3.GetDependenciesRequest(start_time=start, end_time=end)

    assert await v3_door.refusal("GetDependencies", request) == (INVALID, message)
