import random

import pytest

from collector.sampling import kept_rows, sampled
from storage.batch import SpanColumns
from storage.ids import TraceId
from tests.builders import a_span

MAX_LONG = 2**63 - 1


def columns_with(*low_halves: int, debug: bool = False, high: int = 0) -> SpanColumns:
    columns = SpanColumns()
    for number in low_halves:
        trace_id = TraceId((high << 64 | number % 2**64).to_bytes(16, "big"))
        columns.append(a_span(trace_id, debug=debug, attributes={"n": str(number)}))
    return columns


@pytest.mark.parametrize(
    ("low_half", "rate", "kept"),
    [
        (1, 0.5, True),
        (-1, 0.5, True),
        (MAX_LONG, 0.5, False),
        (-MAX_LONG, 0.5, False),
        (2**62 - 1, 0.5, True),
        (-(2**62) + 1, 0.5, True),
        (2**62 + 1, 0.5, False),
        (MAX_LONG, 1.0, True),
        (-(2**63), 1.0, True),
        (-(2**63), 0.99, False),
        (1, 0.0, False),
    ],
)
def test_sampler_keeps_by_the_absolute_value_of_the_low_64_bits(low_half: int, rate: float, kept: bool) -> None:
    # zipkin.md 6.3; the number without an absolute value counts as the largest.
    assert kept_rows(columns_with(low_half), rate) == ([0] if kept else [])


def test_sampler_ignores_the_high_64_bits() -> None:
    assert kept_rows(columns_with(1, high=MAX_LONG), 0.1) == [0]


def test_sampler_keeps_debug_spans_at_any_rate() -> None:
    assert kept_rows(columns_with(MAX_LONG, debug=True), 0.0) == [0]


def test_sampler_keeps_about_the_share_it_is_told() -> None:
    # zipkin.md 6.3: within 3 % at 0.1
    chance = random.Random(7)
    columns = SpanColumns()
    columns.trace_id = [chance.randbytes(16) for _ in range(100_000)]
    assert len(kept_rows(columns, 0.1)) == pytest.approx(10_000, rel=0.03)


def test_sampled_gives_the_very_columns_back_when_all_are_kept() -> None:
    columns = columns_with(1, 2)
    assert sampled(columns, 1.0)[0] is columns
    assert sampled(columns, 0.5)[0] is columns


def test_sampled_parts_the_spans_with_all_their_values() -> None:
    columns = columns_with(1, MAX_LONG, 2)
    columns.set_sparse("flags", 1, 7)
    columns.set_sparse("flags", 2, 8)
    kept, left_out = sampled(columns, 0.5)
    everything = list(columns.to_batch(5).rows())
    assert list(kept.to_batch(5).rows()) == [everything[0], everything[2]]
    assert list(left_out.to_batch(5).rows()) == [everything[1]]
