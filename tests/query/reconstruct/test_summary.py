"""What a list shows of a trace: reference section 2.2, the summary rules."""

from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.assembly import assemble
from query.reconstruct.summary import summarize
from storage.span import Span, SpanKind, StatusCode
from storage.trace_summary import ServiceSummary, TraceSummary, trace_summary
from tests.builders import MS, TODAY_NS, a_span, a_trace_id, a_zipkin_span, a_zipkin_trace
from tests.query.reconstruct.tangled import tangled_traces
from tests.span_strategies import spans as any_spans


@given(tangled_traces() | st.lists(any_spans(), min_size=1, max_size=4))
def test_what_stores_tell_of_a_trace_is_what_jaegers_chain_makes_of_it(spans: list[Span]) -> None:
    assert trace_summary(spans) == summarize(assemble(spans))


def summary_of(*spans: Span) -> TraceSummary:
    return summarize(assemble(spans))


def test_a_trace_is_summed_up() -> None:
    found = summary_of(
        a_span(1, 1, name="GET /", start_ns=TODAY_NS, duration_ns=10 * MS),
        a_span(1, 2, parent=1, start_ns=TODAY_NS + MS, duration_ns=20 * MS, status_code=StatusCode.ERROR),
        a_span(1, 3, parent=1, service="backend", start_ns=TODAY_NS + 2 * MS, duration_ns=MS),
    )

    assert found == TraceSummary(
        trace_id=a_trace_id(1),
        root_service="frontend",
        root_operation="GET /",
        start_ns=TODAY_NS,
        end_ns=TODAY_NS + 21 * MS,
        spans=3,
        errors=1,
        orphans=0,
        services=(ServiceSummary("backend", 1, 0), ServiceSummary("frontend", 2, 1)),
    )


def test_of_several_spans_without_a_parent_the_earliest_is_the_root() -> None:
    found = summary_of(
        a_span(1, 1, name="late", service="b", start_ns=TODAY_NS + MS),
        a_span(1, 2, name="early", service="a", start_ns=TODAY_NS),
    )

    assert (found.root_service, found.root_operation) == ("a", "early")


def test_a_trace_in_which_every_span_has_a_parent_has_no_root() -> None:
    found = summary_of(a_span(1, 1, parent=9), a_span(1, 2, parent=1))

    assert (found.root_service, found.root_operation, found.orphans) == ("", "", 1)


def test_only_the_status_error_is_an_error() -> None:
    found = summary_of(
        a_span(1, 1, attributes={"error": True, "http.status_code": 500}),
        a_span(1, 2, parent=1, status_code=StatusCode.OK),
        a_zipkin_span(1, 3, parent=1, tags={"error": "boom"}),
    )

    assert found.errors == 1


def test_the_halves_of_a_shared_span_are_counted_apart_and_leave_no_orphan() -> None:
    found = summary_of(*a_zipkin_trace(1))

    assert (found.spans, found.orphans, found.root_service) == (4, 0, "frontend")


def test_a_span_that_was_sent_twice_is_counted_once() -> None:
    assert summary_of(a_span(1, 1), a_span(1, 1)).spans == 1


def test_a_span_without_a_start_says_nothing_about_times() -> None:
    timed = a_span(1, 2, parent=1, start_ns=TODAY_NS, duration_ns=MS)
    found = summary_of(a_zipkin_span(1, 1, start_ns=None, duration_ns=None), timed)

    assert (found.spans, found.start_ns, found.end_ns) == (2, TODAY_NS, TODAY_NS + MS)


def test_a_trace_without_any_start_has_no_times() -> None:
    found = summary_of(a_zipkin_span(1, 1, kind=SpanKind.CLIENT, start_ns=None, duration_ns=None))

    assert (found.start_ns, found.end_ns) == (None, None)
