"""Shapes of ids."""

import pytest

from storage.ids import SpanId, TraceId, low_half, short_hex, span_id_of, trace_id_of


@pytest.mark.parametrize(
    ("text", "hex_form"),
    [
        ("1", "00000000000000000000000000000001"),
        ("48485a3953bb6124", "000000000000000048485a3953bb6124"),
        ("148485a3953bb6124", "0000000000000001" + "48485a3953bb6124"),
        ("463ac35c9f6413ad48485a3953bb6124", "463ac35c9f6413ad48485a3953bb6124"),
        ("ABCDEF", "00000000000000000000000000abcdef"),
    ],
)
def test_trace_id_is_padded_on_the_left_to_16_bytes(text: str, hex_form: str) -> None:
    assert trace_id_of(text).hex() == hex_form


@pytest.mark.parametrize(("text", "hex_form"), [("1", "0000000000000001"), ("ffffffffffffffff", "ffffffffffffffff")])
def test_span_id_is_padded_on_the_left_to_8_bytes(text: str, hex_form: str) -> None:
    assert span_id_of(text).hex() == hex_form


@pytest.mark.parametrize("text", ["", "0" * 33, "xyz", "0x1", "463ac35c-9f64-13ad"])
def test_trace_id_refuses_what_is_not_1_to_32_hex_digits(text: str) -> None:
    with pytest.raises(ValueError):
        trace_id_of(text)


@pytest.mark.parametrize("text", ["", "0" * 17, "g"])
def test_span_id_refuses_what_is_not_1_to_16_hex_digits(text: str) -> None:
    with pytest.raises(ValueError):
        span_id_of(text)


def test_id_error_says_how_long_the_text_was() -> None:
    with pytest.raises(ValueError, match="expected 1 to 32 hex characters, got 33"):
        trace_id_of("1" * 33)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("1", "0000000000000001"),
        ("10000000000000001", "00000000000000010000000000000001"),
        ("f" * 32, "f" * 32),
    ],
)
def test_short_hex_has_16_digits_when_the_high_half_is_zero_else_32(text: str, short: str) -> None:
    assert short_hex(trace_id_of(text)) == short


def test_low_half_is_the_same_for_both_lengths_of_an_id() -> None:
    assert low_half(trace_id_of("463ac35c9f6413ad48485a3953bb6124")) == low_half(trace_id_of("48485a3953bb6124"))


def test_ids_are_plain_bytes() -> None:
    assert isinstance(TraceId(bytes(16)), bytes)
    assert isinstance(SpanId(bytes(8)), bytes)
