"""GetServices, GetOperations, GetDependencies and ArchiveTrace: jaeger.md section 4."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from query.archive import TraceArchive
from storage.memory import MemoryStore
from storage.requests import RetentionPolicy
from storage.span import SpanKind
from storage.times import GO_ZERO_TIME_S
from tests.builders import BACKEND, DB, FRONTEND, HOUR, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_trace
from tests.query.jaeger_grpc.conftest import NOW_NS, Door, OpenDoor
from wire import jaeger_query_v2_pb2 as v2

START, END = Timestamp(seconds=TODAY_NS // 10**9), Timestamp(seconds=TODAY_NS // 10**9 + 3600)
GO_ZERO_TIME = Timestamp(seconds=GO_ZERO_TIME_S)


async def test_services_are_those_that_reported(door: Door) -> None:
    door.write(a_span(1, service="b"), a_span(2, service="a"), a_span(3, service="b"))

    answer = await door.ask("GetServices", v2.GetServicesRequest(), v2.GetServicesResponse)

    assert list(answer.services) == ["a", "b"]


async def test_there_are_no_services_before_the_first_span(door: Door) -> None:
    assert not (await door.ask("GetServices", v2.GetServicesRequest(), v2.GetServicesResponse)).services


@pytest.mark.parametrize(
    ("kind", "operations"),
    [
        ("", [("get", "client"), ("get", "server"), ("put", "")]),
        ("server", [("get", "server")]),
        ("consumer", []),
        ("nonsense", []),
    ],
)
async def test_operations_have_their_kinds_and_can_be_asked_for_by_them(
    door: Door, kind: str, operations: list[tuple[str, str]]
) -> None:
    door.write(
        a_span(1, 1, kind=SpanKind.SERVER),
        a_span(1, 2, kind=SpanKind.CLIENT),
        a_span(1, 3, name="put"),
        a_span(1, 4, service=BACKEND, name="other"),
    )

    request = v2.GetOperationsRequest(service=FRONTEND, span_kind=kind)
    answer = await door.ask("GetOperations", request, v2.GetOperationsResponse)

    assert sorted((one.name, one.span_kind) for one in answer.operations) == operations
    assert list(answer.operationNames) == list(dict.fromkeys(name for name, _ in operations))


async def test_dependencies_are_the_calls_in_the_window(door: Door) -> None:
    door.write(*a_zipkin_trace(1), *a_zipkin_trace(2))

    request = v2.GetDependenciesRequest(start_time=START, end_time=END)
    answer = await door.ask("GetDependencies", request, v2.GetDependenciesResponse)

    links = [(link.parent, link.child, link.call_count) for link in answer.dependencies]
    assert links == [(BACKEND, DB, 2), (FRONTEND, BACKEND, 2)]


@pytest.mark.parametrize(
    "request_",
    [
        v2.GetDependenciesRequest(),
        v2.GetDependenciesRequest(start_time=START),
        v2.GetDependenciesRequest(end_time=END),
        v2.GetDependenciesRequest(start_time=GO_ZERO_TIME, end_time=END),
        v2.GetDependenciesRequest(start_time=START, end_time=GO_ZERO_TIME),
    ],
    ids=["none", "start only", "end only", "start of Go", "end of Go"],
)
async def test_dependencies_need_both_ends_of_the_window(door: Door, request_: v2.GetDependenciesRequest) -> None:
    refusal = await door.refusal("GetDependencies", request_)

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "StartTime and EndTime must be initialized.")


async def test_to_archive_a_trace_id_of_zeros_is_refused(door: Door) -> None:
    refusal = await door.refusal("ArchiveTrace", v2.ArchiveTraceRequest(trace_id=bytes(16)))

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "uninitialized TraceID is not allowed")


async def test_an_archive_that_there_is_not_is_told_as_jaeger_tells_it(door: Door) -> None:
    door.write(a_span(1))

    refusal = await door.refusal("ArchiveTrace", v2.ArchiveTraceRequest(trace_id=a_trace_id(1)))

    assert refusal == (grpc.StatusCode.INTERNAL, "archive span storage was not configured")


async def test_an_archived_trace_is_there_when_the_store_has_let_it_go(open_door: OpenDoor) -> None:
    archive = TraceArchive(MemoryStore(max_spans=100, autocomplete_keys=()))
    door = await open_door(archive=archive)
    door.write(a_span(1, 1), a_span(1, 2))

    answer = await door.ask("ArchiveTrace", v2.ArchiveTraceRequest(trace_id=a_trace_id(1)), v2.ArchiveTraceResponse)
    door.store.maintain(RetentionPolicy(max_age_ns=1, max_bytes=None), NOW_NS + HOUR)

    assert answer == v2.ArchiveTraceResponse()
    assert not door.store.get_traces([a_trace_id(1)])
    assert [span.span_id for span in await door.trace(a_trace_id(1))] == [a_span_id(1), a_span_id(2)]
    archive.close()


async def test_a_trace_that_there_is_not_cannot_be_archived(open_door: OpenDoor) -> None:
    archive = TraceArchive(MemoryStore(max_spans=100, autocomplete_keys=()))
    door = await open_door(archive=archive)

    refusal = await door.refusal("ArchiveTrace", v2.ArchiveTraceRequest(trace_id=a_trace_id(1)))

    assert refusal == (grpc.StatusCode.NOT_FOUND, "trace not found")
    archive.close()
