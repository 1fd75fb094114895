"""SpanService/Report by a real gRPC client, on the HTTP server that it shares with plain requests."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from clew.ports import HttpServer
from collector.ledger import Door
from collector.receivers.http_body import BodyLimits
from collector.receivers.zipkin_grpc import REPORT_PATH, ZipkinGrpcReceiver
from storage.errors import StoreFull, StoreUnavailable
from tests.collector.receivers.grpc_calls import Method, refusal, trailers
from tests.collector.rig import SECOND_NS, Rig, decode_words, until

LIMITS = BodyLimits(wire_bytes=100_000, inflated_bytes=400_000)
UNLIMITED = (("grpc.max_send_message_length", -1),)


@asynccontextmanager
async def serving(rig: Rig, *, limits: BodyLimits = LIMITS, enabled: bool = True) -> AsyncIterator[str]:
    """The address of a receiver."""
    server = HttpServer(ZipkinGrpcReceiver(rig.intake, limits, decode_words, enabled=enabled), "127.0.0.1:0", 30)
    try:
        yield server.address
    finally:
        rig.store.let_go()
        await server.stop()


@asynccontextmanager
async def reporting(
    rig: Rig, *, limits: BodyLimits = LIMITS, enabled: bool = True, options: Sequence[tuple[str, int]] = UNLIMITED
) -> AsyncIterator[Method]:
    """A client's method on a real loopback connection to a receiver."""
    async with (
        serving(rig, limits=limits, enabled=enabled) as address,
        grpc.aio.insecure_channel(address, options=options) as channel,
    ):
        yield channel.unary_unary(REPORT_PATH)
        rig.store.let_go()


async def test_spans_are_answered_with_an_empty_response_when_they_are_stored() -> None:
    async with Rig() as rig, reporting(rig) as report:
        assert await report(b"5 shop") == b""
        assert rig.store.spans == 5


async def test_spans_are_not_answered_before_the_write_returned() -> None:
    async with Rig() as rig, reporting(rig) as report:
        rig.store.hold()
        call = report(b"5 shop")
        await rig.writes_begun(1)
        assert not call.done()
        rig.store.let_go()
        assert await call == b""


async def test_an_empty_message_is_fine() -> None:
    async with Rig() as rig, reporting(rig) as report:
        assert await report(b"") == b""
        assert rig.ledger.books().messages == {Door.ZIPKIN_GRPC: 1}


async def test_messages_and_spans_are_booked_at_the_grpc_door() -> None:
    async with Rig() as rig, reporting(rig) as report:
        await report(b"5 shop")
        books = rig.ledger.books()
        assert (books.messages, books.message_bytes) == ({Door.ZIPKIN_GRPC: 1}, {Door.ZIPKIN_GRPC: 6})
        assert books.received == {Door.ZIPKIN_GRPC: 5}


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_message_is_inflated(compression: grpc.Compression) -> None:
    async with Rig() as rig, reporting(rig) as report:
        await report(b"3 shop".ljust(20_000), compression=compression)
        assert rig.store.spans == 3
        assert rig.ledger.books().message_bytes == {Door.ZIPKIN_GRPC: 20_000}


async def test_a_malformed_message_is_invalid_argument_with_the_decoders_words() -> None:
    async with Rig() as rig, reporting(rig) as report:
        error = await refusal(report, b"h\xe9llo 100%")
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert error.details() == "expected words, got b'h\\xe9llo 100%'"
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_GRPC, "malformed"): 1}


async def test_a_fault_of_the_decoder_is_internal_and_harms_nobody_else() -> None:
    async with Rig() as rig, reporting(rig) as report:
        assert (await refusal(report, b"crash")).code() is grpc.StatusCode.INTERNAL
        assert await report(b"1 shop") == b""


async def test_a_full_queue_is_resource_exhausted_with_the_time_to_retry() -> None:
    async with Rig(queue_bytes=1000) as rig, reporting(rig) as report:
        rig.store.hold()
        first = report(b"1 shop".ljust(600))
        await rig.writes_begun(1)
        error = await refusal(report, b"1 shop".ljust(600))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        details = status_pb2.Status.FromString(trailers(error)["grpc-status-details-bin"])
        info = error_details_pb2.RetryInfo()
        assert details.details[0].Unpack(info)
        assert info.retry_delay.seconds == 1
        rig.store.let_go()
        assert await first == b""
        assert await report(b"1 shop".ljust(600)) == b""


async def test_a_full_store_is_resource_exhausted_and_an_unavailable_one_unavailable() -> None:
    async with Rig() as rig, reporting(rig) as report:
        rig.store.failures.append(StoreFull("no room"))
        error = await refusal(report, b"5 shop")
        assert (error.code(), error.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")
        rig.store.failures.append(StoreUnavailable("gone"))
        assert (await refusal(report, b"5 shop")).code() is grpc.StatusCode.UNAVAILABLE


async def test_a_message_over_the_wire_limit_is_resource_exhausted_without_a_time_to_retry() -> None:
    async with Rig() as rig, reporting(rig) as report:
        error = await refusal(report, bytes(20 << 20))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" not in trailers(error)
        assert rig.budget.used_bytes == 0
        assert await report(b"1 shop") == b""


async def test_a_message_of_the_wire_limit_is_taken() -> None:
    async with Rig() as rig, reporting(rig) as report:
        assert await report(b"1 shop".ljust(100_000)) == b""


async def test_a_big_message_passes_in_many_windows() -> None:
    limits = BodyLimits(wire_bytes=10 << 20, inflated_bytes=32 << 20)
    async with Rig(queue_bytes=64 << 20) as rig, reporting(rig, limits=limits) as report:
        assert await report(b"1 shop".ljust(10 << 20)) == b""
        assert rig.ledger.books().message_bytes == {Door.ZIPKIN_GRPC: 10 << 20}


async def test_a_zip_bomb_is_refused_before_it_is_inflated() -> None:
    async with Rig(queue_bytes=1 << 30) as rig, reporting(rig) as report:
        error = await refusal(report, bytes(50 << 20), grpc.Compression.Gzip)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "400000 bytes when inflated" in (error.details() or "")
        assert rig.budget.used_bytes == 0


async def test_many_calls_at_once_share_connections_and_commits() -> None:
    async with Rig() as rig, reporting(rig) as report:
        rig.store.hold()
        first = report(b"1 shop")
        await rig.writes_begun(1)
        calls = [report(b"2 shop") for _ in range(200)]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 401)
        rig.store.let_go()
        await asyncio.gather(first, *calls)
        assert [len(batch) for batch in rig.store.batches] == [1, 400]


async def test_more_calls_than_a_connection_takes_at_once_wait_in_the_client() -> None:
    async with Rig() as rig, reporting(rig) as report:
        assert await asyncio.gather(*(report(b"1 shop") for _ in range(1000))) == [b""] * 1000
        assert rig.store.spans == 1000


async def test_spans_of_a_client_that_gives_up_are_stored_and_their_room_given_back() -> None:
    async with Rig() as rig, reporting(rig) as report:
        rig.store.hold()
        call = report(b"5 shop")
        await rig.writes_begun(1)
        call.cancel()
        rig.store.let_go()
        await until(lambda: rig.budget.used_bytes == 0)
        assert rig.store.spans == 5


async def test_a_message_that_does_not_come_in_time_is_deadline_exceeded() -> None:
    limits = BodyLimits(LIMITS.wire_bytes, LIMITS.inflated_bytes, read_timeout_s=0.05)
    async with Rig() as rig, serving(rig, limits=limits) as address:
        async with grpc.aio.insecure_channel(address) as channel:
            opened: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(REPORT_PATH)
            call = opened()
            await call.wait_for_connection()
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_GRPC, "too_slow"): 1}


async def test_stop_lets_running_calls_end() -> None:
    async with Rig() as rig:
        server = HttpServer(ZipkinGrpcReceiver(rig.intake, LIMITS, decode_words), "127.0.0.1:0", 30)
        async with grpc.aio.insecure_channel(server.address) as channel:
            rig.store.hold()
            report: Method = channel.unary_unary(REPORT_PATH)
            call = report(b"5 shop")
            await rig.writes_begun(1)
            stopping = asyncio.create_task(server.stop())
            await asyncio.sleep(0)
            rig.store.let_go()
            assert await call == b""
            await stopping


async def test_a_call_is_told_to_retry_while_clew_stops() -> None:
    async with Rig() as rig, reporting(rig) as report:
        await rig.pipeline.stop(30 * SECOND_NS)
        error = await refusal(report, b"5 shop")
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" in trailers(error)


async def test_a_disabled_door_is_unimplemented() -> None:
    async with Rig() as rig, reporting(rig, enabled=False) as report:
        assert (await refusal(report, b"5 shop")).code() is grpc.StatusCode.UNIMPLEMENTED


async def post(address: str, content: bytes, *, http2: bool = True, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(http1=not http2, http2=http2, base_url=f"http://{address}") as client:
        return await client.post(REPORT_PATH, content=content, headers=named)


def framed(message: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(message).to_bytes(4) + message


@pytest.mark.parametrize("content_type", ["", "application/json", "application/grpcish"])
async def test_another_content_type_is_415(content_type: str) -> None:
    # zipkin.md 1.15
    async with Rig() as rig, serving(rig) as address:
        answer = await post(address, framed(b"1 shop"), content_type=content_type)
        assert (answer.status_code, answer.text) == (415, "Missing or invalid Content-Type header.")


async def test_success_is_one_frame_of_nothing() -> None:
    # zipkin.md 1.15: flag 0, length 0
    async with Rig() as rig, serving(rig) as address:
        answer = await post(address, framed(b"1 shop"), content_type="application/grpc")
        assert (answer.status_code, answer.content) == (200, bytes(5))
        assert answer.headers["content-type"] == "application/grpc"


async def test_grpc_over_http_1_is_refused_for_want_of_trailers() -> None:
    async with Rig() as rig, serving(rig) as address:
        answer = await post(address, framed(b"1 shop"), http2=False, content_type="application/grpc")
        assert answer.status_code == 505
        assert rig.store.spans == 0


@pytest.mark.parametrize("http2", [True, False])
async def test_grpc_web_has_its_trailers_in_the_body(http2: bool) -> None:
    async with Rig() as rig, serving(rig) as address:
        answer = await post(address, framed(b"1 shop"), http2=http2, content_type="application/grpc-web+proto")
        assert answer.content == framed(b"") + framed(b"grpc-status:0\r\n", 0x80)
        refused = await post(address, framed(b"what"), http2=http2, content_type="application/grpc-web")
        assert refused.content.startswith(b"\x80")
        assert b"grpc-status:3\r\n" in refused.content
        assert rig.store.spans == 1


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        pytest.param(b"", "identity", "3", id="no message"),
        pytest.param(b"\0\0\0", "identity", "3", id="cut in the prefix"),
        pytest.param(framed(b"1 shop")[:-2], "identity", "3", id="cut in the message"),
        pytest.param(framed(b"1 shop", 2), "identity", "3", id="unknown flag"),
        pytest.param(b"\0\xff\xff\xff\xff1 shop", "identity", "8", id="announces 4 GB"),
        pytest.param(framed(gzip.compress(b"1 shop")[:-3], 1), "gzip", "3", id="damaged gzip"),
        pytest.param(framed(b"1 shop", 1), "identity", "12", id="compressed by nothing"),
        pytest.param(framed(b"1 shop", 1), "snappy", "12", id="unknown compression"),
    ],
)
async def test_a_bad_frame_is_refused_with_its_status(content: bytes, encoding: str, status: str) -> None:
    async with Rig() as rig, serving(rig) as address:
        answer = await post(address, content, content_type="application/grpc", grpc_encoding=encoding)
        assert answer.status_code == 200
        assert answer.headers["grpc-status"] == status
        assert rig.budget.used_bytes == 0
        assert len(rig.ledger.books().messages_refused) == 1
