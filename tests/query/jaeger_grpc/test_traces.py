"""GetTrace and FindTraces: jaeger.md section 4."""

import asyncio
import threading

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from query.api.jaeger_search import DEFAULT_WINDOW_NS, LARGEST_LIMIT
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from storage.requests import TraceQuery
from storage.span import Span, StatusCode
from storage.times import GO_ZERO_TIME_S
from tests.builders import (
    BACKEND,
    DAY,
    FRONTEND,
    SECOND,
    TODAY_NS,
    a_short_trace_id,
    a_span,
    a_span_id,
    a_trace_id,
    a_zipkin_trace,
)
from tests.query.jaeger_grpc.conftest import NOW_NS, Door, OpenDoor
from wire import jaeger_query_v2_pb2 as v2

GO_ZERO_TIME = Timestamp(seconds=GO_ZERO_TIME_S)


def at(time_ns: int) -> Timestamp:
    return Timestamp(seconds=time_ns // 10**9, nanos=time_ns % 10**9)


async def test_a_trace_is_streamed_by_ten_spans_each_with_its_process(door: Door) -> None:
    door.write(*(a_span(1, number, start_ns=TODAY_NS + number) for number in range(1, 26)))

    chunks = await door.chunks("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(1)))

    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    spans = [span for chunk in chunks for span in chunk]
    assert [span.span_id for span in spans] == [a_span_id(number) for number in range(1, 26)]
    assert {span.trace_id for span in spans} == {a_trace_id(1)}
    assert {span.process.service_name for span in spans} == {FRONTEND}
    assert {span.process_id for span in spans} == {""}


async def test_a_large_trace_comes_whole(door: Door) -> None:
    """T4 of Jaeger's storage suite."""
    door.write(*(a_span(1, number, start_ns=TODAY_NS + number) for number in range(1, 10_009)))

    chunks = await door.chunks("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(1)))

    assert len(chunks) == 1001
    assert {span.span_id for chunk in chunks for span in chunk} == {a_span_id(number) for number in range(1, 10_009)}


async def test_chunks_stay_within_what_clients_take_when_spans_are_large(door: Door) -> None:
    """The client of these tests, like Kiali's, refuses messages of more than 4 MiB."""
    door.write(*(a_span(1, number, attributes={"body": "x" * 1_000_000}) for number in range(1, 11)))

    chunks = await door.chunks("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(1)))

    assert [len(chunk) for chunk in chunks] == [4, 4, 2]


async def test_an_unknown_trace_is_not_found(door: Door) -> None:
    refusal = await door.refusal("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(9)))

    assert refusal == (grpc.StatusCode.NOT_FOUND, "trace not found")


@pytest.mark.parametrize("trace_id", [b"", bytes(16), bytes(8)])
async def test_a_trace_id_of_zeros_is_refused(door: Door, trace_id: bytes) -> None:
    refusal = await door.refusal("GetTrace", v2.GetTraceRequest(trace_id=trace_id))

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "uninitialized TraceID is not allowed")


async def test_a_trace_id_of_another_length_is_refused(door: Door) -> None:
    refusal = await door.refusal("GetTrace", v2.GetTraceRequest(trace_id=b"123"))

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "expected a trace_id of 16 bytes, got 3")


async def test_a_trace_of_a_64_bit_id_is_found_padded_and_not(door: Door) -> None:
    door.write(a_span(a_short_trace_id(7)))

    for trace_id in (a_short_trace_id(7), a_short_trace_id(7)[8:]):
        (span,) = await door.trace(trace_id)
        assert span.trace_id == a_short_trace_id(7)


async def test_halves_of_a_truncated_trace_are_one_when_ids_are_not_strict(open_door: OpenDoor) -> None:
    door = await open_door(STRICT_TRACE_ID=False)
    door.write(a_span(a_trace_id(1), 1), a_span(a_short_trace_id(1), 2))

    assert {span.trace_id for span in await door.trace(a_short_trace_id(1))} == {a_trace_id(1)}
    assert len(await door.trace(a_short_trace_id(1))) == 2


async def test_the_time_hints_of_a_trace_by_id_filter_nothing(door: Door) -> None:
    door.write(a_span(1))

    assert len(await door.trace(a_trace_id(1), start_time=at(NOW_NS), end_time=at(NOW_NS))) == 1


async def test_shared_spans_have_ids_of_their_own_unless_the_trace_is_asked_for_raw(door: Door) -> None:
    door.write(*a_zipkin_trace(1))

    adjusted, stored = await door.trace(a_trace_id(1)), await door.trace(a_trace_id(1), raw_traces=True)

    assert len({span.span_id for span in adjusted}) == 4
    assert len({span.span_id for span in stored}) == 3
    assert len(await door.find(service_name=BACKEND, raw_traces=True)) == len(stored)
    assert {span.span_id for span in await door.find(service_name=BACKEND)} == {span.span_id for span in adjusted}


async def test_found_traces_never_share_a_chunk(door: Door) -> None:
    door.write(*(a_span(trace, span) for trace in (1, 2, 3) for span in range(1, 13)))

    chunks = await door.chunks("FindTraces", v2.FindTracesRequest(query=v2.TraceQueryParameters(service_name=FRONTEND)))

    assert sorted(len(chunk) for chunk in chunks) == [2, 2, 2, 10, 10, 10]
    assert all(len({span.trace_id for span in chunk}) == 1 for chunk in chunks)


async def test_a_search_that_finds_nothing_is_an_empty_stream(door: Door) -> None:
    assert await door.find(service_name="nobody") == []


async def test_a_search_without_a_query_is_refused(door: Door) -> None:
    refusal = await door.refusal("FindTraces", v2.FindTracesRequest())

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "missing query")


async def test_a_search_for_no_possible_duration_is_refused(door: Door) -> None:
    query = v2.TraceQueryParameters(service_name=FRONTEND)
    query.duration_min.FromNanoseconds(2)
    query.duration_max.FromNanoseconds(1)

    refusal = await door.refusal("FindTraces", v2.FindTracesRequest(query=query))

    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "'maxDuration' should be greater than 'minDuration'")


async def test_bounds_of_time_and_duration_are_inclusive_to_the_nanosecond(door: Door) -> None:
    door.write(*(a_span(n, start_ns=TODAY_NS + n, duration_ns=10 + n) for n in range(1, 6)))

    by_start = await door.find(start_time_min=at(TODAY_NS + 2), start_time_max=at(TODAY_NS + 4))
    query = v2.TraceQueryParameters()
    query.duration_min.FromNanoseconds(12)
    query.duration_max.FromNanoseconds(14)
    by_duration = await door.chunks("FindTraces", v2.FindTracesRequest(query=query))

    expected = [a_trace_id(4), a_trace_id(3), a_trace_id(2)]
    assert [span.trace_id for span in by_start] == expected
    assert [chunk[0].trace_id for chunk in by_duration] == expected


async def test_what_a_go_client_leaves_unset_is_unset(door: Door) -> None:
    """Jaeger's generated Go code sends the year 1 and an empty duration for what was never set."""
    door.write(
        a_span(1, start_ns=NOW_NS - DEFAULT_WINDOW_NS),
        a_span(2, start_ns=NOW_NS),
        a_span(3, start_ns=NOW_NS - DEFAULT_WINDOW_NS - 1),
        a_span(4, start_ns=NOW_NS + 1),
    )
    query = v2.TraceQueryParameters(service_name=FRONTEND, start_time_min=GO_ZERO_TIME, start_time_max=GO_ZERO_TIME)
    query.duration_min.SetInParent()
    query.duration_max.SetInParent()

    chunks = await door.chunks("FindTraces", v2.FindTracesRequest(query=query))

    assert [chunk[0].trace_id for chunk in chunks] == [a_trace_id(2), a_trace_id(1)]
    assert len(await door.find(service_name=FRONTEND)) == 2


async def test_the_epoch_is_a_time_and_not_unset(door: Door) -> None:
    door.write(a_span(1, start_ns=0), a_span(2, start_ns=NOW_NS - 10 * DAY))

    assert len(await door.find(service_name=FRONTEND, start_time_min=Timestamp())) == 2


async def test_tags_match_by_their_text_on_one_span(door: Door) -> None:
    door.write(
        a_span(1, attributes={"http.status_code": 200, "cached": True}),
        a_span(2, 1, attributes={"http.status_code": "200"}),
        a_span(2, 2, attributes={"cached": True}),
    )

    found = await door.find(tags={"http.status_code": "200", "cached": "true"})

    assert [span.trace_id for span in found] == [a_trace_id(1)]


async def test_an_error_status_is_found_by_the_error_tag(door: Door) -> None:
    door.write(a_span(1, status_code=StatusCode.ERROR), a_span(2, status_code=StatusCode.OK), a_span(3))

    assert [span.trace_id for span in await door.find(tags={"error": "true"})] == [a_trace_id(1)]


async def test_service_and_operation_must_be_equal(door: Door) -> None:
    door.write(a_span(1), a_span(2, name="put"), a_span(3, service=BACKEND))

    assert [span.trace_id for span in await door.find(service_name=FRONTEND, operation_name="get")] == [a_trace_id(1)]


async def test_search_depth_is_the_number_of_newest_traces(door: Door) -> None:
    door.write(*(a_span(n, start_ns=TODAY_NS + n * SECOND) for n in range(1, 6)))

    found = await door.find(service_name=FRONTEND, search_depth=2)

    assert [span.trace_id for span in found] == [a_trace_id(5), a_trace_id(4)]


async def test_a_search_depth_of_zero_asks_for_as_much_as_there_ever_is(open_door: OpenDoor) -> None:
    asked: list[int] = []

    class Recording(MemoryStore):
        def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
            asked.append(query.limit)
            return []

    door = await open_door(Recording(max_spans=1, autocomplete_keys=()))

    for depth in (0, -1, 1_000_000, 20):
        await door.find(service_name=FRONTEND, search_depth=depth)

    assert asked == [LARGEST_LIMIT, LARGEST_LIMIT, LARGEST_LIMIT, 20]


async def test_a_store_that_does_not_answer_is_unavailable_with_its_words(open_door: OpenDoor) -> None:
    class Broken(MemoryStore):
        def get_traces(self, trace_ids: object, *, strict: bool = True) -> list[list[Span]]:
            raise StoreUnavailable("the disk is gone")

    door = await open_door(Broken(max_spans=1, autocomplete_keys=()))

    refusal = await door.refusal("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(1)))

    assert refusal == (grpc.StatusCode.UNAVAILABLE, "the disk is gone")


async def test_a_fault_of_clew_itself_is_an_internal_error_that_tells_nothing(open_door: OpenDoor) -> None:
    class Faulty(MemoryStore):
        def get_traces(self, trace_ids: object, *, strict: bool = True) -> list[list[Span]]:
            raise KeyError("secret")

    door = await open_door(Faulty(max_spans=1, autocomplete_keys=()))

    refusal = await door.refusal("GetTrace", v2.GetTraceRequest(trace_id=a_trace_id(1)))

    assert refusal == (grpc.StatusCode.INTERNAL, "internal error")


class Slow(MemoryStore):
    """Answers nothing until it is interrupted."""

    def __init__(self) -> None:
        super().__init__(max_spans=1, autocomplete_keys=())
        self.begun = threading.Event()
        self.interrupted = threading.Event()

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        self.begun.set()
        assert self.interrupted.wait(30), "nobody interrupted the read"
        raise StoreUnavailable("interrupted")

    def interrupt(self, thread_id: int) -> None:
        self.interrupted.set()


SEARCH = v2.FindTracesRequest(query=v2.TraceQueryParameters(service_name=FRONTEND))


async def test_a_client_that_cancels_stops_the_read(open_door: OpenDoor) -> None:
    store = Slow()
    door = await open_door(store, QUERY_TIMEOUT="0")
    call = door.stream("FindTraces", SEARCH)
    reading = asyncio.ensure_future(anext(aiter(call)))
    await asyncio.to_thread(store.begun.wait, 30)

    call.cancel()

    assert await asyncio.to_thread(store.interrupted.wait, 30)
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_deadline_stops_the_read(open_door: OpenDoor) -> None:
    store = Slow()
    door = await open_door(store, QUERY_TIMEOUT="0")

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await anext(aiter(door.stream("FindTraces", SEARCH, timeout_s=0.2)))

    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await asyncio.to_thread(store.interrupted.wait, 30)


async def test_a_read_that_takes_too_long_is_told_as_a_deadline(open_door: OpenDoor) -> None:
    """Kiali keeps what a stream brought before DEADLINE_EXCEEDED, and loses all by any other code."""
    door = await open_door(Slow(), QUERY_TIMEOUT="50ms")

    code, text = await door.refusal("FindTraces", SEARCH)

    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "QUERY_TIMEOUT" in text


async def test_traces_before_a_fault_arrive(open_door: OpenDoor) -> None:
    class Failing(MemoryStore):
        def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
            return [[a_span(trace, span) for span in range(1, 200)] for trace in (1, 2)] + [[]]

    door = await open_door(Failing(max_spans=1, autocomplete_keys=()))
    call = door.stream("FindTraces", SEARCH)

    assert len((await anext(aiter(call))).spans) == 10
    with pytest.raises(grpc.aio.AioRpcError):
        await _rest(call)


async def _rest(call: "grpc.aio.UnaryStreamCall[v2.FindTracesRequest, v2.SpansResponseChunk]") -> None:
    async for _ in call:
        pass
