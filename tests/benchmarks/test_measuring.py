"""What the benchmark computes from what it saw."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from tests.benchmarks.ingest_results import Stream, stream_result
from tests.benchmarks.latencies import Latencies, latencies_of
from tests.benchmarks.load_plan import LoadReport
from tests.benchmarks.pacing import Pacer
from tests.benchmarks.server_watch import Checkpoint


def test_latencies_are_values_that_occurred() -> None:
    assert latencies_of([number / 1000 for number in range(1, 101)]) == Latencies(100, 51.0, 96.0, 100.0, 100.0)


def test_latencies_are_none_when_nothing_was_measured() -> None:
    assert latencies_of([]) == Latencies(0, None, None, None, None)


@pytest.mark.parametrize(
    ("due_s", "answered_s", "through"),
    [
        (1.0, 1.5, False),
        (1.0, 2.1, True),
        (2.1, 2.2, True),
        (2.9, 3.5, True),
        (1.0, 4.0, True),
        (3.1, 3.2, False),
    ],
)
def test_request_went_through_a_checkpoint_when_it_was_in_flight_during_it(
    due_s: float, answered_s: float, through: bool
) -> None:
    report = LoadReport(5, np.array([due_s]), np.array([answered_s]), 0.0, 0, {})
    result = stream_result(Stream("zipkin", 1, None), report, 1.0, [Checkpoint(2.0, 3.0)])
    assert (result.ack_through_checkpoints.count, result.ack_between_checkpoints.count) == (through, not through)


def _clock_s() -> Callable[[], float]:
    """A clock that goes on by half a millisecond each time it is read."""
    ticks = itertools.count()
    return lambda: next(ticks) / 2000


async def test_paced_requests_fall_due_at_even_intervals_and_wait_for_a_lane() -> None:
    dues: list[float] = []
    busy: Counter[int] = Counter()

    async def send(lane: int, due_s: float) -> None:
        busy[lane] += 1
        assert busy[lane] == 1
        dues.append(due_s)
        await asyncio.sleep(0)
        busy[lane] -= 1

    unsent = await Pacer(0.2, 500, _clock_s()).run(4, send)
    assert np.allclose(np.diff(dues), 1 / 500)
    assert 0 < len(dues) + unsent <= 101


async def test_closed_loop_keeps_every_lane_busy_with_one_request() -> None:
    sent: Counter[int] = Counter()

    async def send(lane: int, due_s: float) -> None:
        sent[lane] += 1
        await asyncio.sleep(0)

    unsent = await Pacer(0.1, None, _clock_s()).run(3, send)
    assert set(sent) == {0, 1, 2}
    assert min(sent.values()) > 1
    assert unsent == 0
