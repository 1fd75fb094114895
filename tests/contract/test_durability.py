"""What a durable store still knows when it is opened again. (Kills and full disks are tests of the real process.)"""

from pathlib import Path
from random import Random

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.factory import open_store
from storage.requests import DependencyLink, Operation, RetentionPolicy
from storage.settings import StorageSettings
from storage.span import SpanKind
from tests.builders import BACKEND, DAY, DB, FRONTEND, SECOND, TODAY_NS, a_span, a_trace_id, a_zipkin_trace, exactly
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


def test_a_bound_on_disk_drops_the_oldest_spans_and_really_gives_space_back(durable_settings: StorageSettings) -> None:
    draw = Random(1)
    with open_store(durable_settings) as store:
        for batch in range(1, 11):
            spans = (a_span(batch, n, attributes={"noise": draw.randbytes(60).hex()}) for n in range(1, 4001))
            store.write(SpanBatch.of(spans, RECEIVED_NS + batch * SECOND))
        store.maintain(KEEP_EVERYTHING, RECEIVED_NS + 11 * SECOND)
    with open_store(durable_settings) as store:  # a log that is not folded into the file yet would count as well
        before = store.statistics()
        policy = RetentionPolicy(max_age_ns=None, max_bytes=before.disk_bytes // 2)
        rounds = [store.maintain(policy, RECEIVED_NS + (20 + n) * SECOND) for n in range(20)]
        after = store.statistics()
        assert after.disk_bytes <= before.disk_bytes // 2
        assert sum(rounds) == before.spans - after.spans
        assert 0 < after.spans < before.spans
        assert store.get_traces([a_trace_id(1)]) == []
        assert len(store.get_traces([a_trace_id(10)])[0]) == 4000


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_a_store_says_rightly_whether_it_is_durable(tmp_path: Path, backend_name: str) -> None:
    with open_store(settings_of(backend_name, tmp_path)) as store:
        assert store.capabilities.durable == (backend_name in DURABLE_BACKENDS)
        assert store.name == backend_name


def test_an_own_store_starts_empty(store: SpanStore) -> None:
    assert store.statistics().spans == 0
    assert store.services() == []
    assert found(store) == []
