"""Zipkin v1 thrift: the rules of zipkin.md 2.6, and bodies meant to break a reader."""

import contextlib
import struct
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.zipkin_thrift_v1 import decode
from collector.errors import MalformedPayload
from storage.ids import SpanId
from storage.span import Endpoint, Event, Span, SpanKind
from tests.collector.decode.zipkin.v1_reading import spans_of

_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

BOOL, DOUBLE, I16, I32, I64, STRING, STRUCT, MAP, SET, LIST = 2, 4, 6, 8, 10, 11, 12, 13, 14, 15
STOP = b"\0"


def field(kind: int, number: int, value: bytes) -> bytes:
    return struct.pack("!bh", kind, number) + value


def i64(number: int) -> bytes:
    return struct.pack("!q", number)


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!i", len(raw)) + raw


def list_of(*items: bytes, kind: int = STRUCT) -> bytes:
    return struct.pack("!bi", kind, len(items)) + b"".join(items)


def host(service: str = "Shop", ipv4: int = 0x0A000001, port: int = 8080, more: bytes = b"") -> bytes:
    number = struct.pack("!i", ipv4), struct.pack("!H", port)
    return field(I32, 1, number[0]) + field(I16, 2, number[1]) + field(STRING, 3, text(service)) + more + STOP


def annotation(timestamp: int, value: str, endpoint: bytes = b"") -> bytes:
    at = field(STRUCT, 3, endpoint) if endpoint else b""
    return field(I64, 1, i64(timestamp)) + field(STRING, 2, text(value)) + at + STOP


def binary(key: str, value: str | bytes, kind: int, endpoint: bytes = b"") -> bytes:
    at = field(STRUCT, 4, endpoint) if endpoint else b""
    return (
        field(STRING, 1, text(key)) + field(STRING, 2, text(value)) + field(I32, 3, struct.pack("!i", kind)) + at + STOP
    )


IDS = field(I64, 1, i64(10)) + field(I64, 4, i64(11))


def span_with(*fields: bytes) -> Span:
    """The one span of a list whose span has ids and these fields."""
    (span,) = spans_of(list_of(IDS + b"".join(fields) + STOP), decode)
    return span


def refusal(payload: bytes) -> str:
    with pytest.raises(MalformedPayload) as caught:
        decode(payload)
    return str(caught.value)


def test_a_client_span_reads_back_as_v2() -> None:
    span = span_with(
        field(STRING, 3, text("GET")),
        field(I64, 5, i64(12)),
        field(
            LIST,
            6,
            list_of(annotation(1000, "cs", host()), annotation(1500, "x", host()), annotation(3000, "cr", host())),
        ),
        field(
            LIST,
            8,
            list_of(binary("http.path", "/api", 6, host()), binary("sa", b"\x01", 0, host("Bank", 0x0A000002, 9000))),
        ),
        field(BOOL, 9, b"\x01"),
        field(I64, 10, i64(1000)),
        field(I64, 11, i64(2000)),
    )
    assert (span.trace_id[-1], span.span_id[-1], span.parent_span_id) == (10, 11, SpanId((12).to_bytes(8, "big")))
    assert (span.name, span.kind, span.debug, span.service) == ("get", SpanKind.CLIENT, True, "shop")
    assert (span.start_ns, span.duration_ns) == (1_000_000, 2_000_000)
    assert (span.attributes, span.events) == ({"http.path": "/api"}, (Event(1_500_000, "x"),))
    assert (span.local, span.remote) == (
        Endpoint(ipv4="10.0.0.1", port=8080),
        Endpoint(service="bank", ipv4="10.0.0.2", port=9000),
    )


def test_a_trace_id_has_its_high_bits_in_a_field_of_its_own() -> None:
    assert span_with(field(I64, 12, i64(-1))).trace_id.hex() == "f" * 16 + "000000000000000a"


def test_negative_ids_are_their_bits() -> None:
    (span,) = spans_of(list_of(field(I64, 1, i64(-2)) + field(I64, 4, i64(-1)) + STOP), decode)
    assert (span.trace_id.hex(), span.span_id.hex()) == ("0" * 16 + "fffffffffffffffe", "f" * 16)


@pytest.mark.parametrize("first_byte", [12, 11])
def test_a_list_begins_with_the_type_of_its_elements_or_an_old_mistake(first_byte: int) -> None:
    assert len(spans_of(list_of(IDS + STOP, IDS + STOP, kind=first_byte), decode)) == 2


@pytest.mark.parametrize("payload", [b"", list_of()])
def test_nothing_is_no_spans(payload: bytes) -> None:
    assert spans_of(payload, decode) == []


def test_both_sides_in_one_span_become_two() -> None:
    both = list_of(annotation(1000, "cs", host()), annotation(1500, "sr", host("bank")))
    spans = spans_of(list_of(IDS + field(LIST, 6, both) + STOP), decode)
    assert [(span.service, span.kind, span.shared) for span in spans] == [
        ("shop", SpanKind.CLIENT, False),
        ("bank", SpanKind.SERVER, True),
    ]


def test_incomplete_annotations_are_left_out() -> None:
    span = span_with(
        field(LIST, 6, list_of(STOP, field(I64, 1, i64(5)) + STOP, annotation(0, "never"), annotation(7, "kept"))),
        field(LIST, 8, list_of(STOP, field(STRING, 1, text("key")) + STOP, binary("a", "b", 6))),
    )
    assert ([event.name for event in span.events], span.attributes) == (["kept"], {"a": "b"})


def test_binary_annotations_of_other_types_are_left_out() -> None:
    values = [
        binary("bytes", b"\x01", 1),
        binary("i32", b"\0\0\0\1", 3),
        binary("false", b"\0", 0),
        binary("aa", b"\1", 0),
    ]
    assert span_with(field(LIST, 8, list_of(*values))).attributes == {}


def test_an_ipv6_address_is_read_and_an_ipv4_address_of_zero_is_none() -> None:
    v6 = field(STRING, 4, text(bytes.fromhex("20010db8") + bytes(11) + b"\1"))
    span = span_with(field(LIST, 6, list_of(annotation(5, "sr", host(ipv4=0, port=40000, more=v6)))))
    assert span.local == Endpoint(ipv6="2001:db8::1", port=40000)


def test_text_that_is_not_utf_8_has_replacements() -> None:
    assert span_with(field(STRING, 3, text(b"caf\xe9"))).name == "caf\ufffd"


@pytest.mark.parametrize(
    "unknown",
    [
        field(BOOL, 99, b"\1"),
        field(DOUBLE, 99, bytes(8)),
        field(STRING, 99, text("x")),
        field(STRUCT, 99, field(STRUCT, 1, STOP) + STOP),
        field(MAP, 99, struct.pack("!bbi", STRING, I64, 1) + text("k") + i64(1)),
        field(SET, 99, list_of(b"\0\1", kind=I16)),
        field(LIST, 99, list_of(list_of(text("a"), kind=STRING), kind=LIST)),
        field(STRING, 1, text("an id of another type")),
    ],
)
def test_unknown_fields_and_known_ones_of_another_type_are_skipped(unknown: bytes) -> None:
    assert span_with(unknown, field(STRING, 3, text("n"))).name == "n"


def test_missing_ids_refuse_the_list_and_name_the_span() -> None:
    assert refusal(list_of(IDS + STOP, field(I64, 4, i64(1)) + STOP)) == (
        "traceId == 0 reading List<Span> from TBinary, at $[1]"
    )
    assert refusal(list_of(field(I64, 1, i64(1)) + STOP)).startswith("id == 0")


@pytest.mark.parametrize("payload", [b"[", b"\x01\x02\x03\x04", b"\x0a\x01"])
def test_what_is_no_list_is_refused_as_zipkin_does(payload: bytes) -> None:
    assert refusal(payload) == "Expected a THRIFT encoded list\n"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x0c", id="a type alone"),
        pytest.param(b"\x0c\x7f\xff\xff\xff" + IDS, id="2 billion spans"),
        pytest.param(b"\x0c\xff\xff\xff\xff" + IDS, id="a negative number of spans"),
        pytest.param(list_of(IDS + field(STRING, 3, b"\x7f\xff\xff\xff")), id="a name of 2 GB"),
        pytest.param(list_of(IDS + field(STRING, 3, b"\xff\xff\xff\xff")), id="a name of negative length"),
        pytest.param(list_of(IDS + field(LIST, 6, b"\x0c\x7f\xff\xff\xff")), id="2 billion annotations"),
        pytest.param(list_of(IDS + field(LIST, 99, b"\x01\x7f\xff\xff\xff")), id="2 billion elements of no type"),
        pytest.param(list_of(IDS + field(MAP, 99, b"\x01\x01\x7f\xff\xff\xff")), id="2 billion pairs of no type"),
        pytest.param(list_of(IDS + field(1, 99, b"")), id="a field of no type"),
        pytest.param(list_of(IDS), id="no end"),
        pytest.param(list_of(IDS + field(STRUCT, 99, b"\x0c\0\1" * 10_000)), id="deep nesting"),
    ],
)
def test_lengths_and_types_are_not_believed(payload: bytes) -> None:
    tracemalloc.start()
    assert "reading List<Span> from TBinary, at $[0]" in refusal(payload)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1 << 20


def test_millions_of_empty_annotations_take_no_memory() -> None:
    empty = struct.pack("!bi", STRUCT, 1 << 20) + STOP * (1 << 20)
    payload = list_of(IDS + field(LIST, 6, empty) + field(LIST, 8, empty) + STOP)
    tracemalloc.start()
    assert len(spans_of(payload, decode)) == 1
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < len(payload)


_WHOLE = list_of(
    IDS
    + field(STRING, 3, text("get"))
    + field(LIST, 6, list_of(annotation(1000, "cs", host()), annotation(1500, "sr", host("bank"))))
    + field(LIST, 8, list_of(binary("a", "b", 6, host())))
    + STOP
)


@pytest.mark.parametrize("cut", range(1, len(_WHOLE)))
def test_a_body_that_is_cut_is_refused(cut: int) -> None:
    with pytest.raises(MalformedPayload):
        decode(_WHOLE[:cut])


@_untimed
@given(st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_body_ends_in_spans_or_a_refusal_when_bytes_are_changed(changes: list[tuple[int, int]]) -> None:
    payload = bytearray(_WHOLE)
    for place, byte in changes:
        payload[place] = byte
    with contextlib.suppress(MalformedPayload):
        spans_of(bytes(payload), decode)


@_untimed
@given(st.binary(max_size=200))
def test_any_bytes_end_in_spans_or_a_refusal(rest: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        spans_of(b"\x0c" + rest, decode)
