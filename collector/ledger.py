"""The books of the collector: what became of every span and of every payload.

Spans, for each door, at every moment:

    received = rejected + accepted
    accepted = stored + dropped + pending

- received: spans that a decoder found in a payload, good or bad.
- rejected: never taken. Reasons: what the decoder calls a bad span; `stopping`, `queue_full` when a decoded payload
  was refused because clew is stopping or has no room for it. The sender was told.
- accepted: taken. Sampled out spans count here too: Zipkin's contract answers 202 for them.
- stored: in a commit that the store said is done.
- dropped: taken but not stored. Reasons: `sampled` (COLLECTOR_SAMPLE_RATE), `store_full`, `store_unavailable`,
  `store_error`, `drain_timeout`. Except for `sampled` the sender was told so.
- pending: taken, and the commit is still to come or running.

Payloads: `messages` counts every request with a body to read; those whose spans were never known are
`messages_refused`, by reason (`malformed`, `too_large`, `unsupported`, `queue_full`, `too_slow`, `disconnected`,
`error`). gRPC itself refuses a request over the wire limit; that one is `disconnected` here, as it never came.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from storage.batch import DecodedSpans

MAX_SERVICES = 4000
"""As many services have books of their own (Jaeger's bound); the rest share OTHER_SERVICES."""
OTHER_SERVICES = "other-services"
NO_SERVICE = "__unknown"
MAX_SERVICE_LENGTH = 200
"""A longer name is no metric label; it counts under OTHER_SERVICES."""


class Door(StrEnum):
    """How a payload came in."""

    ZIPKIN_HTTP = "zipkin_http"
    ZIPKIN_GRPC = "zipkin_grpc"
    OTLP_GRPC = "otlp_grpc"
    OTLP_HTTP = "otlp_http"
    JAEGER_HTTP = "jaeger_thrift_http"
    JAEGER_GRPC = "jaeger_collector_grpc"
    JAEGER_UDP_COMPACT = "jaeger_udp_compact"
    JAEGER_UDP_BINARY = "jaeger_udp_binary"


class Account(NamedTuple):
    """Where a number of spans is booked."""

    door: Door
    service: str
    debug: bool = False


Tally = Mapping[Account, int]
"""How many spans belong to each account."""


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger at one moment: totals since the start, except `pending` and the `last_*` sizes."""

    messages: Mapping[Door, int]
    message_bytes: Mapping[Door, int]
    messages_refused: Mapping[tuple[Door, str], int]
    last_message_bytes: Mapping[Door, int]
    last_message_spans: Mapping[Door, int]
    received: Mapping[Door, int]
    rejected: Mapping[tuple[Door, str], int]
    accepted: Tally
    stored: Tally
    dropped: Mapping[tuple[Account, str], int]
    pending: Tally


class Ledger:
    """Counts payloads and spans. Every call may come from any thread; each books one move, wholly or not at all."""

    def __init__(self, max_services: int = MAX_SERVICES) -> None:
        self._lock = threading.Lock()
        self._max_services = max_services
        self._labels: dict[str | None, str] = {None: NO_SERVICE, "": NO_SERVICE}
        self._messages: Counter[Door] = Counter()
        self._message_bytes: Counter[Door] = Counter()
        self._messages_refused: Counter[tuple[Door, str]] = Counter()
        self._last_message_bytes: Counter[Door] = Counter()
        self._last_message_spans: Counter[Door] = Counter()
        self._received: Counter[Door] = Counter()
        self._rejected: Counter[tuple[Door, str]] = Counter()
        self._accepted: Counter[Account] = Counter()
        self._stored: Counter[Account] = Counter()
        self._dropped: Counter[tuple[Account, str]] = Counter()
        self._pending: Counter[Account] = Counter()

    def tally(self, door: Door, spans: DecodedSpans) -> Tally:
        """The accounts of these spans. Books nothing."""
        tally: Counter[Account] = Counter()
        for (service, is_debug), count in spans.census().items():
            tally[self._account(door, service, debug=is_debug)] += count
        return tally

    def message(self, door: Door, size_bytes: int) -> None:
        """A payload was read: its inflated size."""
        with self._lock:
            self._messages[door] += 1
            self._message_bytes[door] += size_bytes
            self._last_message_bytes[door] = size_bytes

    def refuse_message(self, door: Door, reason: str, *, read: bool = True) -> None:
        """A payload was refused before its spans were known. read: whether `message` was called for it."""
        with self._lock:
            self._messages[door] += not read
            self._messages_refused[door, reason] += 1

    def admit(
        self,
        door: Door,
        taken: Tally,
        sampled_out: Tally,
        rejected: Mapping[str, int],
        last_message_spans: int | None = None,
    ) -> None:
        """A payload's spans are received: `taken` are pending now, `sampled_out` are dropped, the bad ones rejected.

        last_message_spans: of several payloads together, how many the last one has.
        """
        with self._lock:
            self._receive(door, sum(taken.values()) + sum(sampled_out.values()), rejected)
            if last_message_spans is not None:
                self._last_message_spans[door] = last_message_spans
            _add(self._accepted, taken)
            _add(self._pending, taken)
            if sampled_out:
                _add(self._accepted, sampled_out)
                self._drop(sampled_out, "sampled")

    def turn_away(self, door: Door, spans: int, reason: str, rejected: Mapping[str, int]) -> None:
        """A payload's spans are received, and the good ones are rejected too, for `reason`."""
        with self._lock:
            self._receive(door, spans, rejected)
            self._rejected[door, reason] += spans

    def settle_stored(self, tallies: list[Tally]) -> None:
        """Pending spans are stored."""
        with self._lock:
            for tally in tallies:
                _add(self._stored, tally)
                _subtract(self._pending, tally)

    def settle_dropped(self, tallies: list[Tally], reason: str) -> None:
        """Pending spans will not be stored."""
        with self._lock:
            for tally in tallies:
                self._drop(tally, reason)
                _subtract(self._pending, tally)

    def books(self) -> Books:
        """Every number, of one and the same moment."""
        with self._lock:
            return Books(
                messages=dict(self._messages),
                message_bytes=dict(self._message_bytes),
                messages_refused=dict(self._messages_refused),
                last_message_bytes=dict(self._last_message_bytes),
                last_message_spans=dict(self._last_message_spans),
                received=dict(self._received),
                rejected=dict(self._rejected),
                accepted=dict(self._accepted),
                stored=dict(self._stored),
                dropped=dict(self._dropped),
                pending=dict(self._pending),
            )

    def _receive(self, door: Door, spans: int, rejected: Mapping[str, int]) -> None:
        self._received[door] += spans
        self._last_message_spans[door] = spans
        for reason, count in rejected.items():
            self._received[door] += count
            self._rejected[door, reason] += count

    def _drop(self, tally: Tally, reason: str) -> None:
        for account, spans in tally.items():
            self._dropped[account, reason] += spans

    def _account(self, door: Door, service: str | None, *, debug: bool) -> Account:
        label = self._labels.get(service)
        if label is None:
            label = self._new_label(service or "")
        return Account(door, label, debug)

    def _new_label(self, service: str) -> str:
        with self._lock:
            if len(service) > MAX_SERVICE_LENGTH or len(self._labels) - 2 >= self._max_services:
                return OTHER_SERVICES
            return self._labels.setdefault(service, service)


def _add(books: Counter[Account], tally: Tally) -> None:
    for account, spans in tally.items():
        books[account] += spans


def _subtract(books: Counter[Account], tally: Tally) -> None:
    for account, spans in tally.items():
        books[account] -= spans
