"""Retention and statistics: age counts from when a span was received, whatever its own clock says."""

from typing import Any

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.requests import Operation, RetentionPolicy
from storage.span import SpanKind
from tests.builders import BACKEND, DAY, FRONTEND, HOUR, SECOND, TODAY_NS, a_span, a_trace_id, a_zipkin_span, exactly
from tests.contract.asking import found
from tests.contract.conftest import KEEP_EVERYTHING

NOW_NS = TODAY_NS + 30 * DAY
SEVEN_DAYS = RetentionPolicy(max_age_ns=7 * DAY, max_bytes=None)


def write_of_age(store: SpanStore, age_ns: int, trace: int, **changes: Any) -> None:
    store.write(SpanBatch.of([a_span(trace, **changes)], NOW_NS - age_ns))


class TestRetention:
    def test_spans_past_their_age_go_and_the_others_stay(self, store: SpanStore) -> None:
        for trace, age_ns in enumerate((20 * DAY, 8 * DAY, 6 * DAY, 0), 1):
            write_of_age(store, age_ns, trace)
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 2
        assert store.get_traces([a_trace_id(1), a_trace_id(2)]) == []
        assert len(store.get_traces([a_trace_id(3), a_trace_id(4)])) == 2
        assert sorted(found(store)) == [3, 4]
        assert store.statistics().spans == 2

    def test_age_counts_from_when_a_span_was_received_not_from_its_start(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1, start_ns=NOW_NS)
        write_of_age(store, 0, 2, start_ns=NOW_NS - 100 * DAY)
        write_of_age(store, 0, 3, start_ns=None)
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 1
        assert [len(store.get_traces([a_trace_id(n)])) for n in (1, 2, 3)] == [0, 1, 1]

    def test_a_young_span_stays_when_an_old_one_of_its_trace_goes(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1, span=1)
        write_of_age(store, 1 * DAY, 1, span=2)
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 1
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([[a_span(1, 2)]])

    def test_a_policy_without_bounds_keeps_everything(self, store: SpanStore) -> None:
        write_of_age(store, 10_000 * DAY, 1)
        assert store.maintain(KEEP_EVERYTHING, NOW_NS) == 0
        assert store.statistics().spans == 1

    def test_a_second_round_finds_nothing_more_to_drop(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1)
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 1
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 0

    def test_spans_age_as_time_goes_by(self, store: SpanStore) -> None:
        for day in range(10):
            write_of_age(store, -day * DAY, day + 1)
            store.maintain(SEVEN_DAYS, NOW_NS + day * DAY + HOUR)
        assert sorted(found(store)) == [4, 5, 6, 7, 8, 9, 10]

    @pytest.mark.parametrize("maintained_before", [False, True])
    def test_names_of_dropped_spans_vanish(self, store: SpanStore, maintained_before: bool) -> None:
        old = a_zipkin_span(1, name="old", service="old", remote="old-remote", tags={"http.host": "old-host"})
        young = a_zipkin_span(2, name="young", remote=BACKEND, tags={"http.host": "young-host"})
        gone = a_zipkin_span(3, name="old", remote="old-remote", tags={"http.host": "old-host"})
        store.write(SpanBatch.of([old, gone], NOW_NS - 8 * DAY))
        store.write(SpanBatch.of([young], NOW_NS))
        if maintained_before:
            store.maintain(KEEP_EVERYTHING, NOW_NS)
        assert store.maintain(SEVEN_DAYS, NOW_NS) == 2
        assert store.services() == [FRONTEND]
        assert store.operations(FRONTEND) == [Operation("young", SpanKind.UNSPECIFIED)]
        assert store.operations("old") == []
        assert store.remote_services(FRONTEND) == [BACKEND]
        assert store.tag_values("http.host") == ["young-host"]

    def test_names_that_young_spans_still_have_stay(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1)
        write_of_age(store, 0, 2)
        store.maintain(SEVEN_DAYS, NOW_NS)
        assert store.services() == [FRONTEND]
        assert store.operations(FRONTEND) == [Operation("get", SpanKind.UNSPECIFIED)]

    def test_links_of_dropped_traces_vanish(self, store: SpanStore) -> None:
        call = a_zipkin_span(1, kind=SpanKind.CLIENT, remote=BACKEND)
        store.write(SpanBatch.of([call], NOW_NS - 8 * DAY))
        store.maintain(KEEP_EVERYTHING, NOW_NS)
        assert len(store.dependencies(TODAY_NS, TODAY_NS + SECOND)) == 1
        store.maintain(SEVEN_DAYS, NOW_NS)
        assert store.dependencies(TODAY_NS, TODAY_NS + SECOND) == []

    def test_a_trace_that_was_dropped_can_be_written_again(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1)
        store.maintain(SEVEN_DAYS, NOW_NS)
        write_of_age(store, 0, 1)
        store.maintain(SEVEN_DAYS, NOW_NS)
        assert exactly(store.get_traces([a_trace_id(1)])) == exactly([[a_span(1)]])
        assert found(store) == [1]


class TestStatistics:
    def test_an_empty_store_holds_nothing_and_has_no_oldest_span(self, store: SpanStore) -> None:
        statistics = store.statistics()
        assert (statistics.spans, statistics.oldest_received_ns) == (0, None)

    def test_every_written_span_counts_duplicates_too(self, store: SpanStore) -> None:
        batch = SpanBatch.of([a_span(1), a_span(1), a_span(2)], NOW_NS)
        store.write(batch)
        store.write(batch)
        assert store.statistics().spans == 6

    def test_the_oldest_is_by_when_it_was_received(self, store: SpanStore) -> None:
        write_of_age(store, 2 * HOUR, 1, start_ns=NOW_NS)
        write_of_age(store, 5 * HOUR, 2, start_ns=NOW_NS)
        write_of_age(store, 1 * HOUR, 3, start_ns=1)
        assert store.statistics().oldest_received_ns == NOW_NS - 5 * HOUR

    def test_the_oldest_moves_on_when_spans_are_dropped(self, store: SpanStore) -> None:
        write_of_age(store, 8 * DAY, 1)
        write_of_age(store, 3 * DAY, 2)
        store.maintain(SEVEN_DAYS, NOW_NS)
        assert store.statistics().oldest_received_ns == NOW_NS - 3 * DAY

    def test_a_durable_store_occupies_disk_and_memory_none(self, store: SpanStore) -> None:
        store.write(SpanBatch.of([a_span(1)], NOW_NS))
        assert (store.statistics().disk_bytes > 0) == store.capabilities.durable

    def test_an_open_store_answers_its_check(self, store: SpanStore) -> None:
        store.check()
