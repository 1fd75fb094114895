"""Bodies that real Envoys and real SDK exporters sent: accepted at their door, and read back right through each API.

tests/data holds them verbatim; gRPC bodies are message bytes. How they were made: the file name's first words name the
client (Envoy 1.40, OpenTelemetry Python 1.45 and Node 2.12).
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.process.clew_process import Clew

DATA = Path(__file__).parents[1] / "data"
ZIPKIN_BODIES = sorted(path.name for path in DATA.glob("*zipkin*.json"))
GRPC_BODIES = sorted(path.name for path in DATA.glob("*grpc*.bin"))
PROTOBUF_BODIES = sorted(
    path.name
    for pattern in ("envoy-otlp-http-*.bin", "otelpy-http*.bin*", "otelnode-proto*.bin*")
    for path in DATA.glob(pattern)
)
JSON_BODIES = sorted(path.name for pattern in ("otelnode-json*", "otelpy-http-json*") for path in DATA.glob(pattern))


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """One store for all bodies: some hold parts of the same traces, as they do in life."""
    with Clew(tmp_path_factory.mktemp("wire")) as running:
        yield running


def plain(name: str) -> bytes:
    """The body without its compression."""
    body = (DATA / name).read_bytes()
    if name.endswith(".gz"):
        return gzip.decompress(body)
    return zlib.decompress(body) if name.endswith(".zlib") else body


def encoding(name: str) -> dict[str, str]:
    if name.endswith(".gz"):
        return {"content-encoding": "gzip"}
    return {"content-encoding": "deflate"} if name.endswith(".zlib") else {}


def zipkin_trace(clew: Clew, trace_id: str) -> list[dict[str, Any]]:
    return list(httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{trace_id}").raise_for_status().json())


def jaeger_trace(clew: Clew, trace_id: str) -> dict[str, Any]:
    return dict(httpx.get(f"{clew.url('jaeger')}/api/traces/{trace_id}").raise_for_status().json()["data"][0])


def as_zipkin_stores_it(span: dict[str, Any]) -> dict[str, Any]:
    """What Zipkin's own model makes of a posted span: no nulls, no port 0, lower-case names, annotations sorted."""
    kept = {key: value for key, value in span.items() if value is not None and value != [] and value != {}}
    for side in ("localEndpoint", "remoteEndpoint"):
        endpoint = {key: value for key, value in (kept.pop(side, None) or {}).items() if value}
        if endpoint:
            kept[side] = endpoint | {key: endpoint[key].lower() for key in ("serviceName",) if key in endpoint}
    if "name" in kept:
        kept["name"] = kept["name"].lower()
    if "annotations" in kept:
        kept["annotations"] = sorted(kept["annotations"], key=lambda item: (item["timestamp"], item["value"]))
    return {key: value for key, value in kept.items() if value is not False}


@pytest.mark.parametrize("name", ZIPKIN_BODIES)
def test_a_zipkin_body_reads_back_as_it_was_posted(clew: Clew, name: str) -> None:
    body = (DATA / name).read_bytes()
    headers = {"content-type": "application/json"}

    answer = httpx.post(f"{clew.url('zipkin')}/api/v2/spans", content=iter([body[:100], body[100:]]), headers=headers)

    assert (answer.status_code, answer.content) == (202, b"")
    posted: dict[str, list[dict[str, Any]]] = {}
    for span in json.loads(body):
        posted.setdefault(span["traceId"], []).append(as_zipkin_stores_it(span))
    for trace_id, spans in posted.items():
        read = zipkin_trace(clew, trace_id)
        assert [span for span in spans if span not in read] == []
        assert len(jaeger_trace(clew, trace_id)["spans"]) == len(read)


def sent_spans(message: ExportTraceServiceRequest) -> dict[str, set[tuple[str, str]]]:
    """Trace id -> (span id, name) of every span."""
    found: dict[str, set[tuple[str, str]]] = {}
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                found.setdefault(span.trace_id.hex(), set()).add((span.span_id.hex(), span.name))
    return found


def sent_json_spans(message: dict[str, Any]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                found.setdefault(span["traceId"], set()).add((span["spanId"], span["name"]))
    return found


def assert_read_back(clew: Clew, sent: dict[str, set[tuple[str, str]]]) -> None:
    for trace_id, spans in sent.items():
        jaeger = jaeger_trace(clew, trace_id)
        assert spans <= {(span["spanID"], span["operationName"]) for span in jaeger["spans"]}
        zipkin = zipkin_trace(clew, trace_id)
        assert {(id_, name.lower()) for id_, name in spans} <= {(span["id"], span.get("name")) for span in zipkin}


@pytest.mark.parametrize("name", PROTOBUF_BODIES)
def test_an_otlp_protobuf_body_is_answered_in_protobuf_and_reads_back(clew: Clew, name: str) -> None:
    headers = {"content-type": "application/x-protobuf"} | encoding(name)

    answer = httpx.post(f"{clew.url('otlp_http')}/v1/traces", content=(DATA / name).read_bytes(), headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert_read_back(clew, sent_spans(ExportTraceServiceRequest.FromString(plain(name))))


@pytest.mark.parametrize("name", JSON_BODIES)
def test_an_otlp_json_body_is_answered_in_json_and_reads_back(clew: Clew, name: str) -> None:
    headers = {"content-type": "application/json"} | encoding(name)

    answer = httpx.post(f"{clew.url('otlp_http')}/v1/traces", content=(DATA / name).read_bytes(), headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {}
    assert_read_back(clew, sent_json_spans(json.loads(plain(name))))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", GRPC_BODIES)
def test_an_otlp_grpc_message_is_accepted_and_reads_back(clew: Clew, name: str, compression: grpc.Compression) -> None:
    body = (DATA / name).read_bytes()

    with grpc.insecure_channel(clew.doors["otlp_grpc"], compression=compression) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        )
        answer = call(body, timeout=10)

    assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
    assert_read_back(clew, sent_spans(ExportTraceServiceRequest.FromString(body)))
