"""Thrift's own cases: real clients' bytes, damaged ones, and lengths that lie."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import jaeger_thrift
from collector.decode.decoded import Decoded
from collector.decode.proportions import LARGE_BYTES
from collector.errors import MalformedPayload
from storage.span import SpanKind, StatusCode
from tests.builders import a_span_id
from tests.collector.decode.jaeger.messages import Sent, binary_packet, compact_packet, spans_of, thrift_body

DATA = Path(__file__).parents[3] / "data"
NODE_BATCH = (DATA / "otelnode-jaeger-thrift-http.bin").read_bytes()
NODE_PACKET = (DATA / "otelnode-jaeger-udp6832.bin").read_bytes()
A_SPAN = Sent(tags=[("http.status_code", 200), ("zoë", "ü"), ("raw", b"\x00")], logs=[(5, [("event", "x")])])
TWO_BILLION = (2**31 - 1).to_bytes(4)

Decode = Callable[[bytes], Decoded]
DOORS: list[tuple[Decode, bytes]] = [
    (jaeger_thrift.decode, thrift_body(A_SPAN)),
    (jaeger_thrift.decode_binary_message, binary_packet(A_SPAN)),
    (jaeger_thrift.decode_compact_message, compact_packet(A_SPAN)),
]


def test_the_batch_of_opentelemetrys_node_exporter_is_read_whole() -> None:
    spans = spans_of(jaeger_thrift.decode(NODE_BATCH))

    assert {span.service for span in spans} == {"frontend"}
    assert (spans[0].name, spans[0].kind) == ("call backend", SpanKind.CLIENT)
    assert (spans[0].status_code, spans[0].status_message) == (StatusCode.ERROR, "boom")
    assert spans[0].attributes["net.peer.port"] == 8080.0
    assert spans[0].events[0].name == "exception"
    assert len(spans) == 4


def test_the_packet_of_opentelemetrys_node_exporter_holds_the_same_spans() -> None:
    by_http, by_udp = (
        spans_of(jaeger_thrift.decode(NODE_BATCH)),
        spans_of(jaeger_thrift.decode_binary_message(NODE_PACKET)),
    )
    assert [span.name for span in by_udp] == [span.name for span in by_http]


def test_a_binary_message_without_a_version_is_read() -> None:
    (span,) = spans_of(jaeger_thrift.decode_binary_message(binary_packet(A_SPAN, strict=False)))
    assert span.span_id == a_span_id(1)


@pytest.mark.parametrize(("decode", "body"), DOORS)
def test_a_payload_that_is_cut_short_anywhere_is_malformed(decode: Decode, body: bytes) -> None:
    for length in range(len(body)):
        with pytest.raises(MalformedPayload):
            decode(body[:length])


@pytest.mark.parametrize(
    ("decode", "body", "said"),
    [
        (jaeger_thrift.decode, b"", "Truncated: length 1 > bytes available 0"),
        (jaeger_thrift.decode, b"\x00", "expected a Batch, got one without process"),
        (jaeger_thrift.decode, b"hello", "expected a Thrift type, got 104"),
        (jaeger_thrift.decode, b"\x0c" * 5000, "expected at most 32 structs and lists inside one another"),
        (jaeger_thrift.decode_binary_message, b"hello", "a length of 1751477356"),
        (jaeger_thrift.decode_binary_message, b"\xff\xff\xff\xff", "a message of Thrift's binary protocol"),
        (jaeger_thrift.decode_compact_message, b"hello", "a message of Thrift's compact protocol"),
        (jaeger_thrift.decode_compact_message, b"\x82\x21" + b"\xff" * 5000, "expected a number of at most 10 bytes"),
        (jaeger_thrift.decode_compact_message, compact_packet(method="emitZipkinBatch"), "got 'emitZipkinBatch'"),
    ],
)
def test_a_payload_that_is_something_else_is_malformed_and_told_why(decode: Decode, body: bytes, said: str) -> None:
    with pytest.raises(MalformedPayload) as caught:
        decode(body)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x0f\x00\x09\x00" + TWO_BILLION, id="a list of two billion elements without a type"),
        pytest.param(b"\x0f\x00\x09\x01" + TWO_BILLION, id="a list of two billion voids"),
        pytest.param(b"\x0f\x00\x02\x0c" + TWO_BILLION, id="two billion spans"),
        pytest.param(b"\x0d\x00\x09\x00\x00" + TWO_BILLION, id="a map of two billion nothings"),
        pytest.param(b"\x0b\x00\x09" + TWO_BILLION, id="a string of two billion bytes"),
        pytest.param(b"\x0b\x00\x09\xff\xff\xff\xff", id="a string of a negative length"),
        pytest.param(b"\x0f\x00\x09\x0a\xff\xff\xff\xff", id="a list of a negative length"),
    ],
)
def test_a_length_that_lies_is_malformed_at_once(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        jaeger_thrift.decode(body + bytes(8))


A_PROCESS = b"\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x01a\x00"
SPANS, LOGS, TAGS = b"\x0f\x00\x02", b"\x0f\x00\x0b", b"\x0f\x00\x0a"


def empty_structs(count: int) -> bytes:
    return b"\x0c" + count.to_bytes(4) + bytes(count)


def the_only_span(fields: bytes) -> bytes:
    return A_PROCESS + SPANS + b"\x0c" + (1).to_bytes(4) + fields + b"\x00\x00"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(A_PROCESS + SPANS + empty_structs(1 << 20) + b"\x00", "for 1048576 structs", id="spans"),
        pytest.param(the_only_span(TAGS + empty_structs(1 << 20)), "at most 16384 structs in a large one", id="tags"),
        pytest.param(the_only_span(LOGS + empty_structs(1 << 20)), "at most 16384 structs in a large one", id="logs"),
        pytest.param(
            b"\x0c\x00\x01\x0f\x00\x02" + empty_structs(1 << 20) + b"\x00" + SPANS + empty_structs(0) + b"\x00",
            "at most 16384 structs in a large one",
            id="tags of the process",
        ),
    ],
)
def test_a_million_empty_structs_are_refused_before_they_take_memory(body: bytes, said: str) -> None:
    tracemalloc.start()
    with pytest.raises(MalformedPayload, match=said):
        jaeger_thrift.decode(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < len(body)


def test_a_few_empty_spans_are_rejected_each() -> None:
    assert jaeger_thrift.decode(A_PROCESS + SPANS + empty_structs(3) + b"\x00").rejected == {"invalid_trace_id": 3}


def test_a_span_larger_than_what_is_judged_is_taken() -> None:
    (span,) = spans_of(jaeger_thrift.decode(thrift_body(Sent(tags=[("prompt", "x" * (4 * LARGE_BYTES))]))))
    assert len(str(span.attributes["prompt"])) == 4 * LARGE_BYTES


def test_the_process_may_come_behind_the_spans() -> None:
    body = thrift_body(A_SPAN)
    spans_at = body.index(SPANS + b"\x0c" + (1).to_bytes(4))

    (span,) = spans_of(jaeger_thrift.decode(body[spans_at:-1] + body[:spans_at] + b"\x00"))

    assert span.service == "frontend"


def test_a_list_of_something_else_than_spans_is_malformed() -> None:
    with pytest.raises(MalformedPayload, match="expected a list of elements of type 12, got 2"):
        jaeger_thrift.decode(A_PROCESS + SPANS + b"\x02\x00\x00\x00\x01\x01\x00")


def test_unknown_fields_of_every_type_are_skipped() -> None:
    unknown = (
        b"\x02\x00\x50\x01"
        b"\x03\x00\x51\x07"
        b"\x04\x00\x52" + bytes(8) + b"\x06\x00\x53\x00\x01"
        b"\x08\x00\x54\x00\x00\x00\x01"
        b"\x0a\x00\x55" + bytes(8) + b"\x0b\x00\x56\x00\x00\x00\x01x"
        b"\x0c\x00\x57\x00"
        b"\x0d\x00\x58\x0b\x08\x00\x00\x00\x01\x00\x00\x00\x01k\x00\x00\x00\x02"
        b"\x0e\x00\x59\x0a\x00\x00\x00\x01" + bytes(8) + b"\x0f\x00\x5a\x0c\x00\x00\x00\x02\x00\x00"
    )
    assert len(jaeger_thrift.decode(unknown + thrift_body(A_SPAN)).columns) == 1


def test_text_that_is_not_utf8_is_kept_as_bytes() -> None:
    body = thrift_body(Sent(name="NAME", tags=[("KEYS", "v"), ("k", "TEXT")]), service="SERV")
    for word, raw in ((b"NAME", b"n\xff\xff\xff"), (b"KEYS", b"k\xff\xff\xff"), (b"TEXT", b"t\xff\xff\xff")):
        body = body.replace(word, raw)

    (span,) = spans_of(jaeger_thrift.decode(body))

    assert span.name == "invalid-span-name"
    assert span.attributes == {
        "k": b"t\xff\xff\xff",
        "invalid-span-name": b"n\xff\xff\xff",
        "invalid-tag-key-1": b"k\xff\xff\xff:v",
    }


def test_times_beyond_the_year_2262_are_held_at_the_last_that_fits() -> None:
    (span,) = spans_of(jaeger_thrift.decode(thrift_body(Sent(start_us=2**63 - 1, duration_us=-(2**63)))))
    assert (span.start_ns, span.duration_ns) == (2**63 - 1, 1 - 2**63)


def test_a_compact_list_of_another_type_is_malformed() -> None:
    packet = compact_packet(A_SPAN)
    spans_head = packet.index(b"\x19\x1c") + 1
    with pytest.raises(MalformedPayload, match="expected a list of elements of type 12"):
        jaeger_thrift.decode_compact_message(packet[:spans_head] + b"\x18" + packet[spans_head + 1 :])


@given(data=st.data())
@pytest.mark.parametrize(("decode", "body"), DOORS)
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(
    decode: Decode, body: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(damaged))
    except MalformedPayload:
        return
    decoded.columns.to_batch(0)


@given(st.binary(max_size=200))
@pytest.mark.parametrize("decode", [decode for decode, _ in DOORS])
def test_garbage_is_refused(decode: Decode, body: bytes) -> None:
    try:
        decoded = decode(body)
    except MalformedPayload:
        return
    assert len(decoded.columns) == 0
