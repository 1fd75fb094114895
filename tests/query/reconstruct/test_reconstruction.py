"""What holds for every trace, however broken, and what a whole one looks like."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.reconstruction import ClockRule, Reconstruction, reconstruct
from query.reconstruct.tree import RootReason
from storage.span import Endpoint, Protocol, Resource, Span, SpanKind, StatusCode
from storage.trace_summary import ServiceSummary
from tests.builders import MS, TODAY_NS, a_short_trace_id, a_span, a_trace_id, a_zipkin_span, a_zipkin_trace, exactly
from tests.query.reconstruct.notation import outline, trace
from tests.query.reconstruct.tangled import tangled_traces
from tests.span_strategies import spans as any_spans
from tests.storage.linking.traces import TRACES

clock_rules = st.sampled_from(ClockRule)
traces = tangled_traces() | TRACES.filter(bool) | st.lists(any_spans(), min_size=1, max_size=4)


@given(traces, st.randoms(use_true_random=False), clock_rules, st.sampled_from([0, MS, 10**12]))
def test_the_order_of_arrival_changes_nothing(
    spans: list[Span], chance: random.Random, clocks: ClockRule, max_skew_ns: int
) -> None:
    shuffled = list(spans)
    chance.shuffle(shuffled)

    assert _exactly(reconstruct(shuffled, clocks=clocks, max_clock_skew_ns=max_skew_ns)) == _exactly(
        reconstruct(spans, clocks=clocks, max_clock_skew_ns=max_skew_ns)
    )


@given(traces, clock_rules)
def test_every_span_is_in_the_tree_exactly_once(spans: list[Span], clocks: ClockRule) -> None:
    found = reconstruct(spans, clocks=clocks, max_clock_skew_ns=10**12)

    assert sum(one.reports for one in found.trace.spans) == found.summary.reports == len(spans)
    assert sorted(found.tree.order) == list(range(len(found.trace.spans)))


@given(tangled_traces())
def test_spans_that_came_whole_are_all_shown_as_themselves(spans: list[Span]) -> None:
    """Their names are unique: only equal ones are one."""
    whole = {span.name for span in spans if span.protocol is not Protocol.ZIPKIN}

    shown = Counter(one.span.name for one in reconstruct(spans).trace.spans)
    assert {name: shown[name] for name in whole} == dict.fromkeys(whole, 1)


@given(traces)
def test_repeated_reports_change_nothing_but_their_count(spans: list[Span]) -> None:
    once, twice = reconstruct(spans), reconstruct([*spans, *spans])

    assert [exactly(one.span) for one in twice.trace.spans] == [exactly(one.span) for one in once.trace.spans]
    assert [one.reports for one in twice.trace.spans] == [2 * one.reports for one in once.trace.spans]
    assert (twice.tree, twice.path) == (once.tree, once.path)


@given(traces)
def test_the_tree_is_a_tree(spans: list[Span]) -> None:
    tree = reconstruct(spans).tree
    place = {at: number for number, at in enumerate(tree.order)}

    for at, parent in enumerate(tree.parents):
        if parent is None:
            assert (at in tree.roots, tree.depths[at]) == (True, 0)
        else:
            assert place[parent] < place[at]
            assert at in tree.children[parent]
            assert tree.depths[at] == tree.depths[parent] + 1
            assert at not in tree.roots
    assert sum(map(len, tree.children)) + len(tree.roots) == len(tree.order)


@given(traces)
def test_a_child_stands_below_a_span_that_has_its_parents_id_now(spans: list[Span]) -> None:
    found = reconstruct(spans)
    shown = [one.span for one in found.trace.spans]
    ids = {span.span_id for span in shown}

    for span, parent in zip(shown, found.tree.parents, strict=True):
        assert parent is None or shown[parent].span_id == span.parent_span_id
    for root, reason in found.tree.roots.items():
        assert (reason is RootReason.PARENTLESS) == (shown[root].parent_span_id is None)
        assert (reason is RootReason.CIRCLE) == (shown[root].parent_span_id in ids)


@given(traces)
def test_a_self_time_is_within_the_duration(spans: list[Span]) -> None:
    found = reconstruct(spans)

    for one, self_ns in zip(found.trace.spans, found.self_times_ns, strict=True):
        assert (self_ns is None) == (one.span.start_ns is None)
        assert self_ns is None or 0 <= self_ns <= max(0, one.span.duration_ns or 0)


def test_zipkins_standard_trace_is_one_chain_with_its_times() -> None:
    found = reconstruct(a_zipkin_trace())

    assert [found.tree.depths[at] for at in found.tree.order] == [0, 1, 2, 3]
    assert [time_ns and time_ns // MS for time_ns in found.self_times_ns] == [150, 50, 100, 50]
    assert {at: time_ns // MS for at, time_ns in found.path.times_ns().items()} == {0: 150, 1: 50, 2: 100, 3: 50}


def test_a_trace_is_summed_up() -> None:
    found = reconstruct(
        trace(
            "a S web t0+100, b<a C web t10+50, b S app t20+30 sh !, b S app t20+30 sh !, c<b I app t25+5, "
            "o<x S db t200+10 otlp, y<z - t1, z<y - t2"
        )
    ).summary

    assert (found.listed.root_service, found.listed.root_operation, found.root) == ("web", "a", 0)
    assert (found.listed.start_ns, found.listed.end_ns) == (TODAY_NS, TODAY_NS + 210_000)
    assert (found.listed.spans, found.reports, found.listed.errors, found.depth) == (7, 8, 1, 4)
    assert (found.roots, found.orphans, found.circles) == (3, 1, 1)
    assert found.listed.services == (
        ServiceSummary("app", 2, 1),
        ServiceSummary("db", 1, 0),
        ServiceSummary("missing-service-name", 2, 0),
        ServiceSummary("web", 2, 0),
    )


def test_sidecars_by_zipkin_and_an_application_by_otlp_are_one_tree() -> None:
    """Gateway and sidecar share ids; the application has ids of its own; one server half was retried by its sender."""
    gateway = a_zipkin_span(span=0xA, name="out", kind=SpanKind.CLIENT, service="gateway.istio-system", tags={})
    sidecar = a_zipkin_span(
        span=0xA, name="in", kind=SpanKind.SERVER, shared=True, service="page.default", start_ns=TODAY_NS + MS, tags={}
    )
    app = a_span(span=0xB, parent=0xA, name="app", kind=SpanKind.SERVER, service="page", start_ns=TODAY_NS + 2 * MS)
    call = a_span(span=0xC, parent=0xB, name="call", kind=SpanKind.CLIENT, service="page", start_ns=TODAY_NS + 3 * MS)

    found = reconstruct([call, sidecar, app, sidecar, gateway])

    assert outline(found.trace.spans, found.tree) == "out(in(app(call)))"
    assert found.summary.reports == 5


def test_what_was_sent_is_kept_as_it_was_sent() -> None:
    """Jaeger's view repairs durations and sorts attributes; this one does not."""
    (zero, absent) = reconstruct(
        [a_span(duration_ns=0, attributes={"b": 1, "a": 2}), a_zipkin_span(1, 2, parent=1, duration_ns=None)]
    ).trace.spans

    assert (zero.span.duration_ns, list(zero.span.attributes), zero.warnings) == (0, ["b", "a"], ())
    assert absent.span.duration_ns is None


@pytest.mark.parametrize(
    ("clocks", "max_skew_ns", "moved_ms", "warned"),
    [
        (ClockRule.JAEGER, 0, 0, True),
        (ClockRule.JAEGER, 10 * MS, 7, True),
        (ClockRule.ZIPKIN, 0, 7, True),
        (ClockRule.NONE, 0, 0, False),
    ],
)
def test_clocks_are_corrected_by_the_rule_asked_for(
    clocks: ClockRule, max_skew_ns: int, moved_ms: int, warned: bool
) -> None:
    client = a_zipkin_span(span=1, kind=SpanKind.CLIENT, start_ns=TODAY_NS, local=Endpoint(ipv4="10.0.0.1"))
    server = a_zipkin_span(
        span=2, parent=1, kind=SpanKind.SERVER, start_ns=TODAY_NS - 7 * MS, local=Endpoint(ipv4="10.0.0.2")
    )

    found = reconstruct([client, server], clocks=clocks, max_clock_skew_ns=max_skew_ns).trace.spans

    (called,) = (one for one in found if one.span.kind is SpanKind.SERVER)
    assert (called.span.start_ns, bool(called.warnings)) == (TODAY_NS + (moved_ms - 7) * MS, warned)


def test_spans_found_by_the_low_half_of_their_trace_id_are_one_trace_and_one_span() -> None:
    """STRICT_TRACE_ID=false: a retry through a proxy that cut the id."""
    long, short = (a_zipkin_span(trace_id, 1) for trace_id in (a_trace_id(7), a_short_trace_id(7)))

    found = reconstruct([short, long, a_zipkin_span(a_short_trace_id(7), 2, parent=1)])

    assert found.trace.trace_id == a_trace_id(7)
    assert [(one.span.trace_id, one.reports) for one in found.trace.spans] == [(a_trace_id(7), 2), (a_trace_id(7), 1)]


def test_warnings_of_the_sender_are_kept_apart_from_attributes() -> None:
    (one,) = reconstruct([a_span(attributes={"@jaeger@warnings": ["w"], "a": 1})]).trace.spans

    assert (one.warnings, one.span.attributes) == (("w",), {"a": 1})


def test_a_trace_without_spans_cannot_be_reconstructed() -> None:
    with pytest.raises(ValueError, match="expected at least one span"):
        reconstruct([])


def test_the_status_error_and_an_error_tag_are_errors() -> None:
    found = reconstruct(
        [
            a_span(1, 1, status_code=StatusCode.ERROR, resource=Resource({"host.name": "h"})),
            a_zipkin_span(1, 2, parent=1, tags={"error": "boom"}),
            a_span(1, 3, parent=1, attributes={"error": True}),
        ]
    )

    assert found.summary.listed.errors == 2


def _exactly(found: Reconstruction) -> object:
    spans = [(exactly(one), one.warnings, one.reports) for one in found.trace.spans]
    return found.trace.trace_id, spans, found.tree, found.self_times_ns, found.path, found.summary
