"""Traces by id for the windows that speak OTLP, whatever the store's grouping."""

from query.api.assembled_traces import AssembledTraces
from query.settings import QuerySettings
from storage.batch import SpanBatch
from storage.memory import MemoryStore
from storage.span import Span
from tests.builders import a_short_trace_id, a_span, a_trace_id
from tests.contract.asking import a_query

LENIENT = QuerySettings.model_validate({"strict_trace_id": False})


def a_store(*spans: Span) -> MemoryStore:
    store = MemoryStore(max_spans=1000, autocomplete_keys=())
    store.write(SpanBatch.of(spans))
    return store


def test_a_trace_asked_for_by_both_lengths_of_its_id_comes_once_however_far_apart_they_stand() -> None:
    others = [a_trace_id(number) for number in range(2, 42)]
    ids = [a_trace_id(1), *others, a_short_trace_id(1)]
    store = a_store(a_span(a_trace_id(1), 1), a_span(a_short_trace_id(1), 2), *(a_span(one) for one in others))

    traces = list(AssembledTraces(LENIENT).by_ids(store, ids))

    assert [trace.trace_id for trace in traces] == [a_trace_id(1), *others]
    assert len(traces[0].spans) == 2


def test_ids_found_are_the_low_halves_when_traces_group_by_them() -> None:
    store = a_store(a_span(a_trace_id(1), 1), a_span(a_short_trace_id(1), 2))

    assert AssembledTraces(LENIENT).ids_found(store, a_query()) == [a_short_trace_id(1)]
