"""Buckets of durations: accurate at any size, the same in SQL, and merged by adding counts."""

from math import exp

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.calls import quantile
from storage.latency_buckets import (
    BUCKETS,
    RELATIVE_ACCURACY,
    bucket_numbers,
    bucket_sql,
    quantiles_ns,
    upper_bounds_ns,
    values_ns,
)

LONGEST_NS = 2**63 - 1

durations = st.one_of(
    st.integers(0, 200), st.integers(0, LONGEST_NS), st.floats(0, 43.6).map(lambda exponent: int(exp(exponent)))
)


def numbers_of(durations_ns: list[int]) -> npt.NDArray[np.int16]:
    return bucket_numbers(np.array(durations_ns, dtype=np.int64))


@given(durations)
def test_the_value_of_a_bucket_is_close_to_every_duration_in_it(duration_ns: int) -> None:
    (value,) = values_ns(numbers_of([duration_ns]))

    assert value == pytest.approx(duration_ns, rel=RELATIVE_ACCURACY * (1 + 1e-9), abs=0)


@given(durations, durations)
def test_numbers_grow_with_the_duration_within_their_range(one: int, other: int) -> None:
    first, second = numbers_of(sorted((one, other))).tolist()

    assert 0 <= first <= second < BUCKETS


def test_durations_of_0_and_less_have_the_first_bucket_and_the_longest_the_last() -> None:
    assert numbers_of([-(2**63), -1, 0, 1, LONGEST_NS]).tolist() == [0, 0, 0, 1, BUCKETS - 1]
    assert upper_bounds_ns(np.array([0, 1])).tolist() == [0.0, 1.0]


def test_sql_gives_the_same_numbers() -> None:
    draw = np.random.default_rng(1605)
    # Bounds of buckets for longer ones lie closer to whole nanoseconds than logarithms are exact.
    lengths_ns = np.concatenate([np.arange(-2, 5000), np.exp(draw.uniform(0, 27, 100_000)).astype(np.int64)])

    with duckdb.connect() as connection:
        connection.register("given", pa.table({"ns": lengths_ns}))
        found = connection.execute(f"SELECT {bucket_sql('ns')} AS number FROM given").fetchnumpy()["number"]

    assert np.array_equal(found, bucket_numbers(lengths_ns))


def test_sql_has_a_number_for_the_longest_duration() -> None:
    assert duckdb.sql(f"SELECT {bucket_sql(f'{LONGEST_NS}::BIGINT')}").fetchall() == [(BUCKETS - 1,)]


@given(st.lists(st.lists(durations, min_size=1, max_size=30), min_size=1, max_size=5), st.floats(0, 1))
def test_quantiles_are_those_of_the_durations_within_the_accuracy(groups: list[list[int]], fraction: float) -> None:
    rows = sorted((group, number) for group, held in enumerate(groups) for number in numbers_of(held).tolist())
    entries, counts = np.unique(np.array(rows), axis=0, return_counts=True)

    found = quantiles_ns(entries[:, 0], entries[:, 1], counts, fraction)

    expected = [quantile(sorted(held), fraction) for held in groups]
    assert found == pytest.approx(expected, rel=RELATIVE_ACCURACY * (1 + 1e-6), abs=0)


@given(st.lists(durations, min_size=1), st.lists(durations, min_size=1), st.floats(0, 1))
def test_merged_histograms_are_that_of_all_their_durations(one: list[int], other: list[int], fraction: float) -> None:
    buckets = np.sort(np.concatenate([numbers_of(one), numbers_of(other)]))
    together = np.sort(numbers_of(one + other))
    group = np.zeros(len(together), dtype=np.int64)

    merged, whole = (quantiles_ns(group, each, np.ones_like(group), fraction) for each in (buckets, together))

    assert merged.tolist() == whole.tolist()
