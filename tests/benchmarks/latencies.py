"""Latencies of many requests in a few numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds; None throughout when nothing was measured. The percentiles are values that occurred."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


def latencies_of(seconds: Sequence[float] | npt.NDArray[np.float64]) -> Latencies:
    """The summary of these latencies."""
    if len(seconds) == 0:
        return Latencies(0, None, None, None, None)
    ms = np.asarray(seconds) * 1000
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(ms, (50, 95, 99), method="higher"))
    return Latencies(len(ms), p50, p95, p99, round(float(ms.max()), 2))
