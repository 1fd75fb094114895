import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from google.rpc import code_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.ledger import Door
from collector.receivers.http_body import BodyLimits
from collector.receivers.otlp_http import OtlpHttpReceiver
from storage.errors import StoreUnavailable
from tests.collector.asgi import Answer, post
from tests.collector.rig import Rig, decode_words

TRACES = "/v1/traces"
PROTO = "application/x-protobuf"
JSON = "application/json"
LIMITS = BodyLimits(wire_bytes=1000, inflated_bytes=4000)


def a_receiver(rig: Rig, limits: BodyLimits = LIMITS) -> OtlpHttpReceiver:
    return OtlpHttpReceiver(rig.intake, limits, decode_proto=decode_words, decode_json=decode_words)


def status_in(answer: Answer) -> status_pb2.Status:
    return status_pb2.Status.FromString(answer.body)


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(("content_type", "body"), [(PROTO, b""), (JSON, b"{}")])
async def test_spans_are_answered_200_in_the_requests_type_when_they_are_stored(content_type: str, body: bytes) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"5 shop", content_type=content_type)
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, content_type, body)
        assert rig.store.spans == 5


async def test_spans_are_not_answered_before_the_write_returned() -> None:
    async with Rig() as rig:
        rig.store.hold()
        posting = asyncio.create_task(post(a_receiver(rig), TRACES, b"5 shop", content_type=PROTO))
        await rig.writes_begun(1)
        assert not posting.done()
        rig.store.let_go()
        assert (await posting).status == 200


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;charset=utf-8"])
async def test_a_content_type_may_have_parameters_and_capitals(content_type: str) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"5 shop", content_type=content_type)
        assert (answer.status, answer.headers["content-type"]) == (200, JSON)


async def test_rejected_spans_are_told_in_protobuf_and_the_good_ones_stored() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"5 shop 2 bad_id", content_type=PROTO)
        response = ExportTraceServiceResponse.FromString(answer.body)
        assert answer.status == 200
        assert response.partial_success.rejected_spans == 2
        assert response.partial_success.error_message == "2 spans are bad_id"
        assert rig.store.spans == 5
        assert rig.ledger.books().rejected == {(Door.OTLP_HTTP, "bad_id"): 2}


async def test_rejected_spans_are_told_in_json_with_the_number_as_a_string() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"5 shop 2 bad_id", content_type=JSON)
        assert json.loads(answer.body) == {
            "partialSuccess": {"rejectedSpans": "2", "errorMessage": "2 spans are bad_id"}
        }


async def test_an_empty_protobuf_request_is_fine() -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), TRACES, b"", content_type=PROTO)).status == 200


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
    ids=["gzip", "deflate", "raw deflate", "identity"],
)
async def test_a_compressed_body_is_inflated(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    async with Rig() as rig:
        body = compress(b"3 shop")
        answer = await post(a_receiver(rig), TRACES, body, content_type=PROTO, content_encoding=encoding)
        assert answer.status == 200
        assert rig.store.spans == 3


async def test_chunks_without_a_length_are_one_body() -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), TRACES, [b"3 ", b"shop"], content_type=PROTO)).status == 200
        assert rig.store.spans == 3


async def test_an_encoding_that_is_not_supported_is_answered_415() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"x", content_type=PROTO, content_encoding="zstd")
        assert answer.status == 415
        assert "gzip or deflate, got zstd" in status_in(answer).message


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-thrift"])
async def test_a_content_type_that_is_not_supported_is_answered_415(content_type: str) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"x", content_type=content_type)
        assert answer.status == 415
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.body.decode() == f"expected content type {PROTO} or {JSON}, got {content_type}"


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
async def test_another_method_is_answered_405(method: str) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs", "/", "/v1/traces/"])
async def test_another_path_is_answered_404(path: str) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), path, b"x", content_type=PROTO)
        assert answer.status == 404
        assert b"/v1/traces" in answer.body


async def test_a_malformed_body_is_answered_400_with_a_status_in_protobuf() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"hello", content_type=PROTO)
        assert (answer.status, answer.headers["content-type"]) == (400, PROTO)
        assert status_in(answer) == status_pb2.Status(
            code=code_pb2.INVALID_ARGUMENT, message="expected words, got b'hello'"
        )


async def test_a_malformed_body_is_answered_400_with_a_status_in_json() -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, b"hello", content_type=JSON)
        assert (answer.status, answer.headers["content-type"]) == (400, JSON)
        assert json.loads(answer.body) == {"code": 3, "message": "expected words, got b'hello'"}


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"3 shop")[:-3]], ids=["not compressed", "cut off"])
async def test_a_damaged_gzip_body_is_answered_400(body: bytes) -> None:
    async with Rig() as rig:
        answer = await post(a_receiver(rig), TRACES, body, content_type=PROTO, content_encoding="gzip")
        assert answer.status == 400
        assert "gzip" in status_in(answer).message


async def test_a_body_over_the_wire_limit_is_answered_413() -> None:
    async with Rig() as rig:
        assert (await post(a_receiver(rig), TRACES, bytes(1001), content_type=PROTO)).status == 413


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_zip_bomb_is_answered_413(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    async with Rig(queue_bytes=1 << 30) as rig:
        receiver = a_receiver(rig, BodyLimits(wire_bytes=1 << 20, inflated_bytes=2 << 20))
        bomb = compress(bytes(32 << 20))
        answer = await post(receiver, TRACES, bomb, content_type=PROTO, content_encoding=encoding)
        assert answer.status == 413
        assert rig.budget.used_bytes == 0


async def test_a_full_queue_is_answered_503_with_retry_after() -> None:
    async with Rig(queue_bytes=1000) as rig:
        receiver = a_receiver(rig)
        rig.store.hold()
        first = asyncio.create_task(post(receiver, TRACES, b"1 shop".ljust(600), content_type=PROTO))
        await rig.writes_begun(1)
        refused = await post(receiver, TRACES, b"1 shop".ljust(600), content_type=PROTO)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert status_in(refused).code == code_pb2.UNAVAILABLE
        rig.store.let_go()
        assert (await first).status == 200


async def test_an_unavailable_store_is_answered_503_with_retry_after() -> None:
    async with Rig() as rig:
        rig.store.failures.append(StoreUnavailable("gone"))
        answer = await post(a_receiver(rig), TRACES, b"5 shop", content_type=JSON)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert json.loads(answer.body) == {"code": 14, "message": "cannot write 5 spans: gone"}


async def test_a_fault_of_the_store_is_answered_500() -> None:
    async with Rig() as rig:
        rig.store.failures.append(ZeroDivisionError())
        answer = await post(a_receiver(rig), TRACES, b"5 shop", content_type=PROTO)
        assert answer.status == 500
        assert status_in(answer).code == code_pb2.INTERNAL
