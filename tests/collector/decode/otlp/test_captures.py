"""Bodies of real clients (clients.md, sections 1 and 2): what they must read back as."""

from pathlib import Path

import pytest

from collector.decode import otlp_json, otlp_proto
from collector.decode.decoded import Decoded
from storage.span import Event, Resource, Scope, Span, SpanKind, StatusCode
from tests.collector.decode.otlp.traces import spans_of

DATA = Path(__file__).parents[3] / "data"
ENVOY = [*sorted(DATA.glob("envoy-otlp-grpc-*.bin")), *sorted(DATA.glob("envoy-otlp-http-*.bin"))]
NODE = ["otelnode-json.json", "otelnode-proto.bin", "otelnode-grpc.bin"]
PYTHON = ["otelpy-grpc.bin", "otelpy-http.bin", "otelpy-http-json.json"]


def decoded(name: str) -> Decoded:
    decode = otlp_json.decode if name.endswith(".json") else otlp_proto.decode
    return decode((DATA / name).read_bytes())


def span_named(name: str, file_name: str) -> Span:
    (span,) = [span for span in spans_of(decoded(file_name).columns) if span.name == name]
    return span


@pytest.mark.parametrize("name", [*NODE, *PYTHON, *[path.name for path in ENVOY]])
def test_a_real_body_is_taken_whole(name: str) -> None:
    result = decoded(name)

    assert len(result.columns) > 0
    assert (dict(result.rejected), result.message) == ({}, "")


@pytest.mark.parametrize("name", PYTHON)
def test_python_server_span_reads_back_with_its_types(name: str) -> None:
    span = span_named("GET /checkout", name)

    assert span.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "b": True,
        "f": 1.5,
        "neg": -7,
        "big": 9007199254740993,
        "arr": ["a", "b"],
        "iarr": [1, 2],
        "farr": [1.5],
        "barr": [True, False],
        "empty": "",
        "uni": "日本 ✓",
        "peer.service": "x",
    }
    assert isinstance(span.attributes["b"], bool)
    assert (span.kind, span.status_code, span.parent_span_id, span.flags) == (
        SpanKind.SERVER,
        StatusCode.UNSET,
        None,
        256,
    )
    assert [(event.name, event.attributes) for event in span.events] == [
        ("cache miss", {"key": "k", "n": 3}),
        ("no attrs", {}),
    ]


@pytest.mark.parametrize("name", PYTHON)
def test_python_resource_and_scope_read_back(name: str) -> None:
    span = span_named("publish", name)

    assert span.service == "checkout"
    assert span.resource.attributes["deployment.environment.name"] == "test"
    assert span.scope == Scope("shop.lib", "0.9", {"scope.attr": "v"}, 0, "https://opentelemetry.io/schemas/1.21.0")


@pytest.mark.parametrize("name", PYTHON)
def test_python_failed_span_reads_back_with_its_exception(name: str) -> None:
    span = span_named("internal-fail", name)

    assert (span.status_code, span.status_message) == (StatusCode.ERROR, "ValueError: bad <thing>")
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes["exception.message"] == "bad <thing>"
    assert str(event.attributes["exception.stacktrace"]).endswith("\nValueError: bad <thing>\n")


def test_python_protobuf_span_reads_back_with_its_ids_and_times() -> None:
    span = span_named("SELECT", "otelpy-grpc.bin")

    assert span.trace_id == b"\372|B\002\026\347p\317AG[X\254\216lB"
    assert span.span_id == b"\016\221 \350\265}\322\005"
    assert span.parent_span_id == b"^\323-\233\220'\207\234"
    assert (span.start_ns, span.duration_ns) == (1795229580615605342, 9965)
    (link,) = span.links
    assert (link.span_id, link.attributes, link.flags) == (span.parent_span_id, {"why": "test"}, 256)


def test_python_json_span_reads_back_with_its_ids_and_times() -> None:
    span = span_named("SELECT", "otelpy-http-json.json")

    assert span.trace_id.hex() == "e718c1a6cfc0bcb87b7433865ade9acf"
    assert span.span_id.hex() == "8a72a60ee8a2962f"
    assert span.parent_span_id is not None
    assert span.parent_span_id.hex() == "99b17fdb3fec6acd"
    assert (span.start_ns, span.duration_ns) == (1795229581574546141, 10045)


@pytest.mark.parametrize("name", NODE)
def test_node_server_span_reads_back_with_its_integer_beyond_int64_as_a_double(name: str) -> None:
    span = span_named("GET /", name)

    assert span.attributes == {
        "http.method": "GET",
        "http.status_code": 200,
        "b": True,
        "f": 1.5,
        "whole": 2,
        "neg": -7,
        "big": 9007199254740991,
        "huge": 1e20,
        "arr": ["a", "b"],
        "narr": [1, 2.5],
        "barr": [True, False],
        "empty": "",
        "uni": "日本 ✓ \x00 nul",
    }
    assert isinstance(span.attributes["huge"], float)
    (event,) = span.events
    assert (event.name, event.attributes) == ("evt", {"k": "v", "n": 1})


@pytest.mark.parametrize("name", NODE)
def test_node_client_span_reads_back_with_its_link(name: str) -> None:
    span = span_named("call backend", name)

    assert (span.kind, span.status_code, span.status_message) == (SpanKind.CLIENT, StatusCode.ERROR, "boom")
    assert span.resource == Resource({"service.name": "frontend", "service.version": "2.0", "k8s.pod.name": "fe-1"})
    assert span.scope == Scope("fe.lib", "1.1")
    (link,) = span.links
    assert (link.trace_id, link.span_id) == (span.trace_id, span.parent_span_id)
    assert (link.attributes, link.flags) == ({"why": "t"}, 257)


def test_node_event_time_reads_back_to_the_nanosecond() -> None:
    span = span_named("GET /", "otelnode-json.json")

    assert span.events == (Event(1795229678745323383, "evt", {"k": "v", "n": 1}),)


def test_envoy_spans_of_one_trace_read_back_with_their_parent_link() -> None:
    client, server = spans_of(decoded("envoy-otlp-grpc-0001.bin").columns)[:2]

    assert client.name == "router outbound|9080||productpage.default.svc.cluster.local egress"
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert (client.trace_id, client.parent_span_id) == (server.trace_id, server.span_id)
    assert server.parent_span_id is None
    assert (client.start_ns, client.duration_ns) == (1795229157872266000, 3963000)
    assert (client.service, client.scope.name, client.flags) == ("istio-ingressgateway.istio-system", "envoy", 0x101)


def test_envoy_attributes_are_strings_empty_ones_too() -> None:
    server = spans_of(decoded("envoy-otlp-grpc-0001.bin").columns)[1]

    assert server.attributes["zone"] == ""
    assert server.attributes["http.status_code"] == "200"
    assert all(isinstance(value, str) for value in server.attributes.values())


def test_envoy_404_is_an_error_of_the_client_only_and_has_no_error_attribute() -> None:
    failed = [
        span
        for path in ENVOY
        for span in spans_of(decoded(path.name).columns)
        if span.attributes.get("http.status_code") == "404"
    ]

    assert {(span.kind, span.status_code) for span in failed} == {
        (SpanKind.CLIENT, StatusCode.ERROR),
        (SpanKind.SERVER, StatusCode.UNSET),
    }
    assert not any("error" in span.attributes for span in failed)
