"""Traces by their ids: order, what is unknown, and the length of ids."""

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.ids import TraceId
from tests.builders import (
    DAY,
    MS,
    TODAY_NS,
    a_half_truncated_trace,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
    exactly,
)
from tests.contract.asking import a_query, number_of, same_spans
from tests.contract.conftest import Writing


def test_unknown_ids_give_no_trace(store: SpanStore, write: Writing) -> None:
    write(a_span(1))
    assert store.get_traces([a_trace_id(2)]) == []


def test_an_empty_store_gives_no_trace(store: SpanStore) -> None:
    assert store.get_traces([a_trace_id(1), a_trace_id(2)]) == []


def test_no_ids_give_no_trace(store: SpanStore) -> None:
    store.write(SpanBatch.of([a_span(1)]))
    assert store.get_traces([]) == []
    assert store.get_traces([], strict=False) == []


def test_only_the_known_ones_of_the_ids_come_back(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITTraces: getTraces(ids) returns only existing of requested."""
    write(a_span(1), a_span(2))
    assert [number_of(trace) for trace in store.get_traces([a_trace_id(3), a_trace_id(2)])] == [2]


@pytest.mark.parametrize("strict", [True, False])
def test_traces_come_in_the_order_their_ids_were_asked(store: SpanStore, write: Writing, strict: bool) -> None:
    write(*(a_span(n, start_ns=TODAY_NS + n * MS) for n in (1, 2, 3, 4)))
    asked = [a_trace_id(n) for n in (3, 1, 4, 2)]
    assert [number_of(trace) for trace in store.get_traces(asked, strict=strict)] == [3, 1, 4, 2]


@pytest.mark.parametrize("strict", [True, False])
def test_an_id_that_is_asked_twice_gives_its_trace_once_at_its_first_mention(store: SpanStore, strict: bool) -> None:
    store.write(SpanBatch.of([a_span(1), a_span(2)]))
    asked = [a_trace_id(2), a_trace_id(1), a_trace_id(2)]
    assert [number_of(trace) for trace in store.get_traces(asked, strict=strict)] == [2, 1]


def test_spans_come_in_the_order_they_were_written_whatever_their_start(store: SpanStore, write: Writing) -> None:
    order = [5, 1, 9, 3, 7, 2]
    write(*(a_span(span=n, start_ns=TODAY_NS + n * MS) for n in order))
    (trace,) = store.get_traces([a_trace_id(1)])
    assert [int.from_bytes(span.span_id, "big") for span in trace] == order


def test_spans_of_two_interleaved_traces_come_back_apart(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITSpanStore: two spans each in traces A and B, interleaved."""
    spans = [a_span(1, 1), a_span(2, 1), a_span(1, 2), a_span(2, 2)]
    write(*spans)
    traces = store.get_traces([a_trace_id(1), a_trace_id(2)])
    assert exactly(traces) == exactly([[spans[0], spans[2]], [spans[1], spans[3]]])


def test_a_trace_whose_spans_lie_days_apart_comes_back_whole(store: SpanStore, write: Writing) -> None:
    spans = [a_span(span=n, start_ns=TODAY_NS + n * DAY) for n in (1, 2, 3, 40)]
    write(*spans)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([spans])


def test_spans_without_a_start_come_back_with_their_trace(store: SpanStore, write: Writing) -> None:
    spans = [a_span(span=1), a_span(span=2, start_ns=None, duration_ns=None), a_span(span=3)]
    write(*spans)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([spans])


def test_a_trace_without_any_start_comes_back(store: SpanStore, write: Writing) -> None:
    spans = [a_span(span=n, start_ns=None) for n in (1, 2)]
    write(*spans)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([spans])


def test_a_fragment_that_arrives_after_upkeep_joins_its_trace(store: SpanStore, write: Writing) -> None:
    write(a_span(1, 1), a_span(2, 1))
    late = a_span(1, 2, start_ns=TODAY_NS - 30 * DAY)
    store.write(SpanBatch.of([late]))
    (trace,) = store.get_traces([a_trace_id(1)])
    assert exactly(trace[1:]) == exactly([late])


def test_a_trace_of_ten_thousand_spans_in_many_exports_comes_back_whole(store: SpanStore) -> None:
    """jaeger.md 4.2 T4: 10,008 spans."""
    spans = [a_span(span=n + 1, start_ns=TODAY_NS + n * MS) for n in range(10_008)]
    for first in range(0, len(spans), 417):
        store.write(SpanBatch.of(spans[first : first + 417]))
    (trace,) = store.get_traces([a_trace_id(1)])
    assert [span.span_id for span in trace] == [span.span_id for span in spans]


def test_one_trace_reported_by_three_services_comes_back_as_one(store: SpanStore, write: Writing) -> None:
    """jaeger.md 4.2 T3: 5 spans in 3 resources."""
    spans = [a_span(span=n, service=f"service-{n % 3}") for n in range(1, 6)]
    write(*spans)
    assert exactly(store.get_traces([a_trace_id(1)])) == exactly([spans])


class TestStrict:
    """zipkin.md 3.5: a 64-bit id and the 128-bit id that ends in it are different traces."""

    def test_the_low_half_of_an_id_does_not_find_its_trace(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITTraces: its low 16 chars -> []."""
        write(*a_zipkin_trace(1), *a_zipkin_trace(2))
        assert store.get_traces([a_short_trace_id(1)]) == []
        assert store.get_traces([a_short_trace_id(1), a_short_trace_id(2)]) == []

    def test_a_long_id_does_not_find_its_short_sibling(self, store: SpanStore, write: Writing) -> None:
        write(a_span(a_short_trace_id(1)))
        assert store.get_traces([a_trace_id(1)]) == []

    def test_siblings_come_back_as_two_traces(self, store: SpanStore, write: Writing) -> None:
        short, long = a_span(a_short_trace_id(1)), a_span(a_trace_id(1))
        write(short, long)
        assert exactly(store.get_traces([a_trace_id(1), a_short_trace_id(1)])) == exactly([[long], [short]])


class TestLenient:
    """zipkin.md 3.8 ITStrictTraceIdFalse: lookups and grouping by the low 64 bits."""

    def test_either_form_of_the_id_finds_a_long_trace(self, store: SpanStore, write: Writing) -> None:
        trace = a_zipkin_trace(1)
        write(*trace)
        for asked in (a_trace_id(1), a_short_trace_id(1)):
            assert exactly(store.get_traces([asked], strict=False)) == exactly([trace])

    def test_either_form_finds_all_spans_of_a_trace_with_truncated_ids(self, store: SpanStore, write: Writing) -> None:
        trace = a_half_truncated_trace(1)
        write(*trace)
        for asked in (a_trace_id(1), a_short_trace_id(1), TraceId(b"\xaa" * 8 + a_short_trace_id(1)[8:])):
            assert exactly(store.get_traces([asked], strict=False)) == exactly([trace])

    def test_a_short_trace_is_found_by_a_long_id(self, store: SpanStore, write: Writing) -> None:
        span = a_span(a_short_trace_id(1))
        write(span)
        assert exactly(store.get_traces([a_trace_id(1)], strict=False)) == exactly([[span]])

    @pytest.mark.parametrize(
        "asked",
        [
            [a_trace_id(1), a_short_trace_id(1), a_trace_id(3), a_short_trace_id(3)],
            [a_short_trace_id(1), a_short_trace_id(3)],
            [a_trace_id(1), a_trace_id(3)],
        ],
        ids=["both forms", "short", "long"],
    )
    def test_siblings_come_back_as_one_trace_an_id(
        self, store: SpanStore, write: Writing, asked: list[TraceId]
    ) -> None:
        pairs = {n: [a_zipkin_span(a_trace_id(n), 1), a_zipkin_span(a_short_trace_id(n), 2)] for n in (1, 2, 3)}
        write(*pairs[1], *pairs[2], *pairs[3])
        assert exactly(store.get_traces(asked, strict=False)) == exactly([pairs[1], pairs[3]])


def test_the_whole_trace_is_the_same_set_by_id_and_by_search(store: SpanStore, write: Writing) -> None:
    trace = a_zipkin_trace(1)
    write(*trace)
    (by_search,) = store.find_traces(a_query())
    assert same_spans(by_search, trace)
