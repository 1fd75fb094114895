"""Whatever the bytes, a decoder answers with columns of one length or MalformedPayload, never with anything else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.decode import otlp_json, otlp_proto
from collector.decode.decoded import Decoded
from collector.errors import MalformedPayload
from tests.collector.decode.otlp.traces import spans_of

DATA = Path(__file__).parents[3] / "data"
Decoder = Callable[[bytes], Decoded]
CAPTURES: list[tuple[Decoder, str]] = [
    (otlp_proto.decode, "otelpy-grpc.bin"),
    (otlp_proto.decode, "otelnode-proto.bin"),
    (otlp_proto.decode, "envoy-otlp-grpc-0006.bin"),
    (otlp_json.decode, "otelpy-http-json.json"),
    (otlp_json.decode, "otelnode-json.json"),
]


def is_decoded_or_refused(decode: Decoder, payload: bytes) -> bool:
    """Whether the answer is columns that a store can take, or a refusal that says why."""
    try:
        columns = decode(payload).columns
    except MalformedPayload as refusal:
        return "expected" in str(refusal)
    return len(columns.to_batch(received_ns=0)) == len(columns)


@settings(max_examples=150, deadline=None)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    assert is_decoded_or_refused(otlp_proto.decode, payload)
    assert is_decoded_or_refused(otlp_json.decode, payload)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=60), number=st.integers(1, 16))
def test_any_bytes_inside_a_span_leave_the_next_span_unharmed(raw: bytes, number: int) -> None:
    ids = _field(1, b"t" * 16) + _field(2, b"s" * 8)
    spans = _field(2, ids + _field(number, raw)) + _field(2, ids + _field(5, b"next"))

    decoded = otlp_proto.decode(_field(1, _field(2, spans)))

    assert spans_of(decoded.columns)[-1].name == "next"
    assert len(decoded.columns) + sum(decoded.rejected.values()) == 2


@pytest.mark.parametrize(("decode", "name"), CAPTURES)
def test_a_truncated_body_is_decoded_or_refused(decode: Decoder, name: str) -> None:
    body = (DATA / name).read_bytes()

    assert all(is_decoded_or_refused(decode, body[:size]) for size in range(0, len(body), 7))


@pytest.mark.parametrize(("decode", "name"), CAPTURES)
@settings(max_examples=60, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 7)), min_size=1, max_size=4))
def test_a_body_with_flipped_bits_is_decoded_or_refused(
    decode: Decoder, name: str, flips: list[tuple[int, int]]
) -> None:
    body = bytearray((DATA / name).read_bytes())
    for position, bit in flips:
        body[position % len(body)] ^= 1 << bit

    assert is_decoded_or_refused(decode, bytes(body))


def _field(number: int, content: bytes) -> bytes:
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])) + bytes([len(content)]) + content
