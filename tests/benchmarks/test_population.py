"""The loader's bulk-built batches are spans like any other."""

from collections import Counter

import pytest

from storage import attributes as attrs
from storage.batch import SpanBatch, search_tokens
from storage.rows import span_of
from storage.span import Span, SpanKind, StatusCode
from tests.benchmarks.population import REALISTIC, SPANS_PER_SECOND, Population, TraceSample
from tests.benchmarks.vocabulary import SERVICES

_FIRST_NS = 1_795_000_000 * 10**9
_ABOUT = 5_000


@pytest.fixture(scope="module")
def made() -> tuple[SpanBatch, list[TraceSample]]:
    return Population(_FIRST_NS, attribute_sets_per_kind=500).batch(_ABOUT, received_ns=7)


@pytest.fixture(scope="module")
def spans(made: tuple[SpanBatch, list[TraceSample]]) -> list[Span]:
    return [span_of(row) for row in made[0].rows()]


def test_batch_has_about_the_spans_asked_in_traces_of_about_ten(spans: list[Span]) -> None:
    traces = Counter(span.trace_id for span in spans)
    assert 0.8 * _ABOUT < len(spans) < 1.2 * _ABOUT
    assert 8 < len(spans) / len(traces) < 12
    assert max(traces.values()) > 25


def test_samples_tell_how_many_spans_their_traces_have(
    made: tuple[SpanBatch, list[TraceSample]], spans: list[Span]
) -> None:
    traces = Counter(span.trace_id.hex() for span in spans)
    assert 20 <= len(made[1]) <= 40
    assert all(traces[sample.trace_id] == sample.spans for sample in made[1])


def test_every_parent_is_in_the_trace_and_every_callee_below_its_caller(spans: list[Span]) -> None:
    known = {(span.trace_id, span.span_id): span for span in spans}
    below = {SpanKind.SERVER: SpanKind.CLIENT, SpanKind.CONSUMER: SpanKind.PRODUCER}
    for span in spans:
        if span.parent_span_id is None:
            assert span.kind is SpanKind.SERVER
            continue
        parent = known[(span.trace_id, span.parent_span_id)]
        if span.kind in below:
            assert parent.kind is below[span.kind]
        else:
            assert parent.kind in below
            assert parent.service == span.service


def test_tokens_and_keys_are_those_of_the_attributes(
    made: tuple[SpanBatch, list[TraceSample]], spans: list[Span]
) -> None:
    records = made[0].records
    for span, tokens, keys in zip(
        spans, records.column("tokens").to_pylist(), records.column("attribute_keys").to_pylist(), strict=True
    ):
        assert sorted(tokens) == sorted(search_tokens(span))
        assert keys == attrs.key_set(list(span.attributes))


def test_two_percent_are_errors_with_an_exception_event(spans: list[Span]) -> None:
    failed = [span for span in spans if span.status_code is StatusCode.ERROR]
    assert 0.01 < len(failed) / len(spans) < 0.03
    assert all([event.name for event in span.events] == ["exception"] for span in failed)


def test_attributes_have_their_types_and_numbers(spans: list[Span]) -> None:
    assert {len(span.attributes) for span in spans} <= set(range(6, 13))
    assert {type(value) for span in spans for value in span.attributes.values()} == {str, int, float, bool, bytes, list}
    assert all(len(span.resource.attributes) == 5 for span in spans)
    assert {span.service for span in spans} == set(SERVICES)


def test_batches_follow_one_another_in_time_at_the_intended_density() -> None:
    population = Population(_FIRST_NS, attribute_sets_per_kind=500)
    first, _ = population.batch(_ABOUT, received_ns=0)
    second, _ = population.batch(_ABOUT, received_ns=0)
    begins = [min(batch.records.column("start_ns").to_pylist()) for batch in (first, second)]
    assert abs(begins[1] - _FIRST_NS - len(first) * 10**9 // SPANS_PER_SECOND) < 2 * 10**9


def test_spans_arrive_out_of_order(spans: list[Span]) -> None:
    starts = [span.start_ns or 0 for span in spans]
    assert starts != sorted(starts)


def test_realistic_traces_are_larger_have_further_roots_and_arrive_in_part_with_the_next_batch() -> None:
    population = Population(_FIRST_NS, attribute_sets_per_kind=500, shape=REALISTIC)
    first, samples = population.batch(_ABOUT, received_ns=7)
    late = population.rest()
    traces: dict[str, list[Span]] = {}
    for batch in (first, late):
        for row in batch.rows():
            span = span_of(row)
            traces.setdefault(span.trace_id.hex(), []).append(span)

    sizes = [len(spans) for spans in traces.values()]
    roots = [sum(span.parent_span_id is None for span in spans) for spans in traces.values()]

    assert min(sizes) >= 10
    assert 30 < sum(sizes) / len(sizes) < 50
    assert max(sizes) < 200
    assert sum(count > 1 for count in roots) > len(roots) / 5
    assert len({span.service for spans in traces.values() for span in spans}) > 30
    assert 0 < len(late) < len(first) / 50
    assert all(len(traces[sample.trace_id]) == sample.spans for sample in samples)
    assert len(population.rest()) == 0


def test_what_is_late_arrives_first_in_the_next_batch() -> None:
    population = Population(_FIRST_NS, attribute_sets_per_kind=500, shape=REALISTIC)
    (first, _), (second, _) = (population.batch(_ABOUT, received_ns=7) for _ in range(2))

    known = {span_of(row).trace_id for row in first.rows()}

    assert span_of(next(iter(second.rows()))).trace_id in known
