"""Reads see every write that returned before they began, whoever else reads and writes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Signal

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.requests import DependencyLink, Operation
from storage.span import SpanKind
from tests.builders import BACKEND, FRONTEND, SECOND, TODAY_NS, US, a_trace_id, a_zipkin_span, exactly
from tests.contract.asking import a_query, found
from tests.contract.conftest import KEEP_EVERYTHING, RECEIVED_NS

TRACES_WRITTEN = 40
SPANS_A_TRACE = 5
CALLS_A_TRACE = 4


def a_batch(trace: int) -> SpanBatch:
    """One trace: a root and its calls, each a CLIENT of the backend, with a tag of the trace's number."""
    return SpanBatch.of(
        (
            a_zipkin_span(
                trace,
                span,
                parent=None if span == 1 else 1,
                kind=SpanKind.CLIENT,
                remote=BACKEND,
                tags={"n": str(trace), "http.host": f"host{trace}"},
                start_ns=TODAY_NS + trace * US,
            )
            for span in range(1, SPANS_A_TRACE + 1)
        ),
        RECEIVED_NS,
    )


def test_every_read_sees_a_write_that_has_returned(store: SpanStore) -> None:
    for trace in range(1, 6):
        store.write(a_batch(trace))
        assert len(store.get_traces([a_trace_id(trace)])) == 1
        assert found(store, limit=1) == [trace]
        assert found(store, tags={"n": str(trace)}) == [trace]
        assert store.statistics().spans == trace * SPANS_A_TRACE
        assert f"host{trace}" in store.tag_values("http.host")
        assert store.dependencies(TODAY_NS, TODAY_NS + SECOND) == [
            DependencyLink(FRONTEND, BACKEND, trace * CALLS_A_TRACE)
        ]


def test_every_read_sees_writes_before_and_after_each_upkeep(store: SpanStore) -> None:
    for trace in range(1, 10):
        store.write(a_batch(trace))
        if trace % 3 == 0:
            store.maintain(KEEP_EVERYTHING, RECEIVED_NS + trace * SECOND)
        assert found(store) == list(range(trace, 0, -1))
        assert len(store.get_traces([a_trace_id(n) for n in range(1, trace + 1)])) == trace
        assert store.services() == [FRONTEND]
        assert store.operations(FRONTEND) == [Operation("get", SpanKind.CLIENT)]
        assert store.remote_services(FRONTEND) == [BACKEND]


def test_upkeep_without_news_changes_nothing(store: SpanStore) -> None:
    store.write(a_batch(1))
    before = exactly(store.get_traces([a_trace_id(1)]))
    for round_number in range(5):
        assert store.maintain(KEEP_EVERYTHING, RECEIVED_NS + round_number * SECOND) == 0
    assert exactly(store.get_traces([a_trace_id(1)])) == before
    assert store.statistics().spans == SPANS_A_TRACE


def test_upkeep_of_an_empty_store_drops_nothing(store: SpanStore) -> None:
    assert store.maintain(KEEP_EVERYTHING, RECEIVED_NS) == 0
    assert store.statistics().spans == 0


def test_readers_see_only_whole_batches_and_never_fewer_while_one_writes_and_one_maintains(store: SpanStore) -> None:
    done = Signal()
    with ThreadPoolExecutor(6) as threads:
        watchers = [
            threads.submit(watch, done, lambda: count_of_whole_traces(store)),
            threads.submit(watch, done, lambda: count_of_whole_traces(store)),
            threads.submit(watch, done, lambda: whole_batches(store.statistics().spans)),
            threads.submit(watch, done, lambda: len(store.tag_values("http.host"))),
        ]
        upkeep = threads.submit(watch, done, lambda: store.maintain(KEEP_EVERYTHING, RECEIVED_NS))
        try:
            for trace in range(1, TRACES_WRITTEN + 1):
                store.write(a_batch(trace))
                assert found(store, tags={"n": str(trace)}) == [trace]
        finally:
            done.set()
    assert upkeep.result() == 0
    assert [watcher.result() for watcher in watchers] == [TRACES_WRITTEN] * len(watchers)


def watch(done: Signal, measure: Callable[[], int]) -> int:
    """Measure until the writer is done, and once more; what is seen may only grow. Returns the last measure."""
    seen = 0
    finished = False
    while not finished:
        finished = done.is_set()
        now = measure()
        assert now >= seen
        seen = now
    return seen


def count_of_whole_traces(store: SpanStore) -> int:
    traces = store.find_traces(a_query(limit=1000, service=FRONTEND))
    assert {len(trace) for trace in traces} <= {SPANS_A_TRACE}
    return len(traces)


def whole_batches(spans: int) -> int:
    assert spans % SPANS_A_TRACE == 0
    return spans // SPANS_A_TRACE


def test_many_readers_get_the_same_answer_at_once(store: SpanStore) -> None:
    for trace in range(1, 21):
        store.write(a_batch(trace))
    with ThreadPoolExecutor(8) as threads:
        answers: list[Future[list[int]]] = [threads.submit(found, store, service=FRONTEND) for _ in range(40)]
    assert [answer.result() for answer in answers] == [list(range(20, 0, -1))] * 40
