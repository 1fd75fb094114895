"""Golden bytes of the Zipkin v2 writer (reference 2.4)."""

import json
from typing import Any

import pytest

from query.render.zipkin_v2 import links_json, names_json
from storage.ids import TraceId
from storage.requests import DependencyLink
from storage.span import Endpoint, Event, Protocol, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, US, a_short_trace_id, a_span_id, a_trace_id, a_zipkin_trace
from tests.query.render.documents import trace_json, traces_json

LONG_ID = TraceId(bytes.fromhex("7180c278b62e8f6a216a2aea45d08fc9"))


def a_bare_span(**changes: Any) -> Span:
    """A Zipkin span with nothing but its ids."""
    values: dict[str, Any] = {"trace_id": LONG_ID, "span_id": a_span_id(0xB), "protocol": Protocol.ZIPKIN}
    return Span(**(values | changes))


def rendered(span: Span) -> dict[str, Any]:
    (only,) = json.loads(trace_json([span]))
    assert isinstance(only, dict)
    return only


def test_writer_gives_every_field_in_zipkins_order_without_white_space() -> None:
    span = a_bare_span(
        parent_span_id=a_span_id(0xA),
        kind=SpanKind.CLIENT,
        name="get",
        start_ns=1_472_470_996_199_000 * US,
        duration_ns=207_000 * US,
        service="frontend",
        local=Endpoint(ipv4="127.0.0.1", ipv6="2001:db8::c001", port=8080),
        remote=Endpoint("backend", "192.168.99.101", "2001:db8::1", 9000),
        events=(Event(1_472_470_996_238_000 * US, "foo"),),
        attributes={"http.path": "/api", "clnt/finagle.version": "6.45.0"},
        debug=True,
        shared=True,
    )

    assert trace_json([span]) == (
        b'[{"traceId":"7180c278b62e8f6a216a2aea45d08fc9","parentId":"000000000000000a","id":"000000000000000b",'
        b'"kind":"CLIENT","name":"get","timestamp":1472470996199000,"duration":207000,'
        b'"localEndpoint":{"serviceName":"frontend","ipv4":"127.0.0.1","ipv6":"2001:db8::c001","port":8080},'
        b'"remoteEndpoint":{"serviceName":"backend","ipv4":"192.168.99.101","ipv6":"2001:db8::1","port":9000},'
        b'"annotations":[{"timestamp":1472470996238000,"value":"foo"}],'
        b'"tags":{"clnt/finagle.version":"6.45.0","http.path":"/api"},"debug":true,"shared":true}]'
    )


def test_writer_gives_the_ids_alone_when_all_else_is_absent() -> None:
    span = a_bare_span(trace_id=a_short_trace_id(0xA))

    assert trace_json([span]) == b'[{"traceId":"000000000000000a","id":"000000000000000b"}]'


def test_writer_keeps_the_order_of_spans_and_of_traces() -> None:
    second, first = a_bare_span(span_id=a_span_id(2)), a_bare_span(span_id=a_span_id(1))

    traces = json.loads(traces_json([[second, first], [first]]))

    assert [[span["id"][-1] for span in trace] for trace in traces] == [["2", "1"], ["1"]]


def test_writer_gives_an_empty_array_when_there_is_nothing() -> None:
    assert (trace_json([]), traces_json([]), names_json([]), links_json([])) == (b"[]", b"[]", b"[]", b"[]")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param('a"b\\c', rb'"a\"b\\c"', id="quote_and_backslash"),
        pytest.param("a\tb\nc\rd\be\f", rb'"a\tb\nc\rd\be\f"', id="short_escapes"),
        pytest.param("\x00\x1f", rb'"\u0000\u001f"', id="control_characters"),
        pytest.param("\u2028x\u2029", rb'"\u2028x\u2029"', id="line_and_paragraph_separator"),
        pytest.param("zoë 私 🙂 \x7f /", '"zoë 私 🙂 \x7f /"'.encode(), id="other_text_is_raw_utf_8"),
        pytest.param("\ud800", b'"?"', id="lone_surrogate"),
    ],
)
def test_writer_escapes_text_as_zipkin_does(text: str, written: bytes) -> None:
    assert names_json([text]) == b"[" + written + b"]"
    assert b'"tags":{' + written + b":" + written + b"}" in trace_json([a_bare_span(attributes={text: text})])


def test_writer_sorts_and_deduplicates_annotations_by_time_and_value() -> None:
    span = a_bare_span(events=(Event(3000, "b"), Event(2000, "z"), Event(3000, "a"), Event(3000, "b")))

    assert rendered(span)["annotations"] == [
        {"timestamp": 2, "value": "z"},
        {"timestamp": 3, "value": "a"},
        {"timestamp": 3, "value": "b"},
    ]


@pytest.mark.parametrize("start_ns", [None, 0, 999, -5000])
def test_writer_leaves_the_timestamp_out_when_it_is_absent_or_below_one_microsecond(start_ns: int | None) -> None:
    assert "timestamp" not in rendered(a_bare_span(start_ns=start_ns))


@pytest.mark.parametrize("duration_ns", [None, 0, 999])
def test_writer_leaves_the_duration_of_a_zipkin_span_out_when_it_has_none(duration_ns: int | None) -> None:
    assert "duration" not in rendered(a_bare_span(duration_ns=duration_ns))


@pytest.mark.parametrize("parent", [None, a_span_id(0), a_span_id(0xB)], ids=["none", "zeros", "itself"])
def test_writer_leaves_the_parent_out_when_it_is_none(parent: Any) -> None:
    """Reference 2.1: an all-zero parent is absent, and so is a span that is its own parent."""
    assert "parentId" not in rendered(a_bare_span(parent_span_id=parent))


def test_writer_gives_an_endpoint_that_has_only_a_port() -> None:
    assert rendered(a_bare_span(remote=Endpoint(port=80)))["remoteEndpoint"] == {"port": 80}


def test_zipkin_span_keeps_its_error_tag_and_gains_none() -> None:
    """Reference 2.2: an empty `error` matters. Its stored status ERROR adds no other tag."""
    span = a_bare_span(attributes={"error": ""}, status_code=StatusCode.ERROR)

    assert rendered(span)["tags"] == {"error": ""}


def test_standard_zipkin_trace_reads_as_it_was_posted() -> None:
    spans = json.loads(trace_json(a_zipkin_trace()))

    assert spans[2] == {
        "traceId": a_trace_id(1).hex(),
        "parentId": "0000000000000001",
        "id": "0000000000000002",
        "kind": "SERVER",
        "name": "get",
        "timestamp": (TODAY_NS + 100 * MS) // 1000,
        "duration": 150_000,
        "localEndpoint": {"serviceName": "backend"},
        "tags": {"environment": "test"},
        "shared": True,
    }


def test_links_give_the_error_count_only_when_there_are_errors() -> None:
    links = [DependencyLink("a", "b", 2), DependencyLink("b", "dé\n", 3, 1)]

    assert links_json(links) == (
        b'[{"parent":"a","child":"b","callCount":2},'
        + '{"parent":"b","child":"dé\\n","callCount":3,"errorCount":1}]'.encode()
    )
