"""OTLP out again, as messages and as JSON: reference section 2.2, and OTLP's JSON encoding."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.decode import otlp_json, otlp_proto
from query.reconstruct.assembly import assemble
from query.reconstruct.canonical import in_canonical_order
from query.reconstruct.trace import Trace, TraceSpan
from query.reconstruct.zipkin_as_otel import as_otel
from query.render.otlp_json import any_value_json, traces_data_json
from query.render.otlp_proto import CHUNK_SPANS, chunks, traces_data
from storage.attributes import AttributeValue
from storage.batch import DecodedSpans, SpanBatch
from storage.rows import span_of
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode
from storage.trace_summary import common_trace_id
from tests.builders import MS, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_span, exactly
from tests.span_strategies import attributes, events, links, texts, uint32s

TRACE_HEX = "000000000000c1e30000000000000001"
FULL = a_span(
    1,
    3,
    parent=2,
    kind=SpanKind.CLIENT,
    status_code=StatusCode.ERROR,
    status_message="it broke",
    trace_state="k=v",
    flags=257,
    attributes={"text": "a", "int": 2**62, "double": 200.0, "bool": True, "bytes": b"\x00\xff", "list": ["x", 1]},
    dropped_attributes=1,
    dropped_events=2,
    dropped_links=3,
    events=(Event(TODAY_NS + 5, "", {"e": {"nested": [None, 1.5]}}, 4),),
    links=(Link(a_trace_id(9), a_span_id(8), "l=s", {"why": b"w"}, 5, 1),),
    scope=Scope("lib", "0.9", {"s": False}, 6, "https://scope"),
    resource=Resource({"service.name": "frontend", "r": 1}, 7, "https://resource"),
)


def as_stored(spans: Sequence[Span]) -> Trace:
    """These spans in OpenTelemetry's terms, without repairs and adjusters: what is rendered is theirs alone."""
    ordered = in_canonical_order(spans)
    return Trace(common_trace_id(span.trace_id for span in ordered), [TraceSpan(as_otel(span)) for span in ordered])


def json_span(span: Span, *warnings: str) -> Any:
    """The JSON of one span that was not adjusted."""
    rendered: Any = traces_data_json([Trace(span.trace_id, [TraceSpan(span, warnings)])])
    return rendered["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


def test_a_span_that_has_everything_is_written_with_everything() -> None:
    assert traces_data_json([as_stored([FULL])]) == {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "frontend"}},
                        {"key": "r", "value": {"intValue": "1"}},
                    ],
                    "droppedAttributesCount": 7,
                },
                "scopeSpans": [
                    {
                        "scope": {
                            "name": "lib",
                            "version": "0.9",
                            "attributes": [{"key": "s", "value": {"boolValue": False}}],
                            "droppedAttributesCount": 6,
                        },
                        "spans": [
                            {
                                "traceId": TRACE_HEX,
                                "spanId": "0000000000000003",
                                "traceState": "k=v",
                                "parentSpanId": "0000000000000002",
                                "flags": 257,
                                "name": "get",
                                "kind": 3,
                                "startTimeUnixNano": str(TODAY_NS + 100_000),
                                "endTimeUnixNano": str(TODAY_NS + 100_000 + 200 * MS),
                                "attributes": [
                                    {"key": "text", "value": {"stringValue": "a"}},
                                    {"key": "int", "value": {"intValue": str(2**62)}},
                                    {"key": "double", "value": {"doubleValue": 200.0}},
                                    {"key": "bool", "value": {"boolValue": True}},
                                    {"key": "bytes", "value": {"bytesValue": "AP8="}},
                                    {
                                        "key": "list",
                                        "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"intValue": "1"}]}},
                                    },
                                ],
                                "droppedAttributesCount": 1,
                                "events": [
                                    {
                                        "timeUnixNano": str(TODAY_NS + 5),
                                        "attributes": [
                                            {
                                                "key": "e",
                                                "value": {
                                                    "kvlistValue": {
                                                        "values": [
                                                            {
                                                                "key": "nested",
                                                                "value": {
                                                                    "arrayValue": {"values": [{}, {"doubleValue": 1.5}]}
                                                                },
                                                            }
                                                        ]
                                                    }
                                                },
                                            }
                                        ],
                                        "droppedAttributesCount": 4,
                                    }
                                ],
                                "droppedEventsCount": 2,
                                "links": [
                                    {
                                        "traceId": "000000000000c1e30000000000000009",
                                        "spanId": "0000000000000008",
                                        "traceState": "l=s",
                                        "attributes": [{"key": "why", "value": {"bytesValue": "dw=="}}],
                                        "droppedAttributesCount": 5,
                                        "flags": 1,
                                    }
                                ],
                                "droppedLinksCount": 3,
                                "status": {"message": "it broke", "code": 2},
                            }
                        ],
                        "schemaUrl": "https://scope",
                    }
                ],
                "schemaUrl": "https://resource",
            }
        ]
    }


def test_a_bare_span_leaves_out_what_is_empty_but_for_resource_scope_and_status() -> None:
    span = a_span(name=None, start_ns=None, duration_ns=None, service=None)

    assert traces_data_json([as_stored([span])]) == {
        "resourceSpans": [
            {
                "resource": {},
                "scopeSpans": [
                    {"scope": {}, "spans": [{"traceId": TRACE_HEX, "spanId": "0000000000000001", "status": {}}]}
                ],
            }
        ]
    }


def test_the_message_and_the_json_say_the_same() -> None:
    # MessageToDict writes ids as base64 and enumerations by name: all else must be equal.
    message = MessageToDict(traces_data([as_stored([FULL])]), use_integers_for_enums=True)
    rendered: Any = traces_data_json([as_stored([FULL])])
    for resource in (message, rendered):
        span = resource["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
        for part in (span, *span["links"]):
            for name in ("traceId", "spanId", "parentSpanId"):
                part.pop(name, None)

    assert message == rendered


@pytest.mark.parametrize(
    ("number", "text"), [(float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity")]
)
def test_a_double_that_json_has_no_number_for_is_a_string(number: float, text: str) -> None:
    assert any_value_json(number) == {"doubleValue": text}


@pytest.mark.parametrize("value", [[], {}])
def test_an_empty_list_and_an_empty_map_stay_what_they_are(value: AttributeValue) -> None:
    name = "arrayValue" if value == [] else "kvlistValue"

    assert any_value_json(value) == {name: {"values": []}}
    message = traces_data([as_stored([a_span(attributes={"empty": value})])])
    (pair,) = message.resource_spans[0].scope_spans[0].spans[0].attributes
    assert pair.value.WhichOneof("value") == ("array_value" if value == [] else "kvlist_value")


def test_a_value_nested_deeper_than_protobuf_parses_becomes_json_text() -> None:
    value: AttributeValue = "deep"
    for _ in range(60):
        value = {"k": value}
    message = traces_data([as_stored([a_span(events=(Event(1, "e", {"nested": value}),))])])

    assert type(message).FromString(message.SerializeToString()) == message
    assert '{\\"k\\":\\"deep\\"}' in msgspec.json.encode(any_value_json(value)).decode()


def test_spans_of_one_resource_and_scope_stand_together_in_order_of_first_use() -> None:
    first, second = Resource({"service.name": "a"}), Resource({"service.name": "b"})
    spans = [
        a_span(1, 1, service="a", resource=first, scope=Scope("x")),
        a_span(1, 2, service="b", resource=second),
        a_span(1, 3, service="a", resource=first, scope=Scope("y")),
        a_span(1, 4, service="a", resource=first, scope=Scope("x")),
    ]

    message = traces_data([as_stored(spans)])

    assert [
        [(scope.scope.name, [span.span_id[-1] for span in scope.spans]) for scope in resource.scope_spans]
        for resource in message.resource_spans
    ] == [[("x", [1, 4]), ("y", [3])], [("", [2])]]


def test_several_traces_are_one_answer() -> None:
    rendered: Any = traces_data_json([as_stored([a_span(1)]), as_stored([a_span(2)])])

    (resource,) = rendered["resourceSpans"]
    assert len(resource["scopeSpans"][0]["spans"]) == 2


def test_warnings_travel_as_the_attribute_that_jaeger_passes_them_in() -> None:
    shown = json_span(a_span(attributes={"a": "b"}), "one", "two")

    assert shown["attributes"][1] == {
        "key": "@jaeger@warnings",
        "value": {"arrayValue": {"values": [{"stringValue": "one"}, {"stringValue": "two"}]}},
    }


def test_a_zipkin_span_is_shown_as_jaegers_receiver_translates_it() -> None:
    sent = a_zipkin_span(
        1,
        2,
        kind=SpanKind.CLIENT,
        tags={"http.path": "/", "error": "500"},
        annotations={"ws": TODAY_NS + 1},
        local=Endpoint(ipv4="10.0.0.1", port=80),
        service="shop",
    )
    span = replace(sent, remote=Endpoint("db", ipv4="10.0.0.2", port=90))
    rendered: Any = traces_data_json([as_stored([span])])
    shown = rendered["resourceSpans"][0]["scopeSpans"][0]["spans"][0]

    assert rendered["resourceSpans"][0]["resource"]["attributes"] == [
        {"key": "service.name", "value": {"stringValue": "shop"}}
    ]
    assert {pair["key"]: pair["value"] for pair in shown["attributes"]} == {
        "http.path": {"stringValue": "/"},
        "error": {"stringValue": "500"},
        "network.local.address": {"stringValue": "10.0.0.1"},
        "net.host.port": {"intValue": "80"},
        "peer.service": {"stringValue": "db"},
        "network.peer.address": {"stringValue": "10.0.0.2"},
        "net.peer.port": {"intValue": "90"},
    }
    assert (shown["kind"], shown["status"]) == (3, {"code": 2})
    assert shown["events"] == [{"timeUnixNano": str(TODAY_NS + 1), "name": "ws"}]


def test_a_zipkin_span_without_times_begins_at_zero_and_says_so() -> None:
    shown = json_span(as_stored([a_zipkin_span(tags={}, start_ns=None, duration_ns=None)]).spans[0].span)

    assert "startTimeUnixNano" not in shown
    assert shown["attributes"] == [{"key": "otel.zipkin.absentField.startTime", "value": {"boolValue": True}}]


def test_a_service_name_that_was_not_sent_is_shown_as_jaeger_calls_it() -> None:
    trace = assemble([a_span(service="missing-service-name", resource=Resource({"host": "h"}))])

    shown = traces_data([trace]).resource_spans[0].resource.attributes

    assert [(pair.key, pair.value.string_value) for pair in shown] == [
        ("host", "h"),
        ("service.name", "missing-service-name"),
    ]


@pytest.mark.parametrize(
    ("start_ns", "duration_ns", "start", "end"),
    [(-5, 1, 0, 0), (5, -10, 5, 0), (2**63 - 1, 2**63 - 1, 2**63 - 1, 2**64 - 2), (None, 7, 0, 7)],
)
def test_times_stay_within_what_otlp_can_say(start_ns: int | None, duration_ns: int, start: int, end: int) -> None:
    message = traces_data([as_stored([a_span(start_ns=start_ns, duration_ns=duration_ns)])])
    (span,) = message.resource_spans[0].scope_spans[0].spans

    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (start, end)


def test_a_large_trace_is_cut_into_consecutive_messages_within_the_limit() -> None:
    trace = as_stored([a_span(1, number, attributes={"a": "x" * 200}) for number in range(1, 101)])

    messages = list(chunks(trace, 5_000))

    sizes = [message.ByteSize() for message in messages]
    ids = [
        int.from_bytes(span.span_id, "big")
        for message in messages
        for span in message.resource_spans[0].scope_spans[0].spans
    ]
    assert len(messages) > 4
    assert max(sizes) <= 5_000
    assert ids == list(range(1, 101))


def test_a_span_larger_than_the_limit_goes_alone() -> None:
    trace = as_stored([a_span(1, 1), a_span(1, 2, attributes={"a": "x" * 900}), a_span(1, 3)])

    sizes = [len(message.resource_spans[0].scope_spans[0].spans) for message in chunks(trace, 400)]

    assert sizes == [1, 1, 1]


def test_a_message_holds_a_bounded_number_of_spans() -> None:
    trace = as_stored([a_span(1, number) for number in range(1, CHUNK_SPANS + 2)])

    sizes = [len(message.resource_spans[0].scope_spans[0].spans) for message in chunks(trace, 2**30)]

    assert sizes == [CHUNK_SPANS, 1]


@st.composite
def sent_spans(draw: st.DrawFn) -> Span:
    """Spans as OTLP can send them."""
    start_ns = draw(st.integers(1, 2**62))
    return a_span(
        draw(st.integers(1, 2**40)),
        draw(st.integers(1, 2**40)),
        parent=draw(st.none() | st.integers(1, 9)),
        name=draw(st.none() | texts.filter(bool)),
        kind=draw(st.sampled_from(SpanKind)),
        start_ns=start_ns,
        duration_ns=draw(st.integers(-start_ns, 2**61)),
        service="s",
        status_code=draw(st.sampled_from(StatusCode)),
        status_message=draw(texts),
        attributes=draw(attributes),
        events=tuple(draw(st.lists(events().filter(lambda event: event.time_ns >= 0), max_size=2))),
        links=tuple(draw(st.lists(links(), max_size=2))),
        resource=Resource(draw(attributes) | {"service.name": "s"}, draw(uint32s), draw(texts)),
        scope=Scope(draw(texts), draw(texts), draw(attributes), draw(uint32s), draw(texts)),
        trace_state=draw(texts),
        flags=draw(uint32s),
        dropped_attributes=draw(uint32s),
        dropped_events=draw(uint32s),
        dropped_links=draw(uint32s),
    )


@settings(max_examples=60, deadline=None)
@given(sent_spans())
def test_what_is_rendered_decodes_to_the_span_that_was_stored(span: Span) -> None:
    (stored,) = spans_of(SpanBatch.of([span]))
    trace = as_stored([stored])

    by_message = otlp_proto.decode(traces_data([trace]).SerializeToString()).columns
    by_json = otlp_json.decode(msgspec.json.encode(traces_data_json([trace]))).columns

    assert exactly(decoded(by_message)) == exactly(stored)
    assert exactly(decoded(by_json)) == exactly(stored)


def spans_of(batch: SpanBatch) -> list[Span]:
    return [span_of(row) for row in batch.rows()]


def decoded(columns: DecodedSpans) -> Span:
    (span,) = spans_of(columns.to_batch(0))
    assert span.protocol is Protocol.OTLP
    # The remote service is read out of the attributes when it is decoded.
    assert span.remote == Endpoint()
    return span
