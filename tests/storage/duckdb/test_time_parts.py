"""Which tables of sums add up to a window."""

from collections import Counter
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.duckdb.time_parts import Level, Part, parts_of, parts_read, union_of

LEVELS = (Level("minutes", "minute", 1), Level("hours", "hour", 60), Level("days", "day", 1440))
SIZES = {level.table: level.size for level in LEVELS}


def minutes_of(parts: Sequence[Part]) -> Counter[int]:
    """How often each minute is counted."""
    counted: Counter[int] = Counter()
    for part in parts:
        size = SIZES[part.table]
        for minute in range(part.buckets.start * size, part.buckets.stop * size):
            counted[minute] += part.sign
    return counted


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (range(0), []),
        (range(5, 7), [Part("minutes", "minute", range(5, 7))]),
        (range(60, 120), [Part("hours", "hour", range(1, 2))]),
        (
            range(1439, 2881),
            [
                Part("minutes", "minute", range(1439, 1440)),
                Part("minutes", "minute", range(2880, 2881)),
                Part("days", "day", range(1, 2)),
            ],
        ),
        (
            range(-61, 60),
            [Part("minutes", "minute", range(-61, -60)), Part("hours", "hour", range(-1, 1))],
        ),
        pytest.param(
            range(10, 1400),
            [
                Part("minutes", "minute", range(10), -1),
                Part("minutes", "minute", range(1380, 1400)),
                Part("hours", "hour", range(23, 24), -1),
                Part("days", "day", range(1)),
            ],
            id="what_is_missing_of_a_long_bucket_is_taken_off",
        ),
        pytest.param(
            range(20, 40), [Part("minutes", "minute", range(20, 40))], id="no_long_bucket_where_more_would_be_taken_off"
        ),
    ],
)
def test_a_window_is_read_in_long_buckets_where_that_is_less(asked: range, expected: list[Part]) -> None:
    assert parts_of(asked, LEVELS) == expected


@given(st.integers(-3000, 3000), st.integers(0, 6000))
def test_the_parts_of_a_window_count_each_of_its_minutes_once_and_no_other(start: int, length: int) -> None:
    asked = range(start, start + length)

    counted = minutes_of(parts_of(asked, LEVELS))

    assert {minute: times for minute, times in counted.items() if times} == dict.fromkeys(asked, 1)


def test_a_window_beside_which_nothing_is_kept_is_read_to_the_ends_of_long_buckets() -> None:
    connection = duckdb.connect()
    for level in LEVELS:
        connection.execute(f"CREATE TABLE {level.table} ({level.bucket} BIGINT, name VARCHAR, calls INT, errors INT)")
    connection.execute("CREATE TABLE recent (minute BIGINT, name VARCHAR, calls INT, errors INT)")
    connection.execute("INSERT INTO minutes VALUES (700, 'a', 3, 1), (1700, 'a', 4, 0)")
    connection.execute("INSERT INTO hours VALUES (11, 'a', 3, 1), (28, 'a', 4, 0)")
    connection.execute("INSERT INTO days VALUES (0, 'a', 3, 1), (1, 'a', 4, 0)")
    connection.execute("INSERT INTO recent VALUES (1701, 'b', 1, 1), (2000, 'b', 9, 9)")

    now = parts_read(connection, range(600, 1702), "recent", LEVELS)
    before = parts_read(connection, range(600, 1700), "recent", LEVELS)

    assert now == [Part("recent", "minute", range(600, 1702)), Part("days", "day", range(2))]
    assert minutes_of(before[1:])[1700] == 0
    for parts, expected in ((now, {("a", 7, 1), ("b", 1, 1)}), (before, {("a", 3, 1)})):
        text, bounds = union_of(parts, "name")
        found = connection.execute(f"SELECT name, sum(calls), sum(errors) FROM ({text}) GROUP BY ALL", bounds)
        assert {row for row in found.fetchall() if row[1]} == expected
    assert parts_read(connection, range(5, 5), "recent", LEVELS) == []
