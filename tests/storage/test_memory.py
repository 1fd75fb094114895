"""What only the memory store does: it forgets whole oldest traces to stay within its bound (zipkin.md 3.8)."""

from storage.batch import SpanBatch
from storage.ids import TraceId
from storage.memory import MemoryStore
from storage.requests import RetentionPolicy
from storage.span import Span
from tests.builders import MS, TODAY_NS, a_short_trace_id, a_span, a_trace_id, a_zipkin_span
from tests.contract.asking import found


def a_store(max_spans: int, max_traces: int = 0) -> MemoryStore:
    return MemoryStore(max_spans, ("http.host",), max_traces)


def write(store: MemoryStore, *spans: Span) -> None:
    store.write(SpanBatch.of(spans, TODAY_NS))


def at(trace: int | TraceId, moment_ms: int | None, span: int = 1) -> Span:
    return a_span(trace, span, start_ns=None if moment_ms is None else TODAY_NS + moment_ms * MS)


def test_the_bound_itself_is_held_without_forgetting() -> None:
    store = a_store(3)
    write(store, at(1, 1), at(2, 2))
    write(store, at(3, 3))
    assert found(store) == [3, 2, 1]


def test_the_oldest_trace_goes_when_a_write_needs_room() -> None:
    store = a_store(3)
    write(store, at(2, 2), at(1, 1), at(3, 3))
    write(store, at(4, 4))
    assert found(store) == [4, 3, 2]
    assert store.statistics().spans == 3


def test_a_trace_goes_whole_and_by_its_oldest_fragment() -> None:
    store = a_store(4)
    write(store, at(1, 5), at(2, 2), at(2, 9, span=2), at(3, 3))
    write(store, at(4, 4))
    assert found(store) == [1, 4, 3]


def test_a_trace_with_a_span_without_a_start_is_the_oldest() -> None:
    store = a_store(3)
    write(store, at(1, 1), at(2, 2), at(2, None, span=2))
    write(store, at(3, 3))
    assert found(store) == [3, 1]
    assert store.get_traces([a_trace_id(2)]) == []


def test_the_oldest_traces_go_when_there_would_be_more_than_max_traces() -> None:
    store = a_store(100, max_traces=2)
    write(store, at(1, 1), at(1, 1, span=2), at(2, 2))
    write(store, at(2, 3, span=2), at(3, 4))
    assert found(store) == [3, 2]


def test_a_trace_that_goes_on_arriving_makes_no_room_for_another() -> None:
    store = a_store(100, max_traces=2)
    write(store, at(1, 1), at(2, 2))
    write(store, at(1, 3, span=2), at(3, 4))
    assert found(store) == [3, 1]
    assert [span.span_id[-1] for span in store.get_traces([a_trace_id(1)])[0]] == [2]


def test_siblings_of_one_low_half_go_together() -> None:
    store = a_store(3)
    write(store, at(a_trace_id(1), 1), at(a_short_trace_id(1), 9), at(2, 2))
    write(store, at(3, 3))
    assert found(store) == [3, 2]


def test_no_more_traces_go_than_the_write_needs() -> None:
    store = a_store(10)
    write(store, *(at(n, n) for n in range(1, 11)))
    write(store, at(11, 11), at(12, 12), at(13, 13))
    assert found(store) == list(range(13, 3, -1))


def test_a_late_span_is_not_forgotten_by_the_write_that_brings_it() -> None:
    store = a_store(2)
    write(store, at(5, 5), at(6, 6))
    write(store, at(1, 1))
    assert found(store) == [6, 1]


def test_a_batch_over_the_bound_is_kept_whole_and_alone() -> None:
    store = a_store(2)
    write(store, at(1, 1), at(2, 2))
    write(store, *(at(n, n) for n in (3, 4, 5)))
    assert found(store) == [5, 4, 3]
    write(store, at(6, 6))
    assert found(store) == [6, 5]


def test_names_of_forgotten_spans_vanish() -> None:
    store = a_store(1)
    write(store, a_zipkin_span(1, service="old", name="old", remote="old", tags={"http.host": "old"}))
    write(store, a_zipkin_span(2, service="new", name="new", remote="new", tags={"http.host": "new"}))
    assert store.services() == ["new"]
    assert store.operations("old") == []
    assert store.remote_services("new") == ["new"]
    assert store.tag_values("http.host") == ["new"]


def test_room_that_retention_made_is_used_again() -> None:
    store = a_store(2)
    write(store, at(1, 1), at(2, 2))
    assert store.maintain(RetentionPolicy(max_age_ns=MS, max_bytes=None), TODAY_NS + 2 * MS) == 2
    write(store, at(3, 3), at(4, 4))
    assert found(store) == [4, 3]


def test_a_bound_in_bytes_asks_nothing_of_memory() -> None:
    store = a_store(2)
    write(store, at(1, 1))
    assert store.maintain(RetentionPolicy(max_age_ns=None, max_bytes=1), TODAY_NS) == 0
    assert store.statistics().disk_bytes == 0
