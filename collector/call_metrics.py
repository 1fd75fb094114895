"""Calls as Prometheus counters and histograms, under the names that Grafana Tempo's metrics-generator gives them.

Grafana's service graph and its span metrics ask for these. The store tells what it counts (`storage.reported_calls`);
nothing is counted a second time here. Source: Tempo, modules/generator/processor/{servicegraphs,spanmetrics}.
"""

from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector as MetricSource

from storage.calls import OTHER_OPERATIONS
from storage.latency_buckets import BUCKETS, values_ns
from storage.linking.graph_rows import NAMED_SERVICE
from storage.requests import NodeKind
from storage.span import SpanKind, StatusCode

BOUNDS_S = tuple(0.002 * 2**power for power in range(14))
"""Upper bounds of the histograms, those of Tempo's span metrics: 2 ms to 16 s."""
OTHER_SERVICES = "other-services"
"""As Jaeger names, in a label, the services that are too many for labels of their own."""

_SPAN_LABELS = ("service", "span_name", "span_kind", "status_code")
_EDGE_LABELS = ("client", "server", "connection_type")
_SPAN_KINDS = pa.array([f"SPAN_KIND_{kind.name}" for kind in SpanKind])
_STATUS_CODES = pa.array([f"STATUS_CODE_{code.name}" for code in StatusCode])
_CONNECTIONS: dict[int, str] = {
    NodeKind.SERVICE: "",
    NodeKind.DATABASE: "database",
    NodeKind.QUEUE: "messaging_system",
    NodeKind.EXTERNAL: "virtual_node",
    NAMED_SERVICE: "virtual_node",
}
_CONNECTION_OF_KIND = pa.array([_CONNECTIONS[kind] for kind in range(len(_CONNECTIONS))])
_PLACE_OF_BUCKET = np.searchsorted(np.array(BOUNDS_S) * 1e9, values_ns(np.arange(BUCKETS)))
_SECONDS_OF_BUCKET = values_ns(np.arange(BUCKETS)) / 1e9
_SEPARATOR = "\x1f"

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


class CallMetrics(MetricSource):
    """A CallObserver that is read as Prometheus families. Any thread may read.

    most_series: how many operations, services and edges have labels of their own, each; the calls of others are
    counted as OTHER_OPERATIONS of their service and kind, as OTHER_SERVICES, and in clew_call_metrics_overflow_total.
    """

    def __init__(self, registry: CollectorRegistry, most_series: int) -> None:
        self._lock = Lock()
        self._spans = _Histograms(most_series)
        self._services = _Histograms(most_series)
        self._rest = _Histograms(len(_SPAN_KINDS) * len(_STATUS_CODES))
        self._edges = _Histograms(most_series)
        self._callers = _Histograms(most_series)
        self._other_edges = _Histograms(len(_CONNECTION_OF_KIND))
        self._overflow = {"spans": 0, "service_graph": 0}
        registry.register(self)

    def on_spans(self, calls: pa.Table) -> None:
        """As CallObserver.on_spans."""
        labels = [
            calls["service"],
            calls["name"],
            _SPAN_KINDS.take(calls["kind"].combine_chunks()),
            _STATUS_CODES.take(calls["status_code"].combine_chunks()),
        ]
        places, counts = _PLACE_OF_BUCKET[_numbers(calls, "bucket")], _numbers(calls, "calls")
        seconds = calls["duration_ns"].to_numpy() / 1e9
        errors = np.zeros_like(counts)
        with self._lock:
            left = self._spans.add(labels, places, counts, errors, seconds)
            self._overflow["spans"] += int(counts[left].sum())
            for histograms, name in ((self._services, None), (self._rest, OTHER_SERVICES)):
                labels = [column.filter(pa.array(left)) for column in labels]
                places, counts, errors, seconds = places[left], counts[left], errors[left], seconds[left]
                labels[1] = _repeated(OTHER_OPERATIONS, len(counts))
                if name is not None:
                    labels[0] = _repeated(name, len(counts))
                left = histograms.add(labels, places, counts, errors, seconds)

    def on_edges(self, change: pa.Table) -> None:
        """As CallObserver.on_edges. Where a duration is not known the call is in no histogram."""
        kinds = [_CONNECTION_OF_KIND.take(change[end].combine_chunks()) for end in ("parent_kind", "child_kind")]
        labels = [change["parent"], change["child"], pc.if_else(pc.equal(kinds[1], ""), *kinds)]
        buckets, counts, errors = (_numbers(change, name) for name in ("latency", "calls", "errors"))
        # One place more, for calls of unknown duration.
        places = np.where(buckets < 0, len(BOUNDS_S) + 1, _PLACE_OF_BUCKET[buckets])
        seconds = np.where(buckets < 0, 0.0, _SECONDS_OF_BUCKET[buckets] * counts)
        with self._lock:
            left = self._edges.add(labels, places, counts, errors, seconds)
            self._overflow["service_graph"] += max(0, int(counts[left].sum()))
            seen = ~left & (change["child_kind"].to_numpy() != NodeKind.SERVICE)
            of_callers = [column.filter(pa.array(seen)) for column in labels]
            self._callers.add(of_callers, places[seen], counts[seen], errors[seen], seconds[seen])
            others = _repeated(OTHER_SERVICES, int(left.sum()))
            labels = [others, others, labels[2].filter(pa.array(left))]
            self._other_edges.add(labels, places[left], counts[left], errors[left], seconds[left])

    def collect(self) -> Iterator[Metric]:
        """The families, as of one moment."""
        calls = CounterMetricFamily("traces_spanmetrics_calls", "Spans that came.", labels=_SPAN_LABELS)
        latency = HistogramMetricFamily(
            "traces_spanmetrics_latency", "Their durations in seconds.", labels=_SPAN_LABELS
        )
        requests = CounterMetricFamily("traces_service_graph_request", "Calls between services.", labels=_EDGE_LABELS)
        failed = CounterMetricFamily("traces_service_graph_request_failed", "Those that failed.", labels=_EDGE_LABELS)
        server = HistogramMetricFamily(
            "traces_service_graph_request_server_seconds",
            "Their durations as the callee saw them, or the caller where the callee reports nothing.",
            labels=_EDGE_LABELS,
        )
        client = HistogramMetricFamily(
            "traces_service_graph_request_client_seconds",
            "Durations as the caller saw them, of calls to what reports nothing.",
            labels=_EDGE_LABELS,
        )
        overflow = CounterMetricFamily(
            "clew_call_metrics_overflow", "Calls counted without labels of their own.", labels=("of",)
        )
        with self._lock:
            for histograms in (self._spans, self._services, self._rest):
                for labels, shown in histograms.shown():
                    calls.add_metric(labels, shown.calls)
                    latency.add_metric(labels, shown.buckets(), shown.seconds)
            for histograms in (self._edges, self._other_edges):
                for labels, shown in histograms.shown():
                    requests.add_metric(labels, shown.calls)
                    failed.add_metric(labels, shown.errors)
                    server.add_metric(labels, shown.buckets(), shown.seconds)
            for labels, shown in self._callers.shown():
                client.add_metric(labels, shown.buckets(), shown.seconds)
            for of, number in self._overflow.items():
                overflow.add_metric((of,), number)
        yield from (calls, latency, requests, failed, server, client, overflow)


class _Shown:
    """What one series shows. calls, errors: also those of unknown duration. seconds: the sum of known durations."""

    def __init__(self, cells: _Ints, errors: int, seconds: float) -> None:
        self._cells = cells[: len(BOUNDS_S) + 1]
        self.calls = int(cells.sum())
        self.errors = errors
        self.seconds = seconds

    def buckets(self) -> list[tuple[str, float]]:
        bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
        return list(zip(bounds, np.cumsum(self._cells).astype(float).tolist(), strict=True))


class _Histograms:
    """Counts of at most so many series, which are known by their labels. What is shown never decreases: counts that are
    taken back are made up for by the next ones."""

    def __init__(self, most_series: int) -> None:
        self._most_series = most_series
        self._keys = pa.array([], pa.string())
        self._labels: list[Sequence[str]] = []
        self._cells = np.zeros((most_series, len(BOUNDS_S) + 2), dtype=np.int64)
        self._most_cells = np.zeros_like(self._cells)
        self._errors = np.zeros(most_series, dtype=np.int64)
        self._most_errors = np.zeros_like(self._errors)
        self._seconds = np.zeros(most_series)
        self._most_seconds = np.zeros_like(self._seconds)

    def add(
        self, labels: Sequence[pa.Array], places: _Ints, counts: _Ints, errors: _Ints, seconds: _Floats
    ) -> npt.NDArray[np.bool_]:
        """Add these rows; which of them have no place here."""
        keys = pc.binary_join_element_wise(*labels, _SEPARATOR)
        keys = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
        room = self._most_series - len(self._keys)
        if room:
            new = keys.filter(pc.invert(pc.is_in(keys, value_set=self._keys))).unique()
            self._keys = pa.concat_arrays([self._keys, new[:room]])
            rows = pc.index_in(new[:room], value_set=keys)
            self._labels += zip(*(column.take(rows).to_pylist() for column in labels), strict=True)
        series = pc.index_in(keys, value_set=self._keys).fill_null(-1).to_numpy().astype(np.int64)
        known = series >= 0
        np.add.at(self._cells, (series[known], places[known]), counts[known])
        np.add.at(self._errors, series[known], errors[known])
        np.add.at(self._seconds, series[known], seconds[known])
        for sums, most in (
            (self._cells, self._most_cells),
            (self._errors, self._most_errors),
            (self._seconds, self._most_seconds),
        ):
            np.maximum(sums, most, out=most)
        left: npt.NDArray[np.bool_] = ~known
        return left

    def shown(self) -> Iterator[tuple[Sequence[str], _Shown]]:
        """The labels of each series, and what it shows."""
        for place, labels in enumerate(self._labels):
            yield (
                labels,
                _Shown(self._most_cells[place], int(self._most_errors[place]), float(self._most_seconds[place])),
            )


def _repeated(text: str, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), times)


def _numbers(table: pa.Table, name: str) -> _Ints:
    numbers: _Ints = table[name].to_numpy().astype(np.int64)
    return numbers
