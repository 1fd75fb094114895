"""How reads of the store went, under the names that Jaeger's two generations have for it (jaeger.md 6)."""

from collections.abc import Iterator

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector as MetricSource

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LABELS = ("operation", "result")


class QueryMetrics(MetricSource):
    """One histogram of reads, shown as v1's jaeger_query_* and as v2's jaeger_storage_*. Any thread."""

    def __init__(self) -> None:
        self._seconds = Histogram(
            "jaeger_query_latency", "Reads of the store.", _LABELS, registry=None, buckets=_SECONDS
        )

    def observe(self, operation: str, result: str, elapsed_s: float) -> None:
        """A read ended. operation: Jaeger's word for it (`find_traces`). result: `ok` or `err`."""
        self._seconds.labels(operation, result).observe(elapsed_s)

    def collect(self) -> Iterator[Metric]:
        """The families; their numbers agree, for they are of one moment."""
        (latency,) = self._seconds.collect()
        yield latency
        yield _renamed(latency, "jaeger_storage_latency_seconds")
        for name in ("jaeger_query_requests", "jaeger_storage_requests"):
            requests = CounterMetricFamily(name, "Reads of the store.", labels=_LABELS)
            for sample in latency.samples:
                if sample.name.endswith("_count"):
                    requests.add_metric([sample.labels[label] for label in _LABELS], sample.value)
            yield requests


def _renamed(family: Metric, name: str) -> Metric:
    renamed = HistogramMetricFamily(name, family.documentation)
    for sample in family.samples:
        renamed.samples.append(sample._replace(name=name + sample.name.removeprefix(family.name)))
    return renamed
