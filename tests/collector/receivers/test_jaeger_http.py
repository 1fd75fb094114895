"""Port 14268: reference section 1.4."""

import asyncio
import gzip
import zlib

import pytest
from starlette.types import Receive, Scope, Send

from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.http_answer import answer
from collector.receivers.http_body import BodyLimits
from collector.receivers.jaeger_http import JaegerHttpReceiver
from storage.errors import StoreFull, StoreUnavailable
from tests.collector.asgi import post
from tests.collector.rig import Rig, decode_words

TRACES = "/api/traces"
THRIFT = "application/x-thrift"
LIMITS = BodyLimits(wire_bytes=1000, inflated_bytes=4000)


async def a_sampling_app(_scope: Scope, _receive: Receive, send: Send) -> None:
    await answer(send, 200, b"sampled")


def a_receiver(rig: Rig) -> JaegerHttpReceiver:
    return JaegerHttpReceiver(rig.intake, LIMITS, decode_words, a_sampling_app, LossLog(lambda: 0))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-thrift",
        "application/vnd.apache.thrift.binary",
        "application/x-thrift; charset=utf-8",
        "Application/X-Thrift",
    ],
)
async def test_a_batch_is_answered_202_and_nothing_when_it_is_stored(content_type: str) -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, b"5 shop", content_type=content_type)
        assert (found.status, found.body) == (202, b"")
        assert rig.store.spans == 5


async def test_a_batch_is_not_answered_before_the_write_returned() -> None:
    async with Rig() as rig:
        rig.store.hold()
        posting = asyncio.create_task(post(a_receiver(rig), TRACES, b"5 shop", content_type=THRIFT))
        await rig.writes_begun(1)
        assert not posting.done()
        rig.store.let_go()
        assert (await posting).status == 202


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(b"5 shop")), ("deflate", zlib.compress(b"5 shop")), ("identity", b"5 shop")],
    ids=["gzip", "deflate", "identity"],
)
async def test_a_compressed_batch_is_inflated(coding: str, body: bytes) -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, body, content_type=THRIFT, content_encoding=coding)
        assert (found.status, rig.store.spans) == (202, 5)


async def test_a_batch_without_a_length_is_taken() -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, [b"5 ", b"shop"], content_type=THRIFT)
        assert (found.status, rig.store.spans) == (202, 5)


@pytest.mark.parametrize(
    ("content_type", "coding", "text"),
    [
        ("", "", b"Cannot parse content type: mime: no media type\n"),
        ("application/json", "", b"Unsupported content type: application/json\n"),
        (THRIFT, "br", b"expected content encoding gzip or deflate, got br\n"),
    ],
)
async def test_another_type_or_encoding_is_400(content_type: str, coding: str, text: bytes) -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, b"5 shop", content_type=content_type, content_encoding=coding)
        assert (found.status, found.body, found.headers["content-type"]) == (400, text, "text/plain; charset=utf-8")
        assert rig.ledger.books().messages_refused == {(Door.JAEGER_HTTP, "unsupported"): 1}


async def test_a_body_that_is_no_batch_is_400_and_told_why() -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, b"what is this", content_type=THRIFT)
        assert found.status == 400
        assert found.body.startswith(b"expected words")
        assert rig.ledger.books().messages_refused == {(Door.JAEGER_HTTP, "malformed"): 1}


@pytest.mark.parametrize(
    ("body", "coding"), [(b" " * 1001, "identity"), (gzip.compress(b" " * 4001), "gzip")], ids=["wire", "inflated"]
)
async def test_a_batch_over_a_limit_is_413(body: bytes, coding: str) -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, body, content_type=THRIFT, content_encoding=coding)
        assert found.status == 413
        assert rig.budget.used_bytes == 0


async def test_a_rejected_span_is_counted_and_logged_and_its_neighbours_are_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Rig() as rig:
        found = await post(a_receiver(rig), TRACES, b"5 shop 2 invalid_span_id", content_type=THRIFT)
        assert (found.status, rig.store.spans) == (202, 5)
        assert rig.ledger.books().rejected == {(Door.JAEGER_HTTP, "invalid_span_id"): 2}
    assert caplog.messages == ["cannot store 2 spans (invalid_span_id): 2 spans are invalid_span_id"]


async def test_a_full_queue_is_503_with_a_time_to_come_again() -> None:
    async with Rig(queue_bytes=2000) as rig:
        with rig.budget.reservation() as others:
            others.grow(1999)
            found = await post(a_receiver(rig), TRACES, b"5 shop", content_type=THRIFT)
        assert (found.status, found.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), StoreFull("full")])
async def test_a_store_that_fails_is_503_with_a_time_to_come_again(failure: Exception) -> None:
    async with Rig() as rig:
        rig.store.fails_always = failure
        found = await post(a_receiver(rig), TRACES, b"5 shop", content_type=THRIFT)
        assert (found.status, "retry-after" in found.headers) == (503, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/traces", 405),
        ("POST", "/api/sampling", 405),
        ("POST", "/api/trace", 404),
        ("GET", "/", 404),
        ("GET", "/api/sampling", 200),
    ],
)
async def test_another_path_or_method_is_answered_without_a_body_being_taken(
    method: str, path: str, status: int
) -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), path, b"5 shop", method=method, content_type=THRIFT)).status == status
        assert rig.ledger.books().messages == {}
