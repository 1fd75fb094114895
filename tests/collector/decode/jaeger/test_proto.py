"""Protobuf's own cases: reference sections 1.4 and 4."""

from contextlib import suppress

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import jaeger_proto
from collector.errors import MalformedPayload
from storage.span import Span
from tests.builders import a_short_trace_id, a_span_id, a_trace_id
from tests.collector.decode.jaeger.messages import Sent, proto_body, spans_of
from wire.jaeger_collector_pb2 import PostSpansRequest
from wire.jaeger_model_pb2 import Batch, KeyValue, Process, SpanRef
from wire.jaeger_model_pb2 import Span as SpanMessage

GO_ZERO_TIME = Timestamp(seconds=-62_135_596_800)


def a_message(trace_id: bytes = a_trace_id(1), span_id: bytes = a_span_id(1)) -> SpanMessage:
    return SpanMessage(trace_id=trace_id, span_id=span_id, operation_name="get")


def decoded(*spans: SpanMessage, process: Process | None = None) -> list[Span]:
    request = PostSpansRequest(batch=Batch(spans=spans, process=process))
    return spans_of(jaeger_proto.decode(request.SerializeToString()))


def test_a_span_without_a_process_has_the_batchs() -> None:
    own = a_message()
    own.process.service_name = "own"

    spans = decoded(own, a_message(), process=Process(service_name="shared", tags=[KeyValue(key="a", v_str="b")]))

    assert [span.service for span in spans] == ["own", "shared"]
    assert spans[1].resource.attributes == {"service.name": "shared", "a": "b"}


def test_a_span_without_any_process_is_called_as_jaeger_calls_it() -> None:
    (span,) = decoded(a_message())
    assert (span.service, span.resource.attributes) == ("null-process-and-service-name", {})


def test_gos_zero_time_is_an_absent_start() -> None:
    message = a_message()
    message.start_time.CopyFrom(GO_ZERO_TIME)
    (span,) = decoded(message)
    assert span.start_ns is None


def test_times_keep_their_nanoseconds() -> None:
    message = a_message()
    message.start_time.FromNanoseconds(1_700_000_000_123_456_789)
    message.duration.FromNanoseconds(-7)
    (span,) = decoded(message)
    assert (span.start_ns, span.duration_ns) == (1_700_000_000_123_456_789, -7)


def test_a_trace_id_of_8_bytes_is_padded() -> None:
    (span,) = decoded(a_message(trace_id=a_short_trace_id(7)[8:]))
    assert span.trace_id == a_short_trace_id(7)


def test_warnings_are_the_attribute_that_jaeger_passes_them_in() -> None:
    message = a_message()
    message.warnings.extend(["late", "odd"])
    (span,) = decoded(message)
    assert span.attributes == {"@jaeger@warnings": ["late", "odd"]}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (a_message(trace_id=b"\x01" * 5), "invalid_trace_id"),
        (a_message(trace_id=b""), "invalid_trace_id"),
        (a_message(span_id=b"\x01" * 9), "invalid_span_id"),
        (
            SpanMessage(
                trace_id=a_trace_id(1), span_id=a_span_id(1), references=[SpanRef(trace_id=b"1", span_id=b"2")]
            ),
            "malformed_link",
        ),
    ],
)
def test_a_span_with_ids_of_another_length_is_rejected_alone(broken: SpanMessage, reason: str) -> None:
    request = PostSpansRequest(batch=Batch(spans=[broken, a_message()]))

    found = jaeger_proto.decode(request.SerializeToString())

    assert found.rejected == {reason: 1}
    assert len(spans_of(found)) == 1


def test_text_that_is_not_utf8_is_kept_as_bytes_and_refuses_nothing() -> None:
    body = proto_body(Sent(name="NAME", tags=[("KEYS", "v"), ("k", "TEXT")]), service="SERV")
    for word, raw in ((b"NAME", b"n\xff\xff\xff"), (b"KEYS", b"k\xff\xff\xff"), (b"TEXT", b"t\xff\xff\xff")):
        body = body.replace(word, raw)

    (span,) = spans_of(jaeger_proto.decode(body))

    assert span.name == "invalid-span-name"
    assert span.attributes == {
        "k": b"t\xff\xff\xff",
        "invalid-span-name": b"n\xff\xff\xff",
        "invalid-tag-key-1": b"k\xff\xff\xff:v",
    }


def test_an_empty_request_has_no_spans() -> None:
    assert len(jaeger_proto.decode(b"").columns) == 0


@pytest.mark.parametrize("body", [b"hello", proto_body(Sent())[:-1]])
def test_something_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload, match=r"expected jaeger\.api_v2\.PostSpansRequest"):
        jaeger_proto.decode(body)


def test_a_process_that_is_none_is_malformed() -> None:
    batch_with_an_empty_span_and_a_broken_process = b"\x0a\x06\x0a\x00\x12\x02\xff\xff"
    with pytest.raises(MalformedPayload):
        jaeger_proto.decode(batch_with_an_empty_span_and_a_broken_process)


def framed(number: int, content: bytes) -> bytes:
    tag = number << 3 | 2
    return KeyValue(v_binary=content).SerializeToString().replace(b"\x3a", bytes([tag]), 1)


BATCH, SPANS, PROCESS, TAGS, LOGS, FIELDS = 1, 1, 2, 8, 9, 2
EMPTY_SPANS, EMPTY_TAGS = b"\x0a\x00" * 2**20, b"\x42\x00" * 2**20
EMPTY_FIELDS = b"\x12\x00" * 2**20


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        pytest.param(EMPTY_SPANS, "expected spans with ids, got 4097 messages", id="spans"),
        pytest.param(framed(SPANS, EMPTY_TAGS), "at most 16384 fields in a large message", id="tags"),
        pytest.param(framed(SPANS, framed(LOGS, EMPTY_FIELDS)), "at most 16384 fields in a large message", id="log"),
        pytest.param(
            b"\x0a\x00" + framed(PROCESS, EMPTY_FIELDS), "at most 16384 fields in a large message", id="process"
        ),
    ],
)
def test_a_million_empty_messages_are_refused(batch: bytes, said: str) -> None:
    body = framed(BATCH, batch)
    with pytest.raises(MalformedPayload, match=said):
        jaeger_proto.decode(body)


def test_a_batch_in_parts_is_one_batch() -> None:
    first = proto_body(Sent(span_id=a_span_id(1)), service="first")
    second = proto_body(Sent(span_id=a_span_id(2)), service="second")
    spans = spans_of(jaeger_proto.decode(first + second))
    assert [(span.span_id, span.service) for span in spans] == [(a_span_id(1), "second"), (a_span_id(2), "second")]


@given(st.binary(max_size=300))
def test_garbage_is_decoded_or_refused_and_nothing_else(body: bytes) -> None:
    with suppress(MalformedPayload):
        jaeger_proto.decode(body).columns.to_batch(0)
