import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest

from collector.decode.zipkin_formats import ZipkinFormat
from collector.ledger import Door
from collector.receivers.http_body import BodyLimits
from collector.receivers.zipkin_http import ZipkinHttpReceiver
from storage.errors import StoreFull, StoreUnavailable
from tests.collector.asgi import Answer, Request, post
from tests.collector.rig import SECOND_NS, Rig, decode_words, until

SPANS = "/api/v2/spans"
LIMITS = BodyLimits(wire_bytes=1000, inflated_bytes=4000)
DECODERS = dict.fromkeys(ZipkinFormat, decode_words)


def a_receiver(rig: Rig, *, limits: BodyLimits = LIMITS, enabled: bool = True) -> ZipkinHttpReceiver:
    return ZipkinHttpReceiver(rig.intake, limits, DECODERS, enabled=enabled)


async def test_spans_are_answered_202_without_a_body_when_they_are_stored() -> None:
    async with Rig() as rig:
        assert await post(a_receiver(rig), SPANS, b"5 shop", content_type="application/json") == Answer(
            202, {"content-length": "0"}
        )
        assert rig.store.spans == 5


async def test_spans_are_not_answered_before_the_write_returned() -> None:
    async with Rig() as rig:
        rig.store.hold()
        posting = asyncio.create_task(post(a_receiver(rig), SPANS, b"5 shop"))
        await rig.writes_begun(1)
        assert not posting.done()
        rig.store.let_go()
        assert (await posting).status == 202


async def test_chunks_without_a_length_are_one_body() -> None:
    # clients.md 1: Envoy sends so
    async with Rig() as rig:
        assert (await post(a_receiver(rig), SPANS, [b"12 ", b"sh", b"op"])).status == 202
        assert rig.store.spans == 12


@pytest.mark.parametrize("body", [b"", b"[]"])
async def test_an_empty_list_is_answered_202_without_asking_the_store(body: bytes) -> None:
    # zipkin.md 1.1: reporters probe health so
    async with Rig() as rig:
        rig.store.hold()
        assert (await post(a_receiver(rig), SPANS, body)).status == 202
        assert rig.ledger.books().messages == {Door.ZIPKIN_HTTP: 1}
        assert rig.ledger.books().message_bytes == {Door.ZIPKIN_HTTP: 0}


@pytest.mark.parametrize(
    "body", [b"", gzip.compress(b""), gzip.compress(b"[]")], ids=["no bytes", "nothing", "no spans"]
)
async def test_an_empty_gzip_body_is_answered_202(body: bytes) -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), SPANS, body, content_encoding="gzip")).status == 202


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("identity, gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
async def test_a_compressed_body_is_inflated(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), SPANS, compress(b"3 shop"), content_encoding=encoding)).status == 202
        assert rig.store.spans == 3
        assert rig.ledger.books().message_bytes == {Door.ZIPKIN_HTTP: len(b"3 shop")}


async def test_a_compressed_body_in_single_bytes_is_inflated() -> None:
    async with Rig() as rig:
        body = gzip.compress(b"3 shop")
        assert (await post(a_receiver(rig), SPANS, [bytes([b]) for b in body], content_encoding="gzip")).status == 202
        assert rig.store.spans == 3


@pytest.mark.parametrize(
    "body", [b"\x01\x02\x03\x04", b"3 shop", gzip.compress(b"3 shop")[:-4]], ids=["bytes", "not compressed", "cut off"]
)
async def test_a_body_that_is_no_gzip_is_answered_400_in_zipkins_words(body: bytes) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), SPANS, body, content_encoding="gzip")
        assert (answer.status, answer.body) == (400, b"Cannot gunzip spans")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_HTTP, "malformed"): 1}
        assert rig.budget.used_bytes == 0


async def test_a_malformed_body_is_answered_400_with_the_decoders_words() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), SPANS, b"hello")
        assert (answer.status, answer.body) == (400, b"expected words, got b'hello'")
        books = rig.ledger.books()
        assert books.messages == {Door.ZIPKIN_HTTP: 1}
        assert books.messages_refused == {(Door.ZIPKIN_HTTP, "malformed"): 1}
        assert rig.budget.used_bytes == 0


async def test_a_fault_of_the_decoder_is_answered_500_and_harms_nobody_else() -> None:
    async with Rig() as rig:
        receiver = a_receiver(rig)
        answer = await post(receiver, SPANS, b"crash")
        assert (answer.status, answer.body) == (500, b"the body could not be decoded: RuntimeError")
        assert (await post(receiver, SPANS, b"1 shop")).status == 202
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_HTTP, "error"): 1}


async def test_a_body_over_the_wire_limit_is_refused_by_its_announced_length_before_it_is_read() -> None:
    async with Rig() as rig:
        request = Request(SPANS, headers={"content-length": "1001"})
        request.end(bytes(1001))
        assert (await request.to(a_receiver(rig))).status == 413
        assert request.parts_unread == 1


async def test_a_body_over_the_wire_limit_is_refused_while_it_is_read_when_it_has_no_length() -> None:
    async with Rig() as rig:
        request = Request(SPANS)
        for _ in range(100):
            request.send(bytes(500))
        assert (await request.to(a_receiver(rig))).status == 413
        assert request.parts_unread == 97
        assert rig.budget.used_bytes == 0
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_HTTP, "too_large"): 1}


async def test_a_body_of_just_the_wire_limit_is_taken() -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), SPANS, b"1 shop".ljust(1000))).status == 202


async def test_a_zip_bomb_is_refused_before_it_is_inflated() -> None:
    async with Rig(queue_bytes=1 << 30) as rig:
        bomb = gzip.compress(bytes(64 << 20))
        limits = BodyLimits(wire_bytes=1 << 20, inflated_bytes=2 << 20)
        answer = await post(a_receiver(rig, limits=limits), SPANS, bomb, content_encoding="gzip")
        assert answer.status == 413
        assert b"2097152 bytes when inflated" in answer.body
        assert rig.budget.used_bytes == 0


async def test_a_full_queue_is_answered_503_with_retry_after_and_taken_again_when_it_empties() -> None:
    async with Rig(queue_bytes=1000) as rig:
        receiver = a_receiver(rig)
        rig.store.hold()
        first = asyncio.create_task(post(receiver, SPANS, b"1 shop".ljust(600)))
        await rig.writes_begun(1)
        refused = await post(receiver, SPANS, b"1 shop".ljust(600))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert b"CLEW_QUEUE_BYTES" not in refused.body
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_HTTP, "queue_full"): 1}
        rig.store.let_go()
        assert (await first).status == 202
        assert (await post(receiver, SPANS, b"1 shop".ljust(600))).status == 202


async def test_a_body_of_many_tiny_spans_counts_with_what_they_take_as_columns() -> None:
    async with Rig(queue_bytes=10_000) as rig:
        answer = await post(a_receiver(rig), SPANS, b"100 shop")
        assert answer.status == 413
        assert rig.ledger.books().rejected == {(Door.ZIPKIN_HTTP, "too_large"): 100}


async def test_memory_stays_within_the_queue_with_200_slow_connections() -> None:
    async with Rig(queue_bytes=10_000) as rig:
        receiver = a_receiver(rig)
        requests = [Request(SPANS) for _ in range(200)]
        for request in requests:
            request.send(b"1 shop".ljust(400))
        tasks = [asyncio.create_task(request.to(receiver)) for request in requests]
        await until(lambda: all(request.parts_unread == 0 for request in requests))
        await until(lambda: sum(task.done() for task in tasks) == 175)
        assert rig.budget.used_bytes == 10_000
        assert {task.result().status for task in tasks if task.done()} == {503}
        alive = [request for request, task in zip(requests, tasks, strict=True) if not task.done()]
        for request in alive[:20]:
            request.disconnect()
        await until(lambda: rig.budget.used_bytes == 2000)
        for request in alive[20:]:
            request.end()
        answers = await asyncio.gather(*tasks)
        assert sorted(answer.status for answer in answers) == [0] * 20 + [202] * 5 + [503] * 175
        assert rig.budget.used_bytes == 0
        assert rig.store.spans == 5


async def test_a_client_that_leaves_inside_its_body_gives_its_room_back() -> None:
    async with Rig() as rig:
        request = Request(SPANS)
        request.send(b"1 sh")
        request.disconnect()
        assert (await request.to(a_receiver(rig))).status == 0
        assert rig.budget.used_bytes == 0
        assert rig.ledger.books().messages_refused == {(Door.ZIPKIN_HTTP, "disconnected"): 1}


async def test_a_body_that_does_not_come_in_time_is_answered_408() -> None:
    async with Rig() as rig:
        request = Request(SPANS)
        request.send(b"1 sh")
        receiver = a_receiver(rig, limits=BodyLimits(1000, 1000, read_timeout_s=0))
        assert (await request.to(receiver)).status == 408
        assert rig.budget.used_bytes == 0


async def test_a_full_store_is_answered_503_with_its_words() -> None:
    async with Rig() as rig:
        rig.store.failures.append(StoreFull("1 MiB free of 256 MiB"))
        answer = await post(a_receiver(rig), SPANS, b"5 shop")
        assert (answer.status, answer.body) == (503, b"1 MiB free of 256 MiB")
        assert int(answer.headers["retry-after"]) >= 1


async def test_an_unavailable_store_is_answered_503() -> None:
    async with Rig() as rig:
        rig.store.failures.append(StoreUnavailable("gone"))
        answer = await post(a_receiver(rig), SPANS, b"5 shop")
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_fault_of_the_store_is_answered_500() -> None:
    async with Rig() as rig:
        rig.store.failures.append(ZeroDivisionError())
        assert (await post(a_receiver(rig), SPANS, b"5 shop")).status == 500


async def test_spans_are_refused_with_503_while_clew_stops() -> None:
    async with Rig() as rig:
        await rig.pipeline.stop(30 * SECOND_NS)
        assert (await post(a_receiver(rig), SPANS, b"5 shop")).status == 503


async def test_a_disabled_door_answers_404() -> None:
    # COLLECTOR_HTTP_ENABLED=false, zipkin.md 1.1
    async with Rig() as rig:
        assert await post(a_receiver(rig, enabled=False), SPANS, b"5 shop") == Answer(404, {"content-length": "0"})


async def test_spans_that_sampling_leaves_out_are_answered_202_and_booked_as_sampled() -> None:
    async with Rig(sample_rate=0.0) as rig:
        assert (await post(a_receiver(rig), SPANS, b"5 shop")).status == 202
        assert rig.store.writes_begun == 0
        assert {reason: spans for (_, reason), spans in rig.ledger.books().dropped.items()} == {"sampled": 5}


async def test_a_large_body_is_decoded_in_a_thread_and_answered_the_same() -> None:
    async with Rig(inline_bytes=100) as rig:
        receiver = a_receiver(rig)
        assert (await post(receiver, SPANS, b"3 shop".ljust(500))).status == 202
        assert (await post(receiver, SPANS, b"what?".ljust(500))).status == 400
        assert rig.store.spans == 3


async def test_each_answered_request_is_observed() -> None:
    seen: list[tuple[str, str, int, float]] = []
    ticks = iter([1.0, 1.5, 2.0, 2.25])
    async with Rig() as rig:
        receiver = ZipkinHttpReceiver(
            rig.intake,
            LIMITS,
            DECODERS,
            observe=lambda *what: seen.append(what),
            perf_counter=lambda: next(ticks),
        )
        await post(receiver, SPANS, b"5 shop")
        await post(receiver, SPANS, b"what?")
    assert seen == [("POST", SPANS, 202, 0.5), ("POST", SPANS, 400, 0.25)]
