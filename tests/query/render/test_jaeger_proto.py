"""Jaeger's protobuf of a trace: reference sections 3 and 4. It shows what the JSON shows; that is held first."""

import base64
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.assembly import assemble
from query.reconstruct.trace import Trace, TraceSpan
from query.render.jaeger_json import trace_json
from query.render.jaeger_proto import MOST_BYTES, MOST_SPANS, span_message, trace_chunks
from storage.attributes import AttributeValue
from storage.span import Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.jaeger_messages import span_as_json, spans_with_processes
from tests.query.render.test_jaeger_golden import envoy_shared_trace, mixed_trace, otel_trace
from wire import jaeger_model_pb2 as model
from wire.jaeger_query_v2_pb2 import SpansResponseChunk


def read(chunks: list[bytes]) -> list[model.Span]:
    """What a client makes of the stream."""
    return [span for chunk in chunks for span in SpansResponseChunk.FromString(chunk).spans]


def message_of(span: Span, *warnings: str) -> model.Span:
    return span_message(TraceSpan(span, warnings))


@pytest.mark.parametrize("raw", [False, True], ids=["adjusted", "raw"])
@pytest.mark.parametrize("spans", [envoy_shared_trace, otel_trace, mixed_trace, a_zipkin_trace])
def test_a_trace_says_in_protobuf_what_it_says_in_json(spans: Any, raw: bool) -> None:
    trace = assemble(spans(), raw=raw)

    assert [span_as_json(span) for span in read(list(trace_chunks(trace)))] == spans_with_processes(trace_json(trace))


def test_a_bare_span_has_times_and_a_process_for_clients_in_go_take_them_for_granted() -> None:
    message = message_of(a_span(start_ns=None, duration_ns=None, service=None, name=None, events=(Event(0, ""),)))

    assert [field.name for field, _ in message.ListFields()] == [
        "trace_id",
        "span_id",
        "start_time",
        "duration",
        "logs",
        "process",
    ]
    assert message.logs[0].HasField("timestamp")


def test_times_keep_their_nanoseconds_and_are_never_negative() -> None:
    span = a_span(start_ns=TODAY_NS + 1_234_567_891, duration_ns=5_000_000_007, events=(Event(TODAY_NS + 3, "e"),))
    negative = a_span(start_ns=-5, duration_ns=-6, events=(Event(-7, "e"),))

    assert message_of(span).start_time.ToNanoseconds() == TODAY_NS + 1_234_567_891
    assert message_of(span).duration.ToNanoseconds() == 5_000_000_007
    assert message_of(span).logs[0].timestamp.ToNanoseconds() == TODAY_NS + 3
    assert message_of(negative).start_time.ToNanoseconds() == 0
    assert message_of(negative).duration.ToNanoseconds() == 0
    assert message_of(negative).logs[0].timestamp.ToNanoseconds() == 0


def test_ids_are_16_and_8_bytes() -> None:
    message = message_of(a_span(1, 2, parent=1))

    assert (message.trace_id, message.span_id) == (a_trace_id(1), a_span_id(2))
    assert (message.references[0].trace_id, message.references[0].span_id) == (a_trace_id(1), a_span_id(1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", model.KeyValue(v_str="x")),
        ("", model.KeyValue()),
        (True, model.KeyValue(v_type=model.BOOL, v_bool=True)),
        (False, model.KeyValue(v_type=model.BOOL)),
        (-(2**63), model.KeyValue(v_type=model.INT64, v_int64=-(2**63))),
        (2**63 - 1, model.KeyValue(v_type=model.INT64, v_int64=2**63 - 1)),
        (2**63, model.KeyValue(v_str="9223372036854775808")),
        (1.5, model.KeyValue(v_type=model.FLOAT64, v_float64=1.5)),
        (math.inf, model.KeyValue(v_type=model.FLOAT64, v_float64=math.inf)),
        (b"\x00\xff", model.KeyValue(v_type=model.BINARY, v_binary=b"\x00\xff")),
        (["a", 1], model.KeyValue(v_str='["a",1]')),
        ({"k": base64.b64decode("AA==")}, model.KeyValue(v_str='{"k":"AA=="}')),
        (None, model.KeyValue()),
    ],
)
def test_a_tag_keeps_its_type(value: AttributeValue, expected: model.KeyValue) -> None:
    expected.key = "k"

    assert list(message_of(a_span(attributes={"k": value})).tags) == [expected]


def test_nan_stays_nan() -> None:
    """Jaeger's JSON cannot hold it; protobuf can."""
    (tag,) = message_of(a_span(attributes={"k": math.nan})).tags

    assert tag.v_type == model.FLOAT64
    assert math.isnan(tag.v_float64)


def test_what_json_hides_in_an_annotation_cannot_break_the_message() -> None:
    """A lone surrogate and a number beyond 64 bits: JSON text can hold them, a protobuf string and an int64 cannot."""
    annotation = 'e|{"a\\ud800":"b\\udc00c","n":1e300,"l":99999999999999999999}|0'

    (shown,) = assemble([a_zipkin_span(annotations={annotation: TODAY_NS})]).spans
    fields = {field.key: field.v_str for field in span_message(shown).logs[0].fields}

    assert fields == {"event": "e", "a�": "b�c", "n": str(int(1e300)), "l": "99999999999999999999"}


def test_links_follow_the_parent_with_their_types() -> None:
    links = (
        Link(a_trace_id(2), a_span_id(5), attributes={"opentracing.ref_type": "child_of"}),
        Link(a_trace_id(3), a_span_id(6)),
    )

    references = message_of(a_span(span=2, parent=1, links=links)).references

    assert [(one.trace_id, one.ref_type) for one in references] == [
        (a_trace_id(1), model.CHILD_OF),
        (a_trace_id(2), model.CHILD_OF),
        (a_trace_id(3), model.FOLLOWS_FROM),
    ]


def test_warnings_travel_with_the_span() -> None:
    assert list(message_of(a_span(), "one", "two").warnings) == ["one", "two"]


@pytest.mark.parametrize(("spans", "chunks"), [(1, [1]), (10, [10]), (11, [10, 1]), (30, [10, 10, 10])])
def test_a_chunk_holds_ten_spans_as_jaeger_sends_them(spans: int, chunks: list[int]) -> None:
    written = list(trace_chunks(trace_of(*(a_span(span=number) for number in range(1, spans + 1)))))

    assert [len(SpansResponseChunk.FromString(chunk).spans) for chunk in written] == chunks


def test_a_span_larger_than_a_chunk_may_be_goes_alone() -> None:
    large = a_span(span=2, attributes={"body": "x" * MOST_BYTES})

    written = list(trace_chunks(trace_of(a_span(span=1), large, a_span(span=3), a_span(span=4))))

    assert [len(SpansResponseChunk.FromString(chunk).spans) for chunk in written] == [1, 1, 2]


@given(st.lists(st.integers(1, 2_000_000), max_size=40))
def test_chunks_hold_every_span_in_order_within_both_bounds(sizes: list[int]) -> None:
    spans = [a_span(span=number, attributes={"body": "x" * size}) for number, size in enumerate(sizes, 1)]

    written = list(trace_chunks(trace_of(a_span(span=99), *spans)))

    assert all(len(chunk) <= MOST_BYTES for chunk in written)
    read_back = [SpansResponseChunk.FromString(chunk).spans for chunk in written]
    assert all(1 <= len(chunk) <= MOST_SPANS for chunk in read_back)
    assert [span.span_id for chunk in read_back for span in chunk] == [
        a_span_id(99),
        *(span.span_id for span in spans),
    ]


def test_everything_a_span_has_is_there() -> None:
    span = a_span(
        span=2,
        scope=Scope("lib", "1.0"),
        attributes={"a": 1},
        kind=SpanKind.CONSUMER,
        status_code=StatusCode.ERROR,
        status_message="it broke",
        trace_state="k=v",
        resource=Resource({"service.name": "s", "host.name": "h"}),
        service="s",
    )

    message = message_of(span)

    assert [(tag.key, tag.v_str or tag.v_int64 or tag.v_bool) for tag in message.tags] == [
        ("otel.scope.name", "lib"),
        ("otel.scope.version", "1.0"),
        ("a", 1),
        ("span.kind", "consumer"),
        ("otel.status_code", "ERROR"),
        ("error", True),
        ("otel.status_description", "it broke"),
        ("w3c.tracestate", "k=v"),
    ]
    assert message.process == model.Process(service_name="s", tags=[model.KeyValue(key="host.name", v_str="h")])


def trace_of(*spans: Span) -> Trace:
    return Trace(spans[0].trace_id, [TraceSpan(span) for span in spans])
