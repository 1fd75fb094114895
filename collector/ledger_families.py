"""The ledger as Prometheus families: clew's own, and those that Jaeger's and Zipkin's dashboards know.

Only what is cheap and true is given under a peer's name; each is computed when it is asked for, not when spans come.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from collector.ledger import NO_SERVICE, Account, Books, Door

Key = TypeVar("Key", bound=Hashable)

ZIPKIN_TRANSPORTS: Mapping[str, Door] = {"http": Door.ZIPKIN_HTTP, "grpc": Door.ZIPKIN_GRPC}
"""Zipkin's transports."""
_FORMAT_AND_TRANSPORT = {
    Door.ZIPKIN_HTTP: ("zipkin", "http"),
    Door.ZIPKIN_GRPC: ("zipkin", "grpc"),
    Door.OTLP_GRPC: ("otlp", "grpc"),
    Door.OTLP_HTTP: ("otlp", "http"),
    Door.JAEGER_HTTP: ("jaeger", "http"),
    Door.JAEGER_GRPC: ("proto", "grpc"),
    Door.JAEGER_UDP_COMPACT: ("jaeger", "udp"),
    Door.JAEGER_UDP_BINARY: ("jaeger", "udp"),
}
_SAMPLED = "sampled"
Sample = tuple[tuple[str, ...], float]


def clew_families(books: Books) -> Iterator[Metric]:
    """Every entry of the books: see collector.ledger for what each means and how the sums agree."""
    doors = ("door",)
    yield _counter("clew_messages", "Requests with a body.", doors, _by_door(books.messages))
    yield _counter("clew_message_bytes", "Inflated bytes of bodies read.", doors, _by_door(books.message_bytes))
    refused: list[Sample] = [((door, reason), n) for (door, reason), n in books.messages_refused.items()]
    yield _counter("clew_messages_refused", "Requests whose spans were not looked at.", ("door", "reason"), refused)
    yield _counter("clew_spans_received", "Spans found by decoders.", doors, _by_door(books.received))
    rejected: list[Sample] = [((door, reason), n) for (door, reason), n in books.rejected.items()]
    yield _counter("clew_spans_rejected", "Spans not taken.", ("door", "reason"), rejected)
    labels = ("door", "service")
    yield _counter("clew_spans_accepted", "Spans taken.", labels, _by_service(books.accepted))
    yield _counter("clew_spans_stored", "Spans stored.", labels, _by_service(books.stored))
    dropped = _summed(((a.door, a.service, reason), n) for (a, reason), n in books.dropped.items())
    yield _counter("clew_spans_dropped", "Spans taken but not stored.", (*labels, "reason"), dropped)
    yield _gauge("clew_spans_pending", "Spans taken and not yet stored or dropped.", labels, _by_service(books.pending))


def jaeger_families(books: Books, host: str, queue_capacity_spans: float) -> Iterator[Metric]:
    """The names of Jaeger v1's collector. Rejected spans have no known service; sampling is not a loss."""
    received = Counter({_jaeger_labels(account): spans for account, spans in books.accepted.items()})
    rejected: Counter[tuple[str, ...]] = Counter()
    for (door, _), spans in books.rejected.items():
        rejected[_jaeger_labels(Account(door, NO_SERVICE))] += spans
    received.update(rejected)
    labels = ("debug", "format", "svc", "transport")
    yield _counter("jaeger_collector_spans_received", "Spans received.", labels, received.items())
    yield _counter("jaeger_collector_spans_rejected", "Spans rejected.", labels, rejected.items())
    lost = {(account, reason): n for (account, reason), n in books.dropped.items() if reason != _SAMPLED}
    saved = [(_saved_labels(account, "ok"), n) for account, n in books.stored.items()]
    saved += [(_saved_labels(account, "err"), n) for (account, _), n in lost.items()]
    yield _counter(
        "jaeger_collector_spans_saved_by_svc", "Spans stored or lost.", ("debug", "result", "svc"), _summed(saved)
    )
    here = (host,)
    yield _counter("jaeger_collector_spans_dropped", "Spans lost.", ("host",), [(here, sum(lost.values()))])
    pending = sum(books.pending.values())
    yield _gauge("jaeger_collector_queue_length", "Spans before the store.", ("host",), [(here, pending)])
    text = "Spans that fit the queue, which is bounded in bytes, at the mean size so far."
    yield _gauge("jaeger_collector_queue_capacity", text, ("host",), [(here, queue_capacity_spans)])
    services = len({account.service for account in books.accepted})
    yield _gauge("jaeger_collector_spans_serviceNames", "Services seen.", ("host",), [(here, services)])


def zipkin_counters(books: Books, door: Door) -> dict[str, int]:
    """Zipkin's counters of one transport, by their short name, in its order."""
    dropped = sum(n for (account, _), n in books.dropped.items() if account.door == door)
    return {
        "messages": books.messages.get(door, 0),
        "messages_dropped": sum(n for (at, _), n in books.messages_refused.items() if at == door),
        "bytes": books.message_bytes.get(door, 0),
        "spans": books.received.get(door, 0),
        "spans_dropped": dropped + sum(n for (at, _), n in books.rejected.items() if at == door),
    }


def zipkin_gauges(books: Books, door: Door) -> dict[str, int]:
    """Zipkin's gauges of one transport: the size of its last message."""
    return {
        "message_spans": books.last_message_spans.get(door, 0),
        "message_bytes": books.last_message_bytes.get(door, 0),
    }


def zipkin_families(books: Books) -> Iterator[Metric]:
    """`zipkin_collector_*{transport}` (zipkin.md 6.5)."""
    counters = {transport: zipkin_counters(books, door) for transport, door in ZIPKIN_TRANSPORTS.items()}
    gauges = {transport: zipkin_gauges(books, door) for transport, door in ZIPKIN_TRANSPORTS.items()}
    for name in zipkin_counters(books, Door.ZIPKIN_HTTP):
        samples: list[Sample] = [((transport,), values[name]) for transport, values in counters.items()]
        yield _counter(f"zipkin_collector_{name}", "Zipkin's collector metric.", ("transport",), samples)
    for name in zipkin_gauges(books, Door.ZIPKIN_HTTP):
        samples = [((transport,), values[name]) for transport, values in gauges.items()]
        yield _gauge(f"zipkin_collector_{name}", "Zipkin's collector metric.", ("transport",), samples)


def _counter(name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _by_door(numbers: Mapping[Door, int]) -> list[Sample]:
    return [((door,), numbers.get(door, 0)) for door in Door]


def _by_service(tally: Mapping[Account, int]) -> list[Sample]:
    return _summed(((account.door, account.service), spans) for account, spans in tally.items())


def _summed(samples: Iterable[tuple[tuple[str, ...], int]]) -> list[Sample]:
    sums: Counter[tuple[str, ...]] = Counter()
    for labels, number in samples:
        sums[labels] += number
    return list(sums.items())


def _jaeger_labels(account: Account) -> tuple[str, ...]:
    span_format, transport = _FORMAT_AND_TRANSPORT[account.door]
    return (_word(account.debug), span_format, account.service, transport)


def _saved_labels(account: Account, result: str) -> tuple[str, ...]:
    return (_word(account.debug), result, account.service)


def _word(flag: bool) -> str:
    return "true" if flag else "false"
