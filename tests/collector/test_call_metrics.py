"""Calls as Prometheus families: named as Tempo names them, bounded in number, and never less than before."""

from typing import Any

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collector.call_metrics import BOUNDS_S, OTHER_SERVICES, CallMetrics
from storage.calls import OTHER_OPERATIONS
from storage.latency_buckets import bucket_numbers
from storage.linking.graph_rows import NAMED_SERVICE, UNKNOWN
from storage.reported_calls import EDGE_CALLS, SPAN_CALLS
from storage.requests import NodeKind
from storage.span import SpanKind, StatusCode

MS = 10**6
SERVER = {"span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_UNSET"}


def metrics_of(most_series: int = 10) -> CallMetrics:
    return CallMetrics(CollectorRegistry(), most_series)


def samples(metrics: CallMetrics, name: str) -> dict[frozenset[tuple[str, str]], float]:
    """The samples of that name, by their labels, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(metrics)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    found = [sample for family in families for sample in family.samples if sample.name == name]
    assert len({frozenset(sample.labels.items()) for sample in found}) == len(found)
    return {frozenset(sample.labels.items()): sample.value for sample in found}


def value(metrics: CallMetrics, name: str, **labels: str) -> float | None:
    return samples(metrics, name).get(frozenset(labels.items()))


def bucket_of(duration_ns: int) -> int:
    return int(bucket_numbers(pa.array([duration_ns]).to_numpy())[0])


def spans(*rows: dict[str, Any]) -> pa.Table:
    """SPAN_CALLS: each row one call to shop's `buy` that took 10 ms, but for what it says."""
    plain: dict[str, Any] = {"service": "shop", "name": "buy", "kind": SpanKind.SERVER, "calls": 1}
    full = [plain | {"status_code": StatusCode.UNSET, "duration_ns": 10 * MS} | row for row in rows]
    return pa.Table.from_pylist([row | {"bucket": bucket_of(int(row["duration_ns"]))} for row in full], SPAN_CALLS)


def edges(*rows: dict[str, Any]) -> pa.Table:
    """GRAPH_CALLS: each row one call of web to shop that took 10 ms, but for what it says."""
    plain = {"parent": "web", "parent_kind": 0, "child": "shop", "child_kind": 0, "latency": bucket_of(10 * MS)}
    return pa.Table.from_pylist([plain | {"calls": 1, "errors": 0} | row for row in rows], EDGE_CALLS)


def test_spans_are_counted_by_service_name_kind_and_status_as_tempo_spells_them() -> None:
    metrics = metrics_of()

    metrics.on_spans(spans({"calls": 2}, {"kind": SpanKind.CLIENT, "status_code": StatusCode.ERROR}, {"calls": 5}))

    assert samples(metrics, "traces_spanmetrics_calls_total") == {
        frozenset({"service": "shop", "span_name": "buy", **SERVER}.items()): 7,
        frozenset(
            {
                "service": "shop",
                "span_name": "buy",
                "span_kind": "SPAN_KIND_CLIENT",
                "status_code": "STATUS_CODE_ERROR",
            }.items()
        ): 1,
    }


@pytest.mark.parametrize(
    ("duration_ns", "least_bound"), [(0, "0.002"), (MS, "0.002"), (10 * MS, "0.016"), (17 * 10**9, "+Inf")]
)
def test_a_duration_is_in_every_bucket_from_the_first_that_holds_it_on(duration_ns: int, least_bound: str) -> None:
    metrics = metrics_of()

    metrics.on_spans(spans({"duration_ns": duration_ns}))

    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    labels = {"service": "shop", "span_name": "buy", **SERVER}
    held = [bound for bound in bounds if value(metrics, "traces_spanmetrics_latency_bucket", le=bound, **labels) == 1]
    assert held == bounds[bounds.index(least_bound) :]
    assert value(metrics, "traces_spanmetrics_latency_count", **labels) == 1
    assert value(metrics, "traces_spanmetrics_latency_sum", **labels) == duration_ns / 1e9


@pytest.mark.parametrize(
    ("kinds", "connection_type"),
    [
        ((NodeKind.SERVICE, NodeKind.SERVICE), ""),
        ((NodeKind.SERVICE, NodeKind.DATABASE), "database"),
        ((NodeKind.SERVICE, NodeKind.QUEUE), "messaging_system"),
        ((NodeKind.QUEUE, NodeKind.SERVICE), "messaging_system"),
        ((NodeKind.SERVICE, NodeKind.EXTERNAL), "virtual_node"),
        ((NAMED_SERVICE, NodeKind.SERVICE), "virtual_node"),
    ],
)
def test_an_edge_has_the_connection_type_of_what_it_connects(kinds: tuple[int, int], connection_type: str) -> None:
    metrics = metrics_of()

    metrics.on_edges(edges({"parent_kind": kinds[0], "child_kind": kinds[1], "calls": 3, "errors": 2}))

    labels = {"client": "web", "server": "shop", "connection_type": connection_type}
    assert value(metrics, "traces_service_graph_request_total", **labels) == 3
    assert value(metrics, "traces_service_graph_request_failed_total", **labels) == 2
    assert value(metrics, "traces_service_graph_request_server_seconds_count", **labels) == 3
    assert value(metrics, "traces_service_graph_request_server_seconds_sum", **labels) == pytest.approx(0.03, rel=0.03)


def test_the_callers_seconds_are_told_of_calls_to_what_reports_nothing() -> None:
    metrics = metrics_of()

    metrics.on_edges(edges({}, {"child": "db", "child_kind": NodeKind.DATABASE}))

    assert samples(metrics, "traces_service_graph_request_client_seconds_count") == {
        frozenset({"client": "web", "server": "db", "connection_type": "database"}.items()): 1
    }


def test_a_call_of_unknown_duration_is_counted_and_in_no_histogram() -> None:
    metrics = metrics_of()

    metrics.on_edges(edges({"latency": UNKNOWN}, {}))

    labels = {"client": "web", "server": "shop", "connection_type": ""}
    assert value(metrics, "traces_service_graph_request_total", **labels) == 2
    assert value(metrics, "traces_service_graph_request_server_seconds_count", **labels) == 1


def test_what_late_spans_take_back_is_made_up_for_by_the_next_calls() -> None:
    metrics = metrics_of()
    seen = []
    for calls, errors in ((3, 2), (-2, -2), (1, 1), (4, 0)):
        metrics.on_edges(edges({"calls": calls, "errors": errors}))
        labels = {"client": "web", "server": "shop", "connection_type": ""}
        names = ("request_total", "request_failed_total", "request_server_seconds_count")
        seen.append([value(metrics, f"traces_service_graph_{name}", **labels) for name in names])

    assert seen == [[3, 2, 3], [3, 2, 3], [3, 2, 3], [6, 2, 6]]


def test_operations_and_services_beyond_the_bound_share_labels_and_are_counted_as_overflow() -> None:
    metrics = metrics_of(most_series=2)

    for _ in range(2):
        metrics.on_spans(spans(*({"service": f"s{n}", "name": f"get {m}"} for n in range(4) for m in range(3))))

    counted = samples(metrics, "traces_spanmetrics_calls_total")
    assert {tuple(dict(key)[name] for name in ("service", "span_name")): calls for key, calls in counted.items()} == {
        ("s0", "get 0"): 2,
        ("s0", "get 1"): 2,
        ("s0", OTHER_OPERATIONS): 2,
        ("s1", OTHER_OPERATIONS): 6,
        (OTHER_SERVICES, OTHER_OPERATIONS): 12,
    }
    assert value(metrics, "clew_call_metrics_overflow_total", of="spans") == 20


def test_edges_beyond_the_bound_share_labels_and_are_counted_as_overflow() -> None:
    metrics = metrics_of(most_series=1)

    metrics.on_edges(edges({}, {"child": "a", "calls": 2}, {"child": "b", "child_kind": NodeKind.DATABASE}))

    assert {
        tuple(dict(key)[name] for name in ("client", "server", "connection_type")): calls
        for key, calls in samples(metrics, "traces_service_graph_request_total").items()
    } == {
        ("web", "shop", ""): 1,
        (OTHER_SERVICES, OTHER_SERVICES, ""): 2,
        (OTHER_SERVICES, OTHER_SERVICES, "database"): 1,
    }
    assert value(metrics, "clew_call_metrics_overflow_total", of="service_graph") == 3


def test_labels_may_hold_any_text() -> None:
    metrics = metrics_of()
    name = 'a\x1fb"\\\n{}é'

    metrics.on_spans(spans({"name": name}))

    assert value(metrics, "traces_spanmetrics_calls_total", service="shop", span_name=name, **SERVER) == 1
