"""What a sender process is asked to do, and what it reports."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Send to `address` (host:port) for `seconds`, over `lanes` connections (Zipkin) or calls in flight (OTLP).

    spans_per_s None: closed loop, each lane sends again as soon as it is answered. Otherwise paced: a request falls
    due at its moment whether or not a lane is free, and its latency counts from that moment.
    """

    address: str
    seconds: float
    lanes: int
    spans_per_s: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class LoadReport:
    """due_s, answered_s: on the monotonic clock all processes share, one of each per acknowledged request.

    refused: answer -> requests that were not acknowledged. unsent: requests that fell due but found no lane before the
    end. cpu_s: what the sender itself used.
    """

    acknowledged_spans: int
    due_s: Seconds
    answered_s: Seconds
    cpu_s: float
    unsent: int
    refused: dict[str, int]


@dataclass(slots=True)
class Tally:
    """A LoadReport while it is being made."""

    spans: int = 0
    due_s: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def acknowledge(self, spans: int, due_s: float, answered_s: float) -> None:
        self.spans += spans
        self.due_s.append(due_s)
        self.answered_s.append(answered_s)

    def refuse(self, answer: str) -> None:
        self.refused[answer] = self.refused.get(answer, 0) + 1

    def report(self, cpu_s: float, unsent: int) -> LoadReport:
        return LoadReport(self.spans, np.array(self.due_s), np.array(self.answered_s), cpu_s, unsent, self.refused)
