"""Files that people keep traces in, each read for what it is."""

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import trace_files
from collector.errors import MalformedPayload
from query.reconstruct.assembly import assemble
from query.render.jaeger_envelope import envelope, to_bytes
from query.render.jaeger_json import trace_json
from storage.rows import span_of
from storage.span import Protocol, Span
from tests.builders import MS, TODAY_NS, a_span

DATA = Path(__file__).parents[2] / "data"
OTLP_SPAN = {
    "traceId": f"{1:032x}",
    "spanId": f"{2:016x}",
    "name": "get",
    "startTimeUnixNano": "7",
    "endTimeUnixNano": "9",
}
OTLP = {"resourceSpans": [{"scopeSpans": [{"spans": [OTLP_SPAN]}]}]}
ZIPKIN_SPAN = {"traceId": f"{1:016x}", "id": f"{2:016x}", "name": "get", "timestamp": 7, "duration": 2}
ZIPKIN_V1_SPAN = ZIPKIN_SPAN | {
    "annotations": [{"timestamp": 7, "value": "sr", "endpoint": {"serviceName": "shop", "ipv4": "10.0.0.1"}}]
}
JAEGER_SPAN = {"traceID": "1", "spanID": "2", "operationName": "get", "startTime": 7, "duration": 2, "processID": "p1"}
JAEGER_TRACE = {"traceID": "1", "spans": [JAEGER_SPAN], "processes": {"p1": {"serviceName": "shop", "tags": []}}}


def spans_of(document: Any) -> list[Span]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [span_of(row) for row in trace_files.decode(body).columns.to_batch(0).rows()]


def refusal_of(document: Any) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(MalformedPayload) as refused:
        trace_files.decode(body)
    return str(refused.value)


@pytest.mark.parametrize(
    ("document", "protocol"),
    [
        pytest.param(OTLP, Protocol.OTLP, id="otlp"),
        pytest.param({"resource_spans": [{"scope_spans": [{"spans": [OTLP_SPAN]}]}]}, Protocol.OTLP, id="otlp-snake"),
        pytest.param([OTLP], Protocol.OTLP, id="otlp-list"),
        pytest.param({"batches": OTLP["resourceSpans"]}, Protocol.OTLP, id="tempo"),
        pytest.param({"trace": OTLP}, Protocol.OTLP, id="tempo-v2"),
        pytest.param({"result": OTLP}, Protocol.OTLP, id="jaeger-v3"),
        pytest.param([ZIPKIN_SPAN], Protocol.ZIPKIN, id="zipkin-v2"),
        pytest.param([[ZIPKIN_SPAN], []], Protocol.ZIPKIN, id="zipkin-traces"),
        pytest.param([ZIPKIN_V1_SPAN], Protocol.ZIPKIN, id="zipkin-v1"),
        pytest.param(ZIPKIN_SPAN, Protocol.ZIPKIN, id="zipkin-one"),
        pytest.param({"data": [JAEGER_TRACE], "total": 0}, Protocol.JAEGER, id="jaeger"),
        pytest.param({"data": JAEGER_TRACE}, Protocol.JAEGER, id="jaeger-one"),
        pytest.param(JAEGER_TRACE, Protocol.JAEGER, id="jaeger-bare"),
        pytest.param([JAEGER_TRACE], Protocol.JAEGER, id="jaeger-list"),
        pytest.param([{"spans": [JAEGER_SPAN]}], Protocol.JAEGER, id="jaeger-list-without-ids"),
    ],
)
def test_a_document_is_read_for_what_it_is(document: Any, protocol: Protocol) -> None:
    (span,) = spans_of(document)

    assert (span.protocol, int.from_bytes(span.trace_id), int.from_bytes(span.span_id)) == (protocol, 1, 2)
    assert span.name == "get"


def test_a_version_1_span_names_its_service() -> None:
    assert [span.service for span in spans_of([ZIPKIN_V1_SPAN])] == ["shop"]


def test_a_document_a_line_is_one_file_whatever_the_lines_are() -> None:
    lines = [json.dumps(OTLP), "", json.dumps([ZIPKIN_SPAN]), json.dumps(JAEGER_TRACE), ""]

    found = spans_of("\r\n".join(lines).encode())

    assert [span.protocol for span in found] == [Protocol.OTLP, Protocol.ZIPKIN, Protocol.JAEGER]


def test_an_indented_document_is_no_file_of_lines() -> None:
    assert len(spans_of(b"\xef\xbb\xbf" + json.dumps([OTLP, OTLP], indent=2).encode())) == 2


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "got an empty file"),
        (b" \n ", "got an empty file"),
        (b"[]", "got an empty list"),
        (b"{}", "got an empty object"),
        (b"[1]", "a list whose first item is 1"),
        (b"<html>", "'<html>', which is no JSON"),
        (b"\x89PNG\r\n\x1a\n", "which is no JSON"),
        (b'"text"', "is no JSON"),
        ({"resourceLogs": []}, "got OTLP logs"),
        ({"resourceMetrics": []}, "got OTLP metrics"),
        ({"a": 1, "b": 2}, "got an object with `a`, `b`"),
        ([{"name": "x"}], "got an object with `name`"),
        (b"[" * 100_000, "nested too deep"),
        (
            {"data": [{"traceID": "1"}]},
            "expected Jaeger's JSON of traces: Object missing required field `spans` - at `$.data[0]`",
        ),
        ({"data": [{"spans": [JAEGER_SPAN | {"startTime": "x"}]}]}, "at `$.data[0].spans[0].startTime`"),
        ([ZIPKIN_SPAN, {"traceId": "x"}], "reading List<Span> from json"),
        ({"resourceSpans": 1}, "resourceSpans: expected an array, got 1"),
    ],
)
def test_what_is_no_trace_is_refused_with_what_it_is(document: Any, said: str) -> None:
    assert said in refusal_of(document)


def test_a_tag_nested_too_deep_is_refused() -> None:
    tag = b'{"key":"a","value":' + b"[" * 900 + b"]" * 900 + b"}"

    assert "nested too deep" in refusal_of(b'{"spans":[{"traceID":"1","spanID":"2","tags":[' + tag + b"]}]}")


def test_the_line_that_is_wrong_is_named() -> None:
    body = json.dumps(OTLP).encode() + b"\n" + json.dumps(OTLP).encode()[:-3] + b"\n"

    assert refusal_of(body).startswith("line 2: ")


def test_a_span_with_bad_ids_is_left_out_and_told() -> None:
    bad = JAEGER_TRACE | {"spans": [JAEGER_SPAN, JAEGER_SPAN | {"spanID": "nope"}]}

    found = trace_files.decode(json.dumps({"data": [bad]}).encode())

    assert (len(found.columns), dict(found.rejected)) == (1, {"invalid_span_id": 1})
    assert "data[0].spans[1].spanID: expected 1 to 16 hex digits, got 'nope'" in found.message


def test_more_elements_than_memory_has_room_for_are_refused() -> None:
    assert "at most 4000000 JSON elements" in refusal_of(b"[" + b"{}," * 4_000_001 + b"{}]")


@pytest.mark.parametrize("name", ["otelnode-json.json", "otelpy-http-json.json", "otelnode-zipkin.json"])
def test_what_real_sdks_send_is_a_file_too(name: str) -> None:
    assert spans_of((DATA / name).read_bytes())


def test_what_clew_renders_as_jaegers_json_reads_back_with_types_and_events() -> None:
    sent = a_span(
        attributes={"text": "a", "int": 3, "big": 2**60, "float": 2.0, "yes": True, "raw": b"\x00\xff"},
        duration_ns=5 * MS,
    )
    rendered = to_bytes(envelope([trace_json(assemble([sent]))]))

    (read,) = spans_of(rendered)

    assert read.attributes == sent.attributes
    assert (read.trace_id, read.span_id, read.service, read.name) == (
        sent.trace_id,
        sent.span_id,
        sent.service,
        sent.name,
    )
    assert (read.start_ns, read.duration_ns) == (TODAY_NS + 100_000, 5 * MS)


def test_gzip_is_the_doors_business() -> None:
    assert "no JSON" in refusal_of(gzip.compress(json.dumps(OTLP).encode()))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "spans",
                    "resourceSpans",
                    "traceId",
                    "id",
                    "traceID",
                    "spanID",
                    "tags",
                    "key",
                    "startTime",
                    "result",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_any_json_is_read_or_refused_and_nothing_else(document: object) -> None:
    with suppress(MalformedPayload):
        trace_files.decode(json.dumps(document).encode()).columns.to_batch(0)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    with suppress(MalformedPayload):
        trace_files.decode(body).columns.to_batch(0)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ({"type": "int64", "value": "9007199254740993"}, 2**53 + 1),
        ({"type": "int64", "value": "x"}, "x"),
        ({"type": "float64", "value": 2}, 2.0),
        ({"type": "float64", "value": "+Inf"}, float("inf")),
        ({"type": "binary", "value": "AP8="}, b"\x00\xff"),
        ({"type": "binary", "value": "?"}, "?"),
        ({"type": "bool", "value": True}, True),
        ({"value": 2**70}, float(2**70)),
        ({"value": ["a"]}, ["a"]),
        ({}, None),
    ],
)
def test_a_jaeger_tags_type_decides_its_value(tag: dict[str, Any], value: object) -> None:
    (span,) = spans_of({"spans": [JAEGER_SPAN | {"tags": [{"key": "k", **tag}]}]})

    assert span.attributes == {"k": value}


def test_a_jaeger_spans_parent_is_its_first_child_of_reference() -> None:
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": "1", "spanID": "9"},
        {"refType": "CHILD_OF", "traceID": "1", "spanID": "8"},
    ]

    (span,) = spans_of({"spans": [JAEGER_SPAN | {"references": references}]})

    assert span.parent_span_id is not None
    assert int.from_bytes(span.parent_span_id) == 8
    assert [int.from_bytes(link.span_id) for link in span.links] == [9]


def test_a_jaeger_spans_own_process_goes_before_the_traces() -> None:
    own = JAEGER_SPAN | {"process": {"serviceName": "own", "tags": [{"key": "host", "type": "string", "value": "a"}]}}

    spans = spans_of(JAEGER_TRACE | {"spans": [own, JAEGER_SPAN | {"processID": "gone"}]})

    assert [span.service for span in spans] == ["own", "null-process-and-service-name"]
    assert spans[0].resource.attributes["host"] == "a"
