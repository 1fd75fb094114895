"""Senders that say one format and send another: counted, and told of in the log now and then.

Zipkin refuses such a body, and a mesh whose collectorEndpoint was /zipkin/api/v1/spans with v2 bodies lost every span.
"""

import logging
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

from collector.decode.zipkin_formats import ZipkinFormat

log = logging.getLogger("clew.collector")

INTERVAL_NS = 60 * 10**9
"""A sender that is wrong is wrong with every body; one line in this time says so for each pair of formats."""
_SHOWN_CHARACTERS = 200


class MistakenFormats:
    """Lives on the event loop: no call may come from another thread."""

    def __init__(self, registry: CollectorRegistry, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._silent_until_ns: dict[tuple[ZipkinFormat, ZipkinFormat], int] = {}
        self._bodies = Counter(
            "clew_zipkin_mistaken_formats",
            "Bodies in another format than their path and content type said, decoded for what they were.",
            ("declared", "actual"),
            registry=registry,
        )

    def note(self, declared: ZipkinFormat, actual: ZipkinFormat, path: str, sender: str) -> None:
        """A body came from `sender` to `path`, declared as one format, and is decoded as the other."""
        self._bodies.labels(declared, actual).inc()
        now_ns = self._monotonic_ns()
        pair = (declared, actual)
        if now_ns < self._silent_until_ns.get(pair, now_ns):
            return
        self._silent_until_ns[pair] = now_ns + INTERVAL_NS
        log.warning(
            "%s posts %s spans to %r, which with its content type says %s; decoded as %s all the same",
            sender,
            actual,
            path[:_SHOWN_CHARACTERS],
            declared,
            actual,
        )
