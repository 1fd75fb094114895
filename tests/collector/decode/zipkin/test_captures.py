"""Bodies that Envoy and the OpenTelemetry SDKs really sent."""

import json
from typing import Any

import pytest

from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_json_lenient import read_spans
from collector.decode.zipkin_json_v2 import decode
from storage.batch import SpanColumns
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode
from tests.builders import exactly
from tests.collector.decode.zipkin.reading import DATA, captured, spans_of

_NODE = "sidecar~10.1.2.4~productpage-v1-1.default~default.svc.cluster.local"
_BODIES = sorted(path.name for path in DATA.glob("*zipkin*.json"))


def test_envoy_body_reads_back_as_written_by_hand() -> None:
    first, second, third, outbound, chained = spans_of(captured("envoy-zipkin-json-0001.json"))
    inbound_tags = {
        "component": "proxy",
        "downstream_cluster": "-",
        "guid:x-request-id": "6c5ae4f5-2552-9679-a71b-ccf4e1a56442",
        "http.method": "GET",
        "http.protocol": "HTTP/1.1",
        "http.status_code": "200",
        "http.url": "http://127.0.0.1:21000/ok/plain",
        "istio.canonical_revision": "v1",
        "istio.canonical_service": "productpage",
        "istio.cluster_id": "Kubernetes",
        "istio.mesh_id": "cluster.local",
        "istio.namespace": "default",
        "node_id": _NODE,
        "peer.address": "127.0.0.1",
        "request_size": "0",
        "response_flags": "-",
        "response_size": "3",
        "upstream_cluster": "inbound|9080||",
        "upstream_cluster.name": "inbound|9080||",
        "user": "anon",
        "user_agent": "curl/7.88.1",
    }
    expected = Span(
        trace_id=TraceId(bytes.fromhex("bf9cb0c1d2126b5e5d1749854abb0dc6")),
        span_id=SpanId(bytes.fromhex("cd843495c2a63a6a")),
        parent_span_id=SpanId(bytes.fromhex("5d1749854abb0dc6")),
        name="productpage.default.svc.cluster.local:9080/*",
        kind=SpanKind.SERVER,
        start_ns=1795229092690157000,
        duration_ns=1945000,
        service="productpage.default",
        protocol=Protocol.ZIPKIN,
        attributes=inbound_tags,
        events=(Event(1795229092692193000, "ss"),),
        local=Endpoint(ipv4="192.0.2.2"),
    )
    assert exactly(first) == exactly(expected)
    assert list(first.attributes) == sorted(inbound_tags)
    # A 404 through Envoy's Zipkin tracer is no error; a 503 is, by its tag.
    assert [span.attributes["http.status_code"] for span in (second, third)] == ["404", "503"]
    assert [span.status_code for span in (second, third)] == [StatusCode.UNSET, StatusCode.ERROR]
    assert (third.attributes["error"], third.trace_id.hex()) == ("true", "51903a1b72862541952f0a81d5461a32")
    assert (outbound.kind, outbound.events) == (SpanKind.CLIENT, (Event(1795229092819922000, "cr"),))
    assert outbound.parent_span_id == chained.span_id
    assert outbound.attributes["upstream_cluster"] == "outbound|9080||reviews.default.svc.cluster.local"
    assert chained.attributes["user"] == "zoë"


def test_shared_halves_of_envoy_have_one_id() -> None:
    server, *_ = spans_of(captured("envoy-zipkin-json-shared-0001.json"))
    clients = [
        span for span in spans_of(captured("envoy-zipkin-json-shared-0002.json")) if span.span_id == server.span_id
    ]
    assert (server.shared, server.kind) == (True, SpanKind.SERVER)
    assert [(client.shared, client.kind, client.trace_id) for client in clients] == [
        (False, SpanKind.CLIENT, server.trace_id)
    ]


def test_python_exporter_body_keeps_debug_null_kinds_and_json_annotations() -> None:
    spans = {span.name: span for span in spans_of(captured("otelpy-zipkin.json"))}
    assert all(span.debug and span.service == "checkout" for span in spans.values())
    assert [name for name, span in spans.items() if span.kind is SpanKind.UNSPECIFIED] == [
        "internal-fail",
        "explicit-ok",
    ]
    root = spans["get /checkout"]
    assert [event.name for event in root.events] == ['{"cache miss": {"key": "k", "n": 3}}', '{"no attrs": {}}']
    assert (root.attributes["uni"], root.attributes["arr"], root.attributes["empty"]) == ("日本 ✓", '["a","b"]', "")
    failed = [name for name, span in spans.items() if span.status_code is StatusCode.ERROR]
    assert failed == ["internal-fail", "explicit-err"]


def test_node_exporter_body_keeps_nul_and_the_error_text() -> None:
    spans = {span.name: span for span in spans_of(captured("otelnode-zipkin.json"))}
    assert spans["get /"].attributes["uni"] == "日本 ✓ \x00 nul"
    assert (spans["call backend"].status_code, spans["call backend"].attributes["error"]) == (StatusCode.ERROR, "boom")
    assert (spans["ok-span"].kind, spans["ok-span"].status_code) == (SpanKind.UNSPECIFIED, StatusCode.UNSET)


@pytest.mark.parametrize("name", _BODIES)
def test_columns_of_a_capture_are_the_same_by_both_readers(name: str) -> None:
    payload = captured(name)
    strict = decode(payload).columns
    lenient = columns_of(read_spans(payload), escape_free=False)
    assert all(getattr(strict, column) == getattr(lenient, column) for column in SpanColumns.__slots__)


@pytest.mark.parametrize("name", _BODIES)
def test_columns_of_a_capture_are_those_of_its_span_values(name: str) -> None:
    payload = captured(name)
    columns, expected = decode(payload).columns, SpanColumns()
    for span in spans_of(payload):
        expected.append(span)
    assert {part: getattr(columns, part) for part in SpanColumns.__slots__} == {
        part: getattr(expected, part) for part in SpanColumns.__slots__
    }


@pytest.mark.parametrize("name", _BODIES)
def test_capture_reads_back_with_all_its_tags_and_times(name: str) -> None:
    sent: list[dict[str, Any]] = json.loads(captured(name))
    spans = spans_of(captured(name))
    assert [(span.attributes, span.start_ns, span.duration_ns) for span in spans] == [
        (item["tags"], item["timestamp"] * 1000, item["duration"] * 1000) for item in sent
    ]
