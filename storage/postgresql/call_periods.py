"""A CallQuery in whole minutes, ten minutes or hours: the periods that `call_sums` keeps."""

from typing import NamedTuple, Self

import numpy as np

from storage.linking.row_index import Ints
from storage.postgresql.call_scan import LEAST_NS
from storage.postgresql.call_sums import MINUTE_NS, OPERATIONS
from storage.requests import CallQuery


class InPeriods(NamedTuple):
    """A query in periods of so many minutes each. last: the one that its last window ends with."""

    minutes: int
    last: int
    step: int
    window: int
    steps: int

    @classmethod
    def of(cls, query: CallQuery) -> Self | None:
        """In the longest periods that step and window are multiples of; None if they are not of whole minutes."""
        for minutes in reversed(OPERATIONS.minutes):
            period_ns = minutes * MINUTE_NS
            if query.step_ns % period_ns == 0 and query.window_ns % period_ns == 0:
                last, step, window = (each // period_ns for each in (query.end_ns, query.step_ns, query.window_ns))
                return cls(minutes, last, step, window, query.steps)
        return None

    @property
    def first(self) -> int:
        """The period before the first window."""
        return self.last - (self.steps - 1) * self.step - min(self.window, self.step)

    @property
    def after_ns(self) -> int:
        """What calls that any window counts start after."""
        return max(self.first * self.minutes * MINUTE_NS, LEAST_NS)

    @property
    def end_ns(self) -> int:
        """The last moment at which one starts."""
        return self.last * self.minutes * MINUTE_NS

    def counted(self, minute: Ints) -> Ints:
        """The places of those of these minutes, all after `after_ns` and up to `end_ns`, that a window counts."""
        return np.flatnonzero((self.last - OPERATIONS.longer(minute, self.minutes)) % self.step < self.window)

    def steps_of(self, period: Ints) -> Ints:
        """The step, numbered from the oldest, that each period is in."""
        return self.steps - 1 - (self.last - period) // self.step
