"""What a durable store still knows when it is opened again. (Kills and full disks are tests of the real process.)"""

from pathlib import Path
from random import Random

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.factory import open_store
from storage.requests import DependencyLink, Operation, RetentionPolicy
from storage.settings import StorageSettings
from storage.span import Span, SpanKind
from tests.builders import BACKEND, DAY, DB, FRONTEND, TODAY_NS, a_span, a_trace_id, a_zipkin_trace, exactly
from tests.contract.asking import found
from tests.contract.conftest import BACKENDS, DURABLE_BACKENDS, KEEP_EVERYTHING, RECEIVED_NS, settings_of


@pytest.mark.parametrize("maintained", [False, True])
def test_everything_is_there_again_after_reopening(durable_settings: StorageSettings, maintained: bool) -> None:
    trace = a_zipkin_trace()
    with open_store(durable_settings) as store:
        store.write(SpanBatch.of(trace, RECEIVED_NS))
        if maintained:
            store.maintain(KEEP_EVERYTHING, RECEIVED_NS)
    with open_store(durable_settings) as store:
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([trace])
        assert found(store, service=BACKEND, tags={"error": None}) == [1]
        assert store.services() == [BACKEND, FRONTEND]
        assert store.operations(FRONTEND) == [
            Operation("get", SpanKind.SERVER),
            Operation("get", SpanKind.CLIENT),
        ]
        assert store.remote_services(BACKEND) == [DB]
        assert store.dependencies(TODAY_NS, TODAY_NS) == [
            DependencyLink(BACKEND, DB, 1, 1),
            DependencyLink(FRONTEND, BACKEND, 1),
        ]
        assert store.statistics().spans == 4
        assert store.statistics().oldest_received_ns == RECEIVED_NS


def test_spans_keep_their_order_across_reopening(durable_settings: StorageSettings) -> None:
    spans = [a_span(span=n) for n in (3, 1, 4, 2, 6, 5)]
    for span in spans:
        with open_store(durable_settings) as store:
            store.write(SpanBatch.of([span], RECEIVED_NS))
    with open_store(durable_settings) as store:
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([spans])


def test_reopening_many_times_with_upkeep_counts_nothing_twice(durable_settings: StorageSettings) -> None:
    for n in range(1, 6):
        with open_store(durable_settings) as store:
            store.write(SpanBatch.of([a_span(n, start_ns=TODAY_NS + n)], RECEIVED_NS))
            store.maintain(KEEP_EVERYTHING, RECEIVED_NS)
    with open_store(durable_settings) as store:
        assert found(store) == [5, 4, 3, 2, 1]
        assert store.statistics().spans == 5
        assert [operation.name for operation in store.operations(FRONTEND)] == ["get"]


def test_what_retention_dropped_stays_dropped(durable_settings: StorageSettings) -> None:
    with open_store(durable_settings) as store:
        store.write(SpanBatch.of([a_span(1)], RECEIVED_NS - 2 * DAY))
        store.write(SpanBatch.of([a_span(2)], RECEIVED_NS))
        store.maintain(RetentionPolicy(DAY, None), RECEIVED_NS)
    with open_store(durable_settings) as store:
        assert store.get_traces([a_trace_id(1)]) == []
        assert found(store) == [2]


def test_a_bound_on_disk_holds_while_spans_keep_coming_and_the_oldest_go(durable_settings: StorageSettings) -> None:
    """Of DuckDB only whole row groups (122,880 spans) give their room back, so the bound is several of them."""
    draw = Random(1)
    max_bytes = 16 * 2**20

    def noise(trace: int) -> list[Span]:
        return [a_span(trace, n, attributes={"noise": draw.randbytes(30).hex()}) for n in range(5000)]

    batches = [SpanBatch.of(noise(trace), RECEIVED_NS) for trace in range(1, 5)]
    disk_bytes, dropped = [], 0
    with open_store(durable_settings) as store:
        store.write(SpanBatch.of([a_span(100)], RECEIVED_NS))
        for round_number in range(20):
            for batch in batches:
                store.write(batch)
            dropped += store.maintain(RetentionPolicy(max_age_ns=None, max_bytes=max_bytes), RECEIVED_NS + round_number)
            disk_bytes.append(store.statistics().disk_bytes)
        after = store.statistics()
        assert max(disk_bytes) <= max_bytes
        assert after.spans == 20 * 4 * 5000 + 1 - dropped
        assert dropped > 0
        assert store.get_traces([a_trace_id(100)]) == []
        assert len(store.get_traces([a_trace_id(4)])[0]) >= 5000


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_a_store_says_rightly_whether_it_is_durable(tmp_path: Path, backend_name: str) -> None:
    with open_store(settings_of(backend_name, tmp_path)) as store:
        assert store.capabilities.durable == (backend_name in DURABLE_BACKENDS)
        assert store.name == backend_name


def test_an_own_store_starts_empty(store: SpanStore) -> None:
    assert store.statistics().spans == 0
    assert store.services() == []
    assert found(store) == []
