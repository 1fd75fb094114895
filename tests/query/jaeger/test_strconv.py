"""Go's readers and their texts."""

import pytest

from query.api.jaeger_strconv import (
    parse_bool,
    parse_duration,
    parse_int,
    parse_trace_id,
    parse_trace_id_or_base64,
)
from tests.builders import MS, SECOND


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("+7", 7), ("-7", -7), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_an_integer_is_read_as_go_reads_it(text: str, number: int) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    ("text", "bits", "refusal"),
    [
        ("x", 64, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("1.5", 64, 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        (" 1", 64, 'strconv.ParseInt: parsing " 1": invalid syntax'),
        ("1_000", 64, 'strconv.ParseInt: parsing "1_000": invalid syntax'),
        ("٣", 64, 'strconv.ParseInt: parsing "٣": invalid syntax'),
        ('"', 64, 'strconv.ParseInt: parsing "\\"": invalid syntax'),
        (str(2**63), 64, f'strconv.ParseInt: parsing "{2**63}": value out of range'),
        (str(2**31), 32, f'strconv.ParseInt: parsing "{2**31}": value out of range'),
        ("9" * 5000, 64, f'strconv.ParseInt: parsing "{"9" * 5000}": value out of range'),
    ],
)
def test_what_is_no_integer_is_refused_with_gos_text(text: str, bits: int, refusal: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_int(text, bits)
    assert str(refused.value) == refusal


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_truth_is_read_as_go_reads_it(text: str) -> None:
    assert parse_bool(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_falsehood_is_read_as_go_reads_it(text: str) -> None:
    assert parse_bool(text) is False


@pytest.mark.parametrize("text", ["yes", "tRUE", " 1"])
def test_what_is_no_truth_value_is_refused_with_gos_text(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_bool(text)
    assert str(refused.value) == f'strconv.ParseBool: parsing "{text}": invalid syntax'


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [("1.5s", 1500 * MS), ("100ms", 100 * MS), ("20us", 20_000), ("20µs", 20_000), ("1h1m", 3660 * SECOND), ("0", 0)],
)
def test_a_duration_is_read_as_go_reads_it(text: str, duration_ns: int) -> None:
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("abc", 'time: invalid duration "abc"'),
        ("-", 'time: invalid duration "-"'),
        (".s", 'time: invalid duration ".s"'),
        ("10", 'time: missing unit in duration "10"'),
        ("1s10", 'time: missing unit in duration "1s10"'),
        ("10x", 'time: unknown unit "x" in duration "10x"'),
        ("1s2 ms", 'time: unknown unit " ms" in duration "1s2 ms"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
        ("1s" * 60, f'time: invalid duration "{"1s" * 60}"'),
    ],
)
def test_what_is_no_duration_is_refused_with_gos_text(text: str, refusal: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_duration(text)
    assert str(refused.value) == refusal


@pytest.mark.parametrize(
    ("text", "padded"),
    [
        ("1", "1"),
        ("00000000000000aa", "aa"),
        ("ABCDEF", "abcdef"),
        ("10000000000000001", "10000000000000001"),
        ("f" * 32, "f" * 32),
    ],
)
def test_a_trace_id_is_padded_on_the_left(text: str, padded: str) -> None:
    assert parse_trace_id(text).hex() == padded.rjust(32, "0")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("xyz", 'strconv.ParseUint: parsing "xyz": invalid syntax'),
        ("0x12", 'strconv.ParseUint: parsing "0x12": invalid syntax'),
        ("a b", 'strconv.ParseUint: parsing "a b": invalid syntax'),
        ("zz" + "0" * 16, 'strconv.ParseUint: parsing "zz": invalid syntax'),
        ("11" + "z" * 16, f'strconv.ParseUint: parsing "{"z" * 16}": invalid syntax'),
        ("1" * 33, f"TraceID cannot be longer than 32 hex characters: {'1' * 33}"),
    ],
)
def test_what_is_no_trace_id_is_refused_with_gos_text(text: str, refusal: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_trace_id(text)
    assert str(refused.value) == refusal


@pytest.mark.parametrize(
    ("text", "padded"),
    [
        ("ab", "ab"),
        ("AAAAAAAAAAAAAAAAAAAAqg==", "aa"),
        ("AAAAAAAAAAAAAAAAAAAAqg", "aa"),
        ("_____________________w==", "f" * 32),
        ("/////////////////////w", "f" * 32),
        ("AAAAAAAAAKo=", "aa"),
    ],
)
def test_a_trace_id_in_a_path_may_be_base64(text: str, padded: str) -> None:
    """Jaeger 2.20: 8 or 16 bytes, of either alphabet, padded or not."""
    assert parse_trace_id_or_base64(text).hex() == padded.rjust(32, "0")


@pytest.mark.parametrize("text", ["qg==", "!", "trace", "z" * 25])
def test_base64_of_another_length_is_refused_as_hex_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"strconv\.ParseUint"):
        parse_trace_id_or_base64(text)
