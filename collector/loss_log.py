"""Warnings about spans that were not stored: each reason at most once an interval, with how many it stands for."""

import logging
import threading
from collections.abc import Callable

from collector.decode.decoded import Decoded

log = logging.getLogger("clew.collector")

INTERVAL_NS = 10 * 10**9


class LossLog:
    """Thread-safe. monotonic_ns: the clock that the interval is measured by."""

    def __init__(self, monotonic_ns: Callable[[], int], interval_ns: int = INTERVAL_NS) -> None:
        self._monotonic_ns = monotonic_ns
        self._interval_ns = interval_ns
        self._lock = threading.Lock()
        self._silent_until_ns: dict[str, int] = {}
        self._unreported: dict[str, int] = {}

    def report(self, reason: str, count: int, cause: object, what: str = "spans") -> None:
        """So many were not stored for `reason`; `cause` says why in words. what: the plural of what they were."""
        with self._lock:
            total = self._unreported.get(reason, 0) + count
            now_ns = self._monotonic_ns()
            quiet = now_ns < self._silent_until_ns.get(reason, now_ns)
            self._unreported[reason] = total if quiet else 0
            if not quiet:
                self._silent_until_ns[reason] = now_ns + self._interval_ns
        if not quiet:
            log.warning("cannot store %d %s (%s): %s", total, what, reason, cause)

    def report_rejected(self, decoded: Decoded) -> None:
        """The spans that a decoder left out, if any, for a door that has no way to tell its sender."""
        if decoded.rejected:
            self.report(", ".join(sorted(decoded.rejected)), sum(decoded.rejected.values()), decoded.message)
