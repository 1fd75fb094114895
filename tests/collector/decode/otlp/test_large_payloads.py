"""Payloads beyond WHOLE_MAX_BYTES are cut into pieces by hand: with the same outcome, and bounded memory."""

import tracemalloc

import pytest

from collector.decode import otlp_proto
from collector.decode.otlp_proto_groups import PIECE_BYTES, WHOLE_MAX_BYTES
from collector.decode.proportions import PARTS_MAX
from collector.errors import MalformedPayload
from tests.collector.decode.otlp.messages import request, span_of
from tests.collector.decode.otlp.traces import comparable, spans_of


def large_request(spans: int = 8000) -> bytes:
    message = request(spans)
    for index in range(spans):
        attribute = span_of(message, index).attributes.add(key="id")
        attribute.value.string_value = f"{index:040d}"
    return bytes(message.SerializeToString())


def test_a_large_payload_decodes_to_every_span_in_order() -> None:
    payload = large_request()
    assert len(payload) > WHOLE_MAX_BYTES + PIECE_BYTES

    spans = spans_of(otlp_proto.decode(payload).columns)

    assert [span.name for span in spans] == [str(index) for index in range(8000)]
    assert {(span.service, span.scope.name) for span in spans} == {("shop", "lib")}


def test_a_large_payload_decodes_as_its_halves_do() -> None:
    first, second = request(4000), request(9000)

    whole = otlp_proto.decode(first.SerializeToString() + second.SerializeToString()).columns
    halves = [otlp_proto.decode(half.SerializeToString()).columns for half in (first, second)]

    assert comparable(whole) == comparable(halves[0]) + comparable(halves[1])


def test_a_bad_span_of_a_large_payload_is_named_by_its_index() -> None:
    message = request(12_000)
    span_of(message, 11_999).span_id = b"short"

    decoded = otlp_proto.decode(message.SerializeToString())

    assert len(decoded.columns) == 11_999
    assert "resourceSpans[0].scopeSpans[0].spans[11999].spanId: expected 8 bytes" in decoded.message


def test_one_span_larger_than_a_piece_is_taken() -> None:
    message = request(3)
    span_of(message, 1).attributes.add(key="prompt").value.string_value = "x" * (WHOLE_MAX_BYTES * 2)

    spans = spans_of(otlp_proto.decode(message.SerializeToString()).columns)

    assert [len(str(span.attributes.get("prompt", ""))) for span in spans] == [0, WHOLE_MAX_BYTES * 2, 0]


def test_unknown_fields_of_any_wire_type_are_passed_over() -> None:
    unknown = b"\x98\x06\x05" + b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4) + b"\x9a\x06\x01x"

    assert len(otlp_proto.decode(unknown + large_request() + unknown).columns) == 8000


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_large_payload_that_is_cut_short_is_refused_whole(cut: int) -> None:
    with pytest.raises(MalformedPayload, match="expected an OTLP ExportTraceServiceRequest as protobuf"):
        otlp_proto.decode(large_request()[:-cut])


@pytest.mark.parametrize("around", [(1, 2, 2), (1, 2), (1,)])
def test_millions_of_empty_messages_are_refused_early(around: tuple[int, ...]) -> None:
    payload = bytes([around[-1] << 3 | 2, 0]) * (4 * 2**20)
    for number in reversed(around[:-1]):
        payload = bytes([number << 3 | 2]) + _length(len(payload)) + payload
    tracemalloc.start()

    with pytest.raises(MalformedPayload, match="expected spans with ids"):
        otlp_proto.decode(payload)

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2 * len(payload)


RESOURCE_SPANS, SCOPE_SPANS, SPANS, EVENTS, LINKS = 1, 2, 2, 11, 13
RESOURCE, SCOPE = 1, 1


@pytest.mark.parametrize(
    ("around", "attributes"),
    [
        pytest.param((RESOURCE_SPANS, SCOPE_SPANS, SPANS), 9, id="span"),
        pytest.param((RESOURCE_SPANS, SCOPE_SPANS, SPANS, EVENTS), 3, id="event"),
        pytest.param((RESOURCE_SPANS, SCOPE_SPANS, SPANS, LINKS), 4, id="link"),
        pytest.param((RESOURCE_SPANS, RESOURCE), 1, id="resource"),
        pytest.param((RESOURCE_SPANS, SCOPE_SPANS, SCOPE), 3, id="scope"),
    ],
)
def test_a_message_of_millions_of_empty_attributes_is_refused(around: tuple[int, ...], attributes: int) -> None:
    payload = bytes([attributes << 3 | 2, 0]) * (4 * 2**20)
    for number in reversed(around):
        payload = bytes([number << 3 | 2]) + _length(len(payload)) + payload

    with pytest.raises(MalformedPayload, match=f"expected at most {PARTS_MAX} fields in a large message"):
        otlp_proto.decode(payload)


def test_an_array_of_more_than_a_megabyte_leaves_its_span_out() -> None:
    message = request(2)
    value = span_of(message).attributes.add(key="array").value
    for _ in range(300_000):
        value.array_value.values.add().bool_value = True

    decoded = otlp_proto.decode(message.SerializeToString())

    assert decoded.rejected == {"malformed_attribute": 1}
    assert len(decoded.columns) == 1


def _length(size: int) -> bytes:
    written = bytearray()
    while size > 0x7F:
        written.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*written, size])
