"""Every store sums up a trace as the definition (storage.trace_summary) does, and a search finds the same traces."""

from random import Random

import pytest
from msgspec.structs import replace

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.requests import RetentionPolicy
from storage.span import Protocol, Span, SpanKind, StatusCode
from storage.trace_summary import ServiceSummary, TraceSummary, trace_summary
from tests.builders import (
    HOUR,
    MS,
    SECOND,
    TODAY_NS,
    a_half_truncated_trace,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
)
from tests.contract.asking import a_query
from tests.contract.conftest import KEEP_EVERYTHING, RECEIVED_NS, Loaded, Writing
from tests.contract.test_agreement import corpus, random_query, random_span


def the_summary(store: SpanStore, *, strict: bool = True) -> TraceSummary:
    (found,) = store.find_trace_summaries(a_query(), strict=strict)
    return found


def test_a_trace_is_summed_up(store: SpanStore, write: Writing) -> None:
    write(
        a_span(1, 1, name="GET /", start_ns=TODAY_NS, duration_ns=10 * MS),
        a_span(1, 2, parent=1, start_ns=TODAY_NS + MS, duration_ns=20 * MS, status_code=StatusCode.ERROR),
        a_span(1, 3, parent=9, service="backend", start_ns=TODAY_NS + 2 * MS, duration_ns=MS),
    )

    assert the_summary(store) == TraceSummary(
        trace_id=a_trace_id(1),
        root_service="frontend",
        root_operation="GET /",
        start_ns=TODAY_NS,
        end_ns=TODAY_NS + 21 * MS,
        spans=3,
        errors=1,
        orphans=1,
        services=(ServiceSummary("backend", 1, 0), ServiceSummary("frontend", 2, 1)),
    )


def test_summaries_come_newest_first_and_no_more_than_asked_for(store: SpanStore, write: Writing) -> None:
    write(*(a_span(trace, start_ns=TODAY_NS + trace * MS) for trace in (2, 3, 1)))

    found = store.find_trace_summaries(a_query(limit=2))

    assert [one.trace_id for one in found] == [a_trace_id(3), a_trace_id(2)]


def test_a_summary_tells_of_all_spans_of_a_trace_whatever_one_was_looked_for(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace(1))

    (found,) = store.find_trace_summaries(a_query(service="backend", tags={"error": None}))

    assert (found.spans, found.root_service) == (4, "frontend")


def test_nothing_found_is_no_summary(store: SpanStore, write: Writing) -> None:
    write(a_span(1))

    assert store.find_trace_summaries(a_query(service="nobody")) == []


def test_a_span_that_was_sent_again_counts_once(store: SpanStore, write: Writing) -> None:
    write(a_span(attributes={"a": 1, "b": 2}), a_span(span=2, parent=1), a_span(attributes={"b": 2, "a": 1}))

    assert (the_summary(store).spans, the_summary(store).services) == (2, (ServiceSummary("frontend", 2, 0),))


def test_spans_that_only_look_alike_all_count(store: SpanStore, write: Writing) -> None:
    write(a_span(attributes={"a": 1}), a_span(attributes={"a": "1"}), a_span(attributes={"a": 1.0}))

    assert the_summary(store).spans == 3


def test_the_halves_of_a_shared_span_are_counted_apart_and_leave_no_orphan(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace(1))

    found = the_summary(store)

    assert (found.spans, found.orphans, found.root_service) == (4, 0, "frontend")


def test_a_shared_half_without_a_parent_is_no_root(store: SpanStore, write: Writing) -> None:
    write(
        a_span(span=1, kind=SpanKind.SERVER, service="callee", start_ns=TODAY_NS),
        a_span(span=1, kind=SpanKind.CLIENT, service="caller", start_ns=TODAY_NS + MS),
    )

    assert the_summary(store).root_service == "caller"


def test_a_span_that_is_its_own_parent_is_a_root_and_no_orphan(store: SpanStore, write: Writing) -> None:
    write(a_span(span=1, parent=1))

    assert (the_summary(store).root_service, the_summary(store).orphans) == ("frontend", 0)


def test_of_equally_early_roots_the_one_with_the_least_id_counts(store: SpanStore, write: Writing) -> None:
    write(a_span(span=2, name="second"), a_span(span=1, name="first"), a_span(span=3, start_ns=None, name="untimed"))

    assert the_summary(store).root_operation == "first"


def test_names_that_are_missing_are_shown_as_jaeger_shows_them(store: SpanStore, write: Writing) -> None:
    write(a_zipkin_span(name=None, service=None))

    found = the_summary(store)

    assert (found.root_service, found.root_operation) == ("missing-service-name", "empty-span-name")
    assert found.services == (ServiceSummary("missing-service-name", 1, 0),)


@pytest.mark.parametrize("duration_ns", [None, 0, -MS])
def test_a_span_that_took_no_time_ends_a_nanosecond_after_its_start(
    store: SpanStore, write: Writing, duration_ns: int | None
) -> None:
    write(a_span(start_ns=TODAY_NS, duration_ns=duration_ns))

    assert the_summary(store).end_ns == TODAY_NS + 1


def test_a_span_without_a_start_says_nothing_about_times(store: SpanStore, write: Writing) -> None:
    write(a_zipkin_span(start_ns=None, duration_ns=HOUR), a_span(span=2, parent=1, start_ns=TODAY_NS, duration_ns=MS))

    found = the_summary(store)

    assert (found.spans, found.start_ns, found.end_ns) == (2, TODAY_NS, TODAY_NS + MS)


def test_an_end_beyond_64_bits_is_held_at_the_last_moment(store: SpanStore, write: Writing) -> None:
    write(a_span(duration_ns=2**63 - 1))

    assert the_summary(store).end_ns == 2**63 - 1


@pytest.mark.parametrize(
    ("tags", "errors"),
    [
        ({"error": "false"}, 1),
        ({"error": "", "otel.status_code": "OK"}, 1),
        ({"otel.status_code": "STATUS_CODE_ERROR"}, 1),
        ({"otel.status_code": "ERROR"}, 0),
        ({"otel.status_code": "OK"}, 0),
        ({}, 0),
    ],
)
def test_a_zipkin_span_is_an_error_by_what_its_tags_say(
    store: SpanStore, write: Writing, tags: dict[str, str], errors: int
) -> None:
    write(a_zipkin_span(tags=tags))

    assert the_summary(store).errors == errors


def test_tags_of_other_protocols_do_not_make_an_error(store: SpanStore, write: Writing) -> None:
    tags = {"error": "true", "otel.status_code": "STATUS_CODE_ERROR"}
    write(a_span(attributes=tags), a_span(span=2, attributes=tags, protocol=Protocol.JAEGER))

    assert the_summary(store).errors == 0


def test_a_span_that_comes_late_changes_the_summary(store: SpanStore) -> None:
    for spans in ([a_span(span=2, parent=1)], [a_span(span=1, name="root", service="edge")]):
        store.write(SpanBatch.of(spans, RECEIVED_NS))
        store.maintain(KEEP_EVERYTHING, RECEIVED_NS)

    found = the_summary(store)

    assert (found.spans, found.orphans, found.root_service, found.root_operation) == (2, 0, "edge", "root")


def test_a_trace_of_which_a_part_was_dropped_is_summed_up_from_the_rest(store: SpanStore) -> None:
    store.write(SpanBatch.of([a_span(span=1)], RECEIVED_NS))
    store.maintain(KEEP_EVERYTHING, RECEIVED_NS)
    store.write(SpanBatch.of([a_span(span=2, parent=1)], RECEIVED_NS + HOUR))
    store.maintain(RetentionPolicy(HOUR, None), RECEIVED_NS + HOUR + SECOND)

    found = the_summary(store)

    assert (found.spans, found.orphans, found.root_service) == (1, 1, "")


def test_a_trace_whose_id_was_cut_is_one_only_when_ids_are_not_strict(store: SpanStore, write: Writing) -> None:
    write(*a_half_truncated_trace(1))

    strict = store.find_trace_summaries(a_query())
    (lenient,) = store.find_trace_summaries(a_query(), strict=False)

    assert {(one.trace_id, one.spans) for one in strict} == {(a_trace_id(1), 2), (a_short_trace_id(1), 2)}
    assert (lenient.trace_id, lenient.spans, lenient.orphans) == (a_trace_id(1), 4, 0)


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("seed", range(40))
def test_the_summaries_of_a_search_are_those_of_the_traces_it_finds(loaded: Loaded, seed: int, strict: bool) -> None:
    query, store = random_query(Random(seed)), loaded(corpus)

    expected = [trace_summary(trace) for trace in store.find_traces(query, strict=strict)]

    assert store.find_trace_summaries(query, strict=strict) == expected, query


def broken_traces() -> list[Span]:
    """Traces of few ids, so that spans share them, and of which many are sent again, some with other content."""
    draw = Random(1)
    spans = [random_span(draw, draw.randrange(1, 40), moment) for moment in range(400)]
    spans = [
        a_span(
            span.trace_id,
            int.from_bytes(span.span_id, "big"),
            parent=draw.choice([None, 1, 2, 3, 50]),
            name=span.name,
            service=span.service,
            kind=span.kind,
            protocol=span.protocol,
            shared=draw.random() < 0.3,
            start_ns=span.start_ns,
            duration_ns=span.duration_ns,
            status_code=span.status_code,
            attributes=span.attributes,
        )
        for span in spans
    ]
    again = draw.sample(spans, 100)
    return spans + again[:60] + [a_span_like(span) for span in again[60:]]


def a_span_like(span: Span) -> Span:
    return replace(span, attributes={**span.attributes, "again": True})


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_broken_traces_are_summed_up_as_the_definition_does(loaded: Loaded, strict: bool) -> None:
    store, query = loaded(broken_traces), a_query(limit=1000)

    traces = store.find_traces(query, strict=strict)

    assert len(traces) > 50
    assert store.find_trace_summaries(query, strict=strict) == [trace_summary(trace) for trace in traces]
