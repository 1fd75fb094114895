"""Times and durations as Go prints them."""

import pytest

from query.reconstruct.go_text import duration_text, time_text
from tests.builders import HOUR, MS, SECOND, TODAY_NS, US


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (999, "999ns"),
        (1_500, "1.5µs"),
        (35 * MS, "35ms"),
        (-45 * MS, "-45ms"),
        (1_000_001, "1.000001ms"),
        (SECOND, "1s"),
        (-1500 * MS, "-1.5s"),
        (60 * SECOND, "1m0s"),
        (90 * SECOND + 20 * MS, "1m30.02s"),
        (2 * HOUR + 5 * SECOND, "2h0m5s"),
        (49 * HOUR, "49h0m0s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(duration_ns: int, text: str) -> None:
    assert duration_text(duration_ns) == text


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01 00:00:00 +0000 UTC"),
        (TODAY_NS, "2024-05-05 00:00:00 +0000 UTC"),
        (TODAY_NS + 100 * US, "2024-05-05 00:00:00.0001 +0000 UTC"),
        (TODAY_NS + 1, "2024-05-05 00:00:00.000000001 +0000 UTC"),
        (-1, "1969-12-31 23:59:59.999999999 +0000 UTC"),
    ],
)
def test_a_time_is_written_as_go_writes_it(time_ns: int, text: str) -> None:
    assert time_text(time_ns) == text
