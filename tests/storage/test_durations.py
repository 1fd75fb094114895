"""Go's durations, with days besides."""

import pytest

from storage.durations import go_duration, parse_duration_ns


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("0", 0),
        ("0s", 0),
        ("1ns", 1),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("1μs", 1_000),
        ("100ms", 100_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("1h30m", 5_400 * 10**9),
        ("168h", 604_800 * 10**9),
        ("7d", 604_800 * 10**9),
        ("1d12h", 129_600 * 10**9),
        ("+2s", 2 * 10**9),
        ("-1.5h", -5_400 * 10**9),
        ("0.1s", 100_000_000),
        ("9007199254740993ns", 9_007_199_254_740_993),
        ("1m1m", 120 * 10**9),
    ],
)
def test_a_duration_is_read_to_the_nanosecond(text: str, duration_ns: int) -> None:
    assert parse_duration_ns(text) == duration_ns


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1 s", " 1s", "1s ", "1,5s", "1S", "1w", "--1s", "1h30", "one", ".s", "1e3s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration with a unit"):
        parse_duration_ns(text)


def test_the_error_names_what_came() -> None:
    with pytest.raises(ValueError, match="'1 parsec'"):
        parse_duration_ns("1 parsec")


def test_an_endless_text_is_refused_without_being_echoed_whole() -> None:
    with pytest.raises(ValueError) as refusal:
        parse_duration_ns("1s" * 10_000)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (10**9, "1s"),
        (1_050_000_000, "1.05s"),
        (62_300_000_000, "1m2.3s"),
        (72 * 3600 * 10**9, "72h0m0s"),
        (3_600_000_000_001, "1h0m0.000000001s"),
    ],
)
def test_a_duration_is_printed_as_go_prints_it_and_reads_back(duration_ns: int, text: str) -> None:
    assert go_duration(duration_ns) == text
    assert parse_duration_ns(text) == duration_ns
