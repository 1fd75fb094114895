"""Garbage, truncated, giant, deeply nested and zip-bomb bodies at every door: the right error, bounded memory, good
neighbours unharmed."""

import gzip
import secrets
import zlib
from collections.abc import Iterator

import grpc
import httpx
import psutil
import pytest

from tests.process.clew_process import Clew
from tests.process.senders import SPANS_PER_POST, exporting, otlp_request, spans_held, zipkin_spans

ZIPKIN = "/api/v2/spans"
OTLP = "/v1/traces"
JSON = "application/json"
PROTOBUF = "application/x-protobuf"
NESTED_JSON = b"[" * 5_000_000
NESTED_OTLP_JSON = b'{"resourceSpans":' + b"[" * 1_000_000
BOMB = gzip.compress(bytes(300 * 2**20), 9)
DEFLATE_BOMB = zlib.compress(bytes(300 * 2**20), 9)
JAEGER = "/api/traces"
THRIFT = "application/x-thrift"
ENDLESS_LIST = b"\x0f\x00\x09\x00\x7f\xff\xff\xff" * 1000
NESTED_THRIFT = b"\x0c\x00\x09" * 1_000_000
EXPORT = otlp_request("1" * 32).SerializeToString()
RSS_GROWTH_BYTES = 200 * 2**20


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    with Clew(tmp_path_factory.mktemp("bad")) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_neighbours_are_unharmed(clew: Clew) -> Iterator[None]:
    process = psutil.Process(clew.process.pid)
    before_bytes = process.memory_info().rss
    yield
    trace_id, exported_id = secrets.token_hex(16), secrets.token_hex(16)
    assert httpx.post(clew.url("zipkin") + ZIPKIN, json=zipkin_spans(trace_id)).status_code == 202
    with exporting(clew.doors["otlp_grpc"]) as export:
        sent = export(exported_id)
    assert spans_held(clew.url("zipkin"), [trace_id, exported_id]) == {trace_id: SPANS_PER_POST, exported_id: sent}
    assert process.memory_info().rss - before_bytes < RSS_GROWTH_BYTES


@pytest.mark.parametrize(
    ("door", "path", "content_type", "encoding", "body", "status"),
    [
        pytest.param("zipkin", ZIPKIN, JSON, None, b"hello", 400, id="zipkin garbage"),
        pytest.param("zipkin", ZIPKIN, JSON, None, b"\x00\xff\xfe", 400, id="zipkin binary garbage"),
        pytest.param("zipkin", ZIPKIN, JSON, None, b'[{"traceId":"1","id":"1"}', 400, id="zipkin truncated"),
        pytest.param("zipkin", ZIPKIN, JSON, None, NESTED_JSON, 400, id="zipkin deeply nested"),
        pytest.param("zipkin", ZIPKIN, JSON, None, b" " * (11 * 2**20), 413, id="zipkin giant"),
        pytest.param("zipkin", ZIPKIN, JSON, "gzip", BOMB, 413, id="zipkin zip bomb"),
        pytest.param("zipkin", ZIPKIN, JSON, "gzip", b"hello", 400, id="zipkin not gzip"),
        pytest.param("zipkin", ZIPKIN, JSON, "gzip", BOMB[:1000], 400, id="zipkin truncated gzip"),
        pytest.param("otlp_http", OTLP, PROTOBUF, None, b"hello", 400, id="otlp garbage"),
        pytest.param("otlp_http", OTLP, PROTOBUF, None, EXPORT[:-3], 400, id="otlp truncated"),
        pytest.param("otlp_http", OTLP, PROTOBUF, None, bytes(11 * 2**20), 413, id="otlp giant"),
        pytest.param("otlp_http", OTLP, PROTOBUF, "gzip", BOMB, 413, id="otlp zip bomb"),
        pytest.param("otlp_http", OTLP, PROTOBUF, "deflate", DEFLATE_BOMB, 413, id="otlp deflate bomb"),
        pytest.param("otlp_http", OTLP, PROTOBUF, "br", EXPORT, 415, id="otlp unknown encoding"),
        pytest.param("otlp_http", OTLP, JSON, None, b"hello", 400, id="otlp json garbage"),
        pytest.param("otlp_http", OTLP, JSON, None, NESTED_OTLP_JSON, 400, id="otlp json deeply nested"),
        pytest.param("otlp_http", OTLP, JSON, None, b'{"resourceSpans":7}', 400, id="otlp json of another shape"),
        pytest.param("otlp_http", OTLP, "text/plain", None, b"hello", 415, id="otlp unknown type"),
        pytest.param("jaeger_thrift_http", JAEGER, THRIFT, None, b"hello", 400, id="jaeger garbage"),
        pytest.param("jaeger_thrift_http", JAEGER, THRIFT, None, ENDLESS_LIST, 400, id="jaeger lying length"),
        pytest.param("jaeger_thrift_http", JAEGER, THRIFT, None, NESTED_THRIFT, 400, id="jaeger deeply nested"),
        pytest.param("jaeger_thrift_http", JAEGER, THRIFT, None, bytes(11 * 2**20), 413, id="jaeger giant"),
        pytest.param("jaeger_thrift_http", JAEGER, THRIFT, "gzip", BOMB, 413, id="jaeger zip bomb"),
        pytest.param("jaeger_thrift_http", JAEGER, JSON, None, b"{}", 400, id="jaeger unknown type"),
    ],
)
def test_an_http_door_refuses_a_bad_body_with_its_status_and_a_reason(
    clew: Clew, door: str, path: str, content_type: str, encoding: str | None, body: bytes, status: int
) -> None:
    headers = {"content-type": content_type} | ({"content-encoding": encoding} if encoding else {})

    answer = httpx.post(clew.url(door) + path, content=body, headers=headers, timeout=60)

    assert answer.status_code == status, answer.text
    assert answer.content


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        pytest.param(b"hello", None, grpc.StatusCode.INVALID_ARGUMENT, id="garbage"),
        pytest.param(EXPORT[:-3], None, grpc.StatusCode.INVALID_ARGUMENT, id="truncated"),
        pytest.param(bytes(40 * 2**20), None, grpc.StatusCode.RESOURCE_EXHAUSTED, id="giant"),
        pytest.param(bytes(300 * 2**20), grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED, id="zip bomb"),
    ],
)
def test_the_grpc_door_refuses_a_bad_body_with_its_code_and_a_reason(
    clew: Clew, body: bytes, compression: grpc.Compression | None, code: grpc.StatusCode
) -> None:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(clew.doors["otlp_grpc"], options=options, compression=compression) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(body, timeout=60)

    assert caught.value.code() is code, caught.value
    assert caught.value.details()


def test_a_body_whose_sender_leaves_in_the_middle_holds_nothing(clew: Clew) -> None:
    def endless() -> Iterator[bytes]:
        yield b"[" + b" " * 65536
        raise ConnectionAbortedError

    for _ in range(50):
        with pytest.raises(ConnectionAbortedError):
            httpx.post(clew.url("zipkin") + ZIPKIN, content=endless())
