"""The collector's metrics: one Prometheus registry, and the JSON of Zipkin's GET /metrics."""

import socket
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as MetricSource

from collector.budget import ByteBudget
from collector.http_requests import HttpRequests
from collector.ledger import Books, Ledger
from collector.ledger_families import (
    ZIPKIN_TRANSPORTS,
    clew_families,
    jaeger_families,
    zipkin_counters,
    zipkin_families,
    zipkin_gauges,
)
from collector.otelcol_families import otelcol_families
from collector.pipeline import Commit

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
_SPANS = (1, 10, 100, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000)
_NOMINAL_SPAN_BYTES = 1024
"""What a span is taken to weigh until the first one came: Envoy's do."""


class CollectorMetrics:
    """Owns the registry; other parts of the process may add to it. Any thread may ask."""

    def __init__(self, ledger: Ledger, budget: ByteBudget, version: str, host: str | None = None) -> None:
        self._ledger = ledger
        self.registry = CollectorRegistry()
        self.http_requests = HttpRequests(self.registry)
        self.registry.register(_BooksSource(ledger, budget, version, host or socket.gethostname()))
        ProcessCollector(registry=self.registry)
        self._commits = Counter(
            "clew_commits", "Commits that ended, by result: ok or why not.", ("result",), registry=self.registry
        )
        self._commit_s = Histogram(
            "clew_commit_seconds", "From merging to durable.", registry=self.registry, buckets=_SECONDS
        )
        self._oldest_wait_s = Histogram(
            "clew_commit_oldest_wait_seconds",
            "How long the first payload of each commit waited for its answer.",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._commit_spans = Histogram(
            "clew_commit_spans", "Spans in a commit.", registry=self.registry, buckets=_SPANS
        )
        self._save_s = Histogram(
            "jaeger_collector_save_latency", "Seconds a commit took.", registry=self.registry, buckets=_SECONDS
        )
        self._expired = Counter("clew_spans_expired", "Stored spans that retention let go.", registry=self.registry)

    def on_commit(self, commit: Commit) -> None:
        """A commit ended."""
        self._commits.labels(commit.failure or "ok").inc()
        self._commit_s.observe(commit.duration_ns / 1e9)
        self._save_s.observe(commit.duration_ns / 1e9)
        self._oldest_wait_s.observe(commit.oldest_wait_ns / 1e9)
        self._commit_spans.observe(commit.spans)

    def on_maintenance(self, dropped_spans: int) -> None:
        """A round of the store's upkeep let so many spans go."""
        self._expired.inc(dropped_spans)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format, to be sent as CONTENT_TYPE. For a thread: 1 s for 4000 services."""
        return generate_latest(self.registry)

    def zipkin_metrics(self) -> dict[str, float]:
        """The 14 keys of Zipkin's GET /metrics: `counter.<name>.<transport>` and `gauge.<name>.<transport>`."""
        books = self._ledger.books()
        found: dict[str, float] = {}
        for transport, door in ZIPKIN_TRANSPORTS.items():
            for name, number in zipkin_counters(books, door).items():
                found[f"counter.zipkin_collector.{name}.{transport}"] = float(number)
            for name, number in zipkin_gauges(books, door).items():
                found[f"gauge.zipkin_collector.{name}.{transport}"] = float(number)
        return found


class _BooksSource(MetricSource):
    """Reads the ledger once for each exposition, so that its sums agree in it."""

    def __init__(self, ledger: Ledger, budget: ByteBudget, version: str, host: str) -> None:
        self._ledger = ledger
        self._budget = budget
        self._version = version
        self._host = host

    def collect(self) -> Iterator[Metric]:
        books = self._ledger.books()
        capacity_bytes = self._budget.capacity_bytes
        yield from clew_families(books)
        yield from jaeger_families(books, self._host, capacity_bytes // _mean_span_bytes(books))
        yield from zipkin_families(books)
        yield from otelcol_families(books)
        yield GaugeMetricFamily("clew_queue_bytes", "Bytes of payloads before the store.", self._budget.used_bytes)
        yield GaugeMetricFamily("clew_queue_capacity_bytes", "Bytes that may wait (CLEW_QUEUE_BYTES).", capacity_bytes)
        clew = GaugeMetricFamily("clew_build_info", "The running clew.", labels=("version",))
        clew.add_metric((self._version,), 1)
        yield clew
        jaeger = GaugeMetricFamily(
            "jaeger_build_info", "The running clew, under Jaeger's name.", labels=("build_date", "revision", "version")
        )
        jaeger.add_metric(("", "", self._version), 1)
        yield jaeger


def _mean_span_bytes(books: Books) -> int:
    spans = sum(books.received.values())
    return max(1, sum(books.message_bytes.values()) // spans) if spans else _NOMINAL_SPAN_BYTES
