"""A store and its archive, read as one."""

import pytest

from storage.archive import ReaderWithArchive
from storage.batch import SpanBatch
from storage.memory import MemoryStore
from storage.requests import CallQuery
from storage.span import Span, SpanKind
from tests.builders import HOUR, TODAY_NS, a_short_trace_id, a_span, a_trace_id
from tests.contract.asking import a_query, number_of


def a_store(*spans: Span) -> MemoryStore:
    store = MemoryStore(max_spans=100, autocomplete_keys=("k",))
    store.write(SpanBatch.of(spans, TODAY_NS))
    return store


def test_traces_come_in_the_order_asked_from_wherever_they_are() -> None:
    reader = ReaderWithArchive(a_store(a_span(1), a_span(3)), a_store(a_span(2), a_span(4)))

    found = reader.get_traces([a_trace_id(number) for number in (4, 1, 5, 2, 4, 3)])

    assert [number_of(trace) for trace in found] == [4, 1, 2, 3]


def test_a_trace_in_both_comes_from_the_store_alone() -> None:
    reader = ReaderWithArchive(a_store(a_span(1, 1, name="store")), a_store(a_span(1, 1, name="archive"), a_span(1, 2)))

    (trace,) = reader.get_traces([a_trace_id(1)])

    assert [span.name for span in trace] == ["store"]


def test_lenient_ids_find_the_archived_sibling_and_strict_ones_do_not() -> None:
    reader = ReaderWithArchive(a_store(), a_store(a_span(a_short_trace_id(1))))

    assert len(reader.get_traces([a_trace_id(1)], strict=False)) == 1
    assert reader.get_traces([a_trace_id(1)]) == []


def test_the_archive_is_not_asked_when_the_store_has_everything() -> None:
    class Unreadable(MemoryStore):
        def get_traces(self, *_: object, **__: object) -> list[list[Span]]:
            pytest.fail("the archive was asked")

    reader = ReaderWithArchive(a_store(a_span(1)), Unreadable(max_spans=1, autocomplete_keys=()))

    assert len(reader.get_traces([a_trace_id(1)])) == 1


def test_everything_but_traces_by_id_is_the_stores_alone() -> None:
    spans = [
        a_span(1, 1, kind=SpanKind.CLIENT, attributes={"k": "v"}),
        a_span(1, 2, parent=1, kind=SpanKind.SERVER, service="backend"),
    ]
    full, empty = ReaderWithArchive(a_store(*spans), a_store()), ReaderWithArchive(a_store(), a_store(*spans))
    calls = CallQuery(("backend",), (int(SpanKind.SERVER),), TODAY_NS + HOUR, HOUR, 1, HOUR)

    def answers(reader: ReaderWithArchive) -> list[int]:
        return [
            len(reader.find_traces(a_query())),
            len(reader.find_traces_where(a_query(), lambda _: True)),
            len(reader.find_trace_ids(a_query())),
            len(reader.services()),
            len(reader.operations("frontend")),
            len(reader.tag_values("k")),
            len(reader.dependencies(TODAY_NS, TODAY_NS + HOUR)),
            len(reader.call_series(calls)),
        ]

    assert answers(full) == [1, 1, 1, 2, 1, 1, 1, 1]
    assert answers(empty) == [0] * 8
