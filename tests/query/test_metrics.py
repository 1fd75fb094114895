"""Reads under Jaeger's names."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from query.measured_reader import MeasuredReader
from query.metrics import QueryMetrics
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from storage.requests import TraceQuery
from storage.span import Span


class Silent(MemoryStore):
    """A store that answers no search."""

    def find_traces(self, query: TraceQuery, *, strict: bool = True) -> list[list[Span]]:
        raise StoreUnavailable("away")


def exposition(metrics: QueryMetrics) -> list[str]:
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode().splitlines()


def test_each_read_is_counted_and_timed_under_the_names_of_v1_and_v2() -> None:
    metrics = QueryMetrics()
    seconds = iter((1.0, 1.2, 5.0, 5.02))
    reader = MeasuredReader(Silent(10, ()), metrics.observe, lambda: next(seconds))

    assert reader.services() == []
    with pytest.raises(StoreUnavailable):
        reader.find_traces(TraceQuery(start_min_ns=0, start_max_ns=1, limit=1))

    lines = exposition(metrics)
    for name in ("jaeger_query_requests_total", "jaeger_storage_requests_total"):
        assert f'{name}{{operation="get_services",result="ok"}} 1.0' in lines
        assert f'{name}{{operation="find_traces",result="err"}} 1.0' in lines
    for name in ("jaeger_query_latency", "jaeger_storage_latency_seconds"):
        assert f'{name}_bucket{{le="0.1",operation="get_services",result="ok"}} 0.0' in lines
        assert f'{name}_bucket{{le="0.25",operation="get_services",result="ok"}} 1.0' in lines
        assert f'{name}_count{{operation="get_services",result="ok"}} 1.0' in lines


def test_nothing_is_shown_of_reads_that_nobody_made() -> None:
    assert [line for line in exposition(QueryMetrics()) if not line.startswith("#")] == []
