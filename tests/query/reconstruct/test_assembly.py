"""The whole chain of adjusters."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.assembly import assemble
from query.reconstruct.trace import Trace, TraceSpan
from storage.span import Endpoint, Link, Resource, Span, SpanKind
from tests.builders import (
    MS,
    TODAY_NS,
    a_short_trace_id,
    a_span,
    a_span_id,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
    exactly,
)
from tests.query.reconstruct.tangled import tangled_traces
from tests.span_strategies import spans as any_spans


@given(tangled_traces(), st.randoms(use_true_random=False), st.sampled_from([0, MS, 10**12]))
def test_the_order_of_arrival_changes_nothing(spans: list[Span], chance: random.Random, max_skew_ns: int) -> None:
    shuffled = list(spans)
    chance.shuffle(shuffled)

    assert _exactly(assemble(shuffled, max_clock_skew_ns=max_skew_ns)) == _exactly(
        assemble(spans, max_clock_skew_ns=max_skew_ns)
    )


@given(tangled_traces(), st.sampled_from([0, 10**12]))
def test_every_distinct_span_is_shown_exactly_once(spans: list[Span], max_skew_ns: int) -> None:
    shown = assemble(spans, max_clock_skew_ns=max_skew_ns).spans

    assert sorted(one.span.name or "" for one in shown) == sorted({span.name or "" for span in spans})


@given(tangled_traces())
def test_no_server_span_has_the_id_of_a_client_span(spans: list[Span]) -> None:
    shown = [one.span for one in assemble(spans).spans]

    clients = {span.span_id for span in shown if span.kind is SpanKind.CLIENT}
    assert clients.isdisjoint(span.span_id for span in shown if span.kind is SpanKind.SERVER)


@given(tangled_traces())
def test_a_raw_trace_shows_every_span_that_is_stored(spans: list[Span]) -> None:
    shown = assemble(spans, raw=True).spans

    assert sorted(one.span.name or "" for one in shown) == sorted(span.name or "" for span in spans)
    assert {one.span.span_id for one in shown} == {span.span_id for span in spans}


@given(st.lists(any_spans(), min_size=1, max_size=5), st.booleans())
def test_any_spans_come_out_named_and_with_a_positive_duration(spans: list[Span], raw: bool) -> None:
    for one in assemble(spans, raw=raw).spans:
        assert one.span.name
        assert one.span.service
        assert (one.span.duration_ns or 0) > 0


@given(tangled_traces())
def test_the_spans_stand_by_start_then_id(spans: list[Span]) -> None:
    places = [(one.span.start_ns or 0, one.span.span_id) for one in assemble(spans, max_clock_skew_ns=10**12).spans]

    assert places == sorted(places)


def test_a_server_half_that_was_sent_twice_is_shown_once() -> None:
    trace = assemble([*a_zipkin_trace(), a_zipkin_trace()[2]])

    assert [one.span.span_id for one in trace.spans] == [a_span_id(n) for n in (1, 2, 4, 3)]


def test_zipkins_standard_trace_is_one_chain() -> None:
    trace = assemble(a_zipkin_trace())

    assert [one.span.parent_span_id for one in trace.spans] == [None, a_span_id(1), a_span_id(2), a_span_id(4)]
    assert [one.warnings for one in trace.spans] == [()] * 4


def test_sidecar_spans_and_application_spans_of_one_trace_are_one_tree() -> None:
    """Gateway and sidecar report to Zipkin under a shared id; the application reports OTLP and goes on to call."""
    gateway = a_zipkin_span(span=0xA, kind=SpanKind.CLIENT, service="gateway.istio-system", tags={})
    sidecar_in = a_zipkin_span(
        span=0xA, kind=SpanKind.SERVER, shared=True, service="page.default", start_ns=TODAY_NS + 101 * MS, tags={}
    )
    app = a_span(span=0xB, parent=0xA, kind=SpanKind.SERVER, service="page", start_ns=TODAY_NS + 102 * MS)
    app_call = a_span(span=0xC, parent=0xB, kind=SpanKind.CLIENT, service="page", start_ns=TODAY_NS + 103 * MS)
    sidecar_out = a_zipkin_span(
        span=0xC, parent=0xB, kind=SpanKind.SERVER, service="page.default", start_ns=TODAY_NS + 104 * MS, tags={}
    )

    shown = assemble([app_call, sidecar_out, app, sidecar_in, gateway]).spans

    assert [(one.span.span_id, one.span.parent_span_id) for one in shown] == [
        (a_span_id(0xA), None),
        (a_span_id(1), a_span_id(0xA)),
        (a_span_id(0xB), a_span_id(1)),
        (a_span_id(0xC), a_span_id(0xB)),
        (a_span_id(2), a_span_id(0xC)),
    ]


def test_a_raw_trace_keeps_ids_order_of_attributes_links_and_duplicates() -> None:
    link = Link(a_trace_id(0), a_span_id(0))
    spans = [
        a_zipkin_span(span=1, kind=SpanKind.CLIENT, tags={"b": "1", "a": "2"}),
        a_zipkin_span(span=1, kind=SpanKind.SERVER, shared=True, tags={}),
        a_span(span=2, parent=99, links=(link,), attributes={"ip": 1}),
        a_span(span=2, parent=99, links=(link,), attributes={"ip": 1}),
    ]

    shown = assemble(spans, raw=True).spans

    assert [one.span.span_id for one in shown] == [a_span_id(n) for n in (1, 1, 2, 2)]
    assert ["b", "a"] in [list(one.span.attributes) for one in shown]
    assert shown[2] == shown[3] == TraceSpan(spans[2])


def test_a_raw_trace_is_still_sanitized_for_jaeger_does_so_before_it_stores() -> None:
    (one,) = assemble([a_zipkin_span(name=None, service=None, duration_ns=None)], raw=True).spans

    assert (one.span.name, one.span.service, one.span.duration_ns) == ("empty-span-name", "missing-service-name", 1)
    assert len(one.warnings) == 1


def test_warnings_stand_in_the_order_of_the_adjusters() -> None:
    span = a_span(
        parent=99,
        duration_ns=0,
        attributes={"@jaeger@warnings": ["sent"], "telemetry.sdk.name": "a"},
        resource=Resource({"telemetry.sdk.name": "b"}),
        links=(Link(a_short_trace_id(0), a_span_id(1)),),
    )

    (one,) = assemble([span]).spans

    assert [warning.split()[0] for warning in one.warnings] == ["sent", "Negative", "parent", "conflicting", "Invalid"]


def test_a_clock_is_corrected_only_when_the_setting_allows_it() -> None:
    caller = a_span(span=1, resource=Resource({"host.name": "a"}), start_ns=TODAY_NS)
    called = a_zipkin_span(span=2, parent=1, local=Endpoint(ipv4="10.0.0.1"), start_ns=TODAY_NS - 7 * MS)

    warned, corrected = assemble([caller, called]), assemble([caller, called], max_clock_skew_ns=10 * MS)

    assert warned.spans[0].warnings == ("clock skew adjustment disabled; not applying calculated delta of 7ms",)
    assert warned.spans[0].span.start_ns == TODAY_NS - 7 * MS
    assert corrected.spans[1].span.start_ns == TODAY_NS


def test_spans_found_by_the_low_half_of_their_trace_id_take_the_long_id() -> None:
    """STRICT_TRACE_ID=false groups both forms; one trace has one id."""
    trace = assemble([a_span(a_short_trace_id(7)), a_span(a_trace_id(7), 2, parent=1)])

    assert trace.trace_id == a_trace_id(7)
    assert {one.span.trace_id for one in trace.spans} == {a_trace_id(7)}


def test_a_trace_without_spans_cannot_be_assembled() -> None:
    with pytest.raises(ValueError, match="expected at least one span"):
        assemble([])


def _exactly(trace: Trace) -> object:
    return trace.trace_id, [(exactly(one.span), one.warnings) for one in trace.spans]
