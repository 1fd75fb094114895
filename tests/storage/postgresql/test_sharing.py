"""Several processes over one database: each store here stands for one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from storage.batch import SpanBatch
from storage.postgresql import names
from storage.postgresql.store import PostgreSQLStore
from storage.requests import DependencyLink, Operation, RetentionPolicy
from storage.span import SpanKind
from tests.builders import BACKEND, DAY, FRONTEND, SECOND, TODAY_NS, a_trace_id, a_zipkin_span
from tests.contract.asking import found
from tests.storage.postgresql.conftest import a_store

KEEP_EVERYTHING = RetentionPolicy(max_age_ns=None, max_bytes=None)
WRITERS = 4
TRACES_EACH = 15


def a_call(trace: int, span: int, **changes: object) -> SpanBatch:
    values = {"kind": SpanKind.CLIENT, "remote": BACKEND, "tags": {"http.host": f"host{trace}"}} | changes
    return SpanBatch.of([a_zipkin_span(trace, span, **values)], TODAY_NS)  # type: ignore[arg-type]


def test_what_one_writes_all_others_read_at_once(url: str) -> None:
    with a_store(url) as one, a_store(url) as other, a_store(url) as reader:
        for trace, store in enumerate((one, other, one), 1):
            store.write(a_call(trace, 1))
            assert sorted(found(reader)) == list(range(1, trace + 1))
            assert reader.tag_values("http.host") == [f"host{n}" for n in range(1, trace + 1)]
            assert reader.operations(FRONTEND) == [Operation("get", SpanKind.CLIENT)]
            assert reader.remote_services(FRONTEND) == [BACKEND]


def test_no_tag_value_is_missing_while_another_process_notes_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_store(url) as upkeeper, a_store(url) as reader:
        upkeeper.write(a_call(1, 1))
        upkeeper.maintain(KEEP_EVERYTHING, TODAY_NS)
        upkeeper.write(a_call(2, 1))
        find_key_sets, rounds = names.key_sets_with, iter([KEEP_EVERYTHING])

        def noted_meanwhile(*args: Any, **how: Any) -> list[int]:
            for policy in rounds:
                upkeeper.maintain(policy, TODAY_NS)
            return find_key_sets(*args, **how)

        monkeypatch.setattr(names, "key_sets_with", noted_meanwhile)
        assert reader.tag_values("http.host") == ["host1", "host2"]
        assert next(rounds, None) is None, "nothing came between"


def test_names_that_several_meet_for_the_first_time_at_once_have_one_number_each(url: str) -> None:
    def write(number: int) -> None:
        with a_store(url) as store:
            for trace in range(TRACES_EACH):
                store.write(a_call(1 + number * TRACES_EACH + trace, 1, name=f"name{trace}"))

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))
    with a_store(url) as store:
        assert len(found(store, limit=1000)) == WRITERS * TRACES_EACH
        for trace in range(TRACES_EACH):
            assert len(found(store, operation=f"name{trace}", limit=1000)) == WRITERS


def test_all_may_maintain_at_once_while_all_write_and_nothing_is_counted_twice(url: str) -> None:
    def live(number: int) -> int:
        dropped = 0
        with a_store(url) as store:
            for trace in range(TRACES_EACH):
                # Every trace has spans of all writers, so each relinks what the others counted.
                store.write(a_call(trace + 1, number + 1))
                dropped += store.maintain(KEEP_EVERYTHING, TODAY_NS)
        return dropped

    with ThreadPoolExecutor(WRITERS) as threads:
        assert list(threads.map(live, range(WRITERS))) == [0] * WRITERS
    with a_store(url) as store:
        # The first of a trace's clients is taken for its root, which calls nobody.
        links = [DependencyLink(FRONTEND, BACKEND, (WRITERS - 1) * TRACES_EACH)]
        window = TODAY_NS - SECOND, TODAY_NS + DAY
        assert store.dependencies(*window) == links
        store.maintain(KEEP_EVERYTHING, TODAY_NS)
        assert store.dependencies(*window) == links
        assert store.statistics().spans == WRITERS * TRACES_EACH


def test_who_finds_another_at_the_upkeep_leaves_it_to_that_one(store: PostgreSQLStore, url: str) -> None:
    store.write(a_call(1, 1))
    with a_store(url) as other, other._upkeep.locked() as held:
        assert held is not None
        assert store.maintain(RetentionPolicy(DAY, None), TODAY_NS + 30 * DAY) == 0
        assert found(store) == [1]
    assert store.maintain(RetentionPolicy(DAY, None), TODAY_NS + 30 * DAY) == 1
    assert found(store) == []


def test_what_one_lets_go_is_gone_for_the_others(url: str) -> None:
    with a_store(url) as one, a_store(url) as other:
        other.write(a_call(1, 1))
        assert len(other.get_traces([a_trace_id(1)])) == 1
        one.maintain(RetentionPolicy(DAY, None), TODAY_NS + 30 * DAY)
        assert other.get_traces([a_trace_id(1)]) == []
        assert other.services() == []
        other.write(SpanBatch.of([a_zipkin_span(2)], TODAY_NS + 30 * DAY))
        assert one.services() == other.services() == [FRONTEND]
