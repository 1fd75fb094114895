"""The ledger under the names that Jaeger v2, an OpenTelemetry collector, has for it on 8888.

Computed from the books when they are asked for, like ledger_families; spans are counted once.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, Metric

from collector.ledger import Books, Door

EXPORTER = "jaeger_storage_exporter"
_TRANSPORTS: Mapping[str, str] = {
    "jaeger_collector_grpc": "grpc",
    "jaeger_thrift_http": "collector_http",
    "jaeger_udp_binary": "udp_thrift_binary",
    "jaeger_udp_compact": "udp_thrift_compact",
}
"""Transports of the collector's Jaeger receiver by clew's door; other doors end in theirs."""
_SAMPLED = "sampled"


def otelcol_families(books: Books) -> Iterator[Metric]:
    """Spans that receivers accepted and refused, and that the storage exporter sent or failed to send.

    Sampled out spans are accepted and then in neither of the exporter's, as behind the collector's sampling processor.
    """
    accepted = Counter(dict.fromkeys(books.received, 0))
    for account, spans in books.accepted.items():
        accepted[account.door] += spans
    refused = Counter(dict.fromkeys(books.received, 0))
    for (door, _), spans in books.rejected.items():
        refused[door] += spans
    lost = sum(spans for (_, why), spans in books.dropped.items() if why != _SAMPLED)
    yield _of_receivers("otelcol_receiver_accepted_spans", "Spans taken.", accepted)
    yield _of_receivers("otelcol_receiver_refused_spans", "Spans not taken.", refused)
    yield _of_exporter("otelcol_exporter_sent_spans", "Spans stored.", sum(books.stored.values()))
    yield _of_exporter("otelcol_exporter_send_failed_spans", "Spans taken and not stored.", lost)


def _of_receivers(name: str, text: str, spans_by_door: Mapping[Door, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=("receiver", "transport"))
    for door, spans in spans_by_door.items():
        receiver, _, rest = door.partition("_")
        family.add_metric((receiver, _TRANSPORTS.get(door, rest)), spans)
    return family


def _of_exporter(name: str, text: str, spans: int) -> Metric:
    family = CounterMetricFamily(name, text, labels=("exporter",))
    family.add_metric((EXPORTER,), spans)
    return family
