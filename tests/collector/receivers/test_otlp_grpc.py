import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from clew.grpc_ports import GrpcServer
from collector.ledger import Door
from collector.receivers.grpc_ingest import MAX_READING
from collector.receivers.http_body import BodyLimits
from collector.receivers.otlp_grpc import OtlpGrpcReceiver
from storage.errors import StoreFull, StoreUnavailable
from tests.collector.receivers.grpc_calls import Method, refusal, trailers
from tests.collector.rig import SECOND_NS, Rig, decode_words, until

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LIMITS = BodyLimits(wire_bytes=100_000, inflated_bytes=400_000)
UNLIMITED = (("grpc.max_send_message_length", -1),)


def served(rig: Rig, limits: BodyLimits = LIMITS) -> GrpcServer:
    receiver = OtlpGrpcReceiver(rig.intake, limits, decode_words)
    return GrpcServer(receiver.handlers(), limits.wire_bytes, inflate=False)


@asynccontextmanager
async def exporting(
    rig: Rig, *, limits: BodyLimits = LIMITS, method: str = EXPORT, options: Sequence[tuple[str, int]] = UNLIMITED
) -> AsyncIterator[Method]:
    """A client's method on a real loopback connection to a receiver."""
    server = served(rig, limits)
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            yield channel.unary_unary(method)
    finally:
        rig.store.let_go()
        await server.stop(grace_s=30)


async def test_spans_are_answered_with_an_empty_response_when_they_are_stored() -> None:
    async with Rig() as rig, exporting(rig) as export:
        assert await export(b"5 shop") == b""
        assert rig.store.spans == 5


async def test_spans_are_not_answered_before_the_write_returned() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.hold()
        call = export(b"5 shop")
        await rig.writes_begun(1)
        assert not call.done()
        rig.store.let_go()
        assert await call == b""


async def test_an_empty_request_is_fine() -> None:
    async with Rig() as rig, exporting(rig) as export:
        assert await export(b"") == b""


async def test_rejected_spans_are_told_as_partial_success() -> None:
    async with Rig() as rig, exporting(rig) as export:
        response = ExportTraceServiceResponse.FromString(await export(b"5 shop 2 bad_id"))
        assert response.partial_success.rejected_spans == 2
        assert response.partial_success.error_message == "2 spans are bad_id"
        assert rig.store.spans == 5


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_request_is_inflated(compression: grpc.Compression) -> None:
    async with Rig() as rig, exporting(rig) as export:
        await export(b"3 shop".ljust(20_000), compression=compression)
        assert rig.store.spans == 3
        assert rig.ledger.books().message_bytes == {Door.OTLP_GRPC: 20_000}


async def test_a_malformed_request_is_invalid_argument_with_the_decoders_words() -> None:
    async with Rig() as rig, exporting(rig) as export:
        error = await refusal(export, b"hello")
        assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "expected words, got b'hello'")
        assert trailers(error) == {}
        assert rig.ledger.books().messages_refused == {(Door.OTLP_GRPC, "malformed"): 1}


async def test_a_damaged_gzip_request_is_invalid_argument() -> None:
    async with Rig() as rig, exporting(rig) as export:
        error = await refusal(export, gzip.compress(b"3 shop")[:-3])
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_fault_of_the_decoder_is_internal() -> None:
    async with Rig() as rig, exporting(rig) as export:
        assert (await refusal(export, b"crash")).code() is grpc.StatusCode.INTERNAL


async def test_a_full_queue_is_resource_exhausted_with_the_time_to_retry_in_both_forms() -> None:
    # anchors.md 4.3: without RetryInfo a collector drops; clients.md 2: Python looks for a trailer of its own
    async with Rig(queue_bytes=1000) as rig, exporting(rig) as export:
        rig.store.hold()
        first = export(b"1 shop".ljust(600))
        await rig.writes_begun(1)
        error = await refusal(export, b"1 shop".ljust(600))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        details = status_pb2.Status.FromString(trailers(error)["grpc-status-details-bin"])
        info = error_details_pb2.RetryInfo()
        assert details.details[0].Unpack(info)
        assert details.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert details.message == error.details()
        assert info.retry_delay.seconds == 1
        assert error_details_pb2.RetryInfo.FromString(trailers(error)["google.rpc.retryinfo-bin"]) == info
        rig.store.let_go()
        await first
        assert await export(b"1 shop".ljust(600)) == b""


async def test_a_full_store_is_resource_exhausted_with_its_words_and_a_time_to_retry() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.failures.append(StoreFull("no room"))
        error = await refusal(export, b"5 shop")
        assert (error.code(), error.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")
        assert "grpc-status-details-bin" in trailers(error)


async def test_an_unavailable_store_is_unavailable() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.failures.append(StoreUnavailable("gone"))
        error = await refusal(export, b"5 shop")
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "grpc-status-details-bin" in trailers(error)


async def test_a_fault_of_the_store_is_internal() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.failures.append(ZeroDivisionError())
        assert (await refusal(export, b"5 shop")).code() is grpc.StatusCode.INTERNAL


async def test_a_request_over_the_wire_limit_is_resource_exhausted_without_a_time_to_retry() -> None:
    async with Rig() as rig, exporting(rig) as export:
        error = await refusal(export, bytes(100_001))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert trailers(error) == {}
        assert await export(b"1 shop") == b""
        assert rig.budget.used_bytes == 0


async def test_a_request_of_the_wire_limit_is_taken() -> None:
    async with Rig() as rig, exporting(rig) as export:
        assert await export(b"1 shop".ljust(100_000)) == b""


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_zip_bomb_is_resource_exhausted_without_a_time_to_retry(compression: grpc.Compression) -> None:
    async with Rig(queue_bytes=1 << 30) as rig, exporting(rig) as export:
        error = await refusal(export, bytes(50 << 20), compression)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "400000 bytes when inflated" in (error.details() or "")
        assert trailers(error) == {}
        assert rig.budget.used_bytes == 0


@pytest.mark.parametrize(
    "method",
    [
        "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    ],
)
async def test_another_method_is_unimplemented(method: str) -> None:
    async with Rig() as rig, exporting(rig, method=method) as export:
        assert (await refusal(export, b"5 shop")).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_requests_that_do_not_come_hold_no_memory_and_do_not_keep_others_out_for_ever() -> None:
    limits = BodyLimits(LIMITS.wire_bytes, LIMITS.inflated_bytes, read_timeout_s=0.05)
    async with Rig() as rig:
        server = served(rig, limits)
        port = await server.start("127.0.0.1:0")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            opened: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(EXPORT)
            silent = [opened() for _ in range(MAX_READING)]
            for call in silent:
                await call.wait_for_connection()
            export: Method = channel.unary_unary(EXPORT)
            assert await export(b"5 shop") == b""
            codes = [await call.code() for call in silent]
        await server.stop(grace_s=30)
        assert codes == [grpc.StatusCode.DEADLINE_EXCEEDED] * MAX_READING
        assert rig.ledger.books().messages_refused == {(Door.OTLP_GRPC, "too_slow"): MAX_READING}
        assert rig.budget.used_bytes == 0


async def test_spans_of_a_client_that_gives_up_are_stored_and_their_room_given_back() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.hold()
        call = export(b"5 shop")
        await rig.writes_begun(1)
        call.cancel()
        rig.store.let_go()
        await until(lambda: rig.budget.used_bytes == 0)
        assert rig.store.spans == 5


async def test_many_calls_wait_for_one_commit() -> None:
    async with Rig() as rig, exporting(rig) as export:
        rig.store.hold()
        first = export(b"1 shop")
        await rig.writes_begun(1)
        calls = [export(b"2 shop") for _ in range(100)]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 201)
        rig.store.let_go()
        await asyncio.gather(first, *calls)
        assert [len(batch) for batch in rig.store.batches] == [1, 200]


async def test_stop_lets_running_calls_end() -> None:
    async with Rig() as rig:
        server = served(rig)
        port = await server.start("127.0.0.1:0")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            rig.store.hold()
            export: Method = channel.unary_unary(EXPORT)
            call = export(b"5 shop")
            await rig.writes_begun(1)
            stopping = asyncio.create_task(server.stop(grace_s=30))
            await asyncio.sleep(0)
            rig.store.let_go()
            assert await call == b""
            await stopping


async def test_a_call_is_told_to_retry_while_clew_stops() -> None:
    async with Rig() as rig, exporting(rig) as export:
        await rig.pipeline.stop(30 * SECOND_NS)
        error = await refusal(export, b"5 shop")
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" in trailers(error)


@pytest.mark.parametrize(
    "method",
    [
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    ],
)
async def test_the_other_signals_are_unimplemented_and_told_why(method: str) -> None:
    async with Rig() as rig, exporting(rig, method=method) as export:
        error = await refusal(export, b"5 shop")
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "clew stores traces" in str(error.details())
        assert rig.store.spans == 0
