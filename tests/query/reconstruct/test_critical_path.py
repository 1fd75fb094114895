"""The critical path, as sections `span start-end` in microseconds, of each root by time.

The first cases are drawn as in Jaeger's UI, whose definition it is.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.critical_path import critical_path
from query.reconstruct.reconstruction import ClockRule, reconstruct
from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import tree_of
from query.reconstruct.waiting import Waits, waits_of
from storage.span import SpanKind
from tests.builders import TODAY_NS, US, a_span
from tests.query.reconstruct.notation import since_us, trace


def path(spans: str) -> str:
    found = reconstruct(trace(spans), clocks=ClockRule.NONE)
    shown = found.trace.spans
    return ", ".join(
        f"{shown[at].span.name} {since_us(start_ns)}-{since_us(end_ns)}" for at, start_ns, end_ns in found.path.sections
    )


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a S t0+10", "a 0-10", id="one span"),
        pytest.param("a S t0+10, b<a I t2+3", "a 0-2, b 2-5, a 5-10", id="one child"),
        pytest.param(
            "a S t0+20, b<a I t2+5, c<a I t10+6", "a 0-2, b 2-7, a 7-10, c 10-16, a 16-20", id="one after the other"
        ),
        pytest.param("a S t0+20, b<a I t2+5, c<a I t4+12", "a 0-4, c 4-16, a 16-20", id="the last to finish"),
        pytest.param(
            "a S t0+20, b<a I t1+2, c<a I t2+9, d<a I t5+10", "a 0-1, b 1-3, a 3-5, d 5-15, a 15-20", id="overlaps"
        ),
        pytest.param(
            "a S t0+20, b<a I t2+10, c<b I t3+2, d<b I t6+4",
            "a 0-2, b 2-3, c 3-5, b 5-6, d 6-10, b 10-12, a 12-20",
            id="deeper",
        ),
        pytest.param("a S t0+10, b<a I t0+10, c<b I t0+10", "c 0-10", id="children that fill their parents"),
        pytest.param("a S t0+10, b<a I t0+5, c<a I t5+5", "b 0-5, c 5-10", id="children that touch"),
        pytest.param("a S t0+10, b<a I t6+90", "a 0-6, b 6-10", id="a child that outlives its parent"),
        pytest.param(
            "a S t0+10, b<a I t6+90, c<b I t8+1, d<b I t50+5",
            "a 0-6, b 6-8, c 8-9, b 9-10",
            id="below it what is within",
        ),
        pytest.param("a S t10+10, b<a I t5+8", "b 10-13, a 13-20", id="a child that began before its parent"),
        pytest.param("a S t10+10, b<a I t5+20", "b 10-20", id="a child that covers its parent"),
        pytest.param("a S t0+10, b<a I t10+5", "a 0-10", id="a child that began when its parent was done"),
        pytest.param("a S t10+10, b<a I t1+9, c<b I t12+3", "a 10-20", id="a child before its parent, and all below"),
        pytest.param("a S t0+10, b<a P t2+3, c<b N t4+9", "a 0-10", id="a message goes its own way"),
        pytest.param("a N t0+10, b<a I t2+3", "a 0-2, b 2-5, a 5-10", id="a consumer that is the root"),
        pytest.param("a S t0+10, b<a I t4+0", "a 0-10", id="a child of no duration"),
        pytest.param("a S t4+0, b<a I t4+9", "", id="a root of no duration"),
        pytest.param("a S, b<a I t4+9", "", id="a root without a start"),
        pytest.param("a S t0+10, b<a I, c<b I t4+2", "a 0-4, c 4-6, a 6-10", id="through a child without a start"),
        pytest.param("a S t0+9, b S t20+9, c<b I t22+3", "a 0-9, b 20-22, c 22-25, b 25-29", id="two roots"),
        pytest.param("a<x I t0+9, b<x I t5+9", "a 0-9, b 5-14", id="headless"),
        pytest.param("a<b I t0+9, b<a I t2+3", "a 0-2, b 2-5, a 5-9", id="a circle"),
        pytest.param("a C web t0+10, a S app t2+6 sh", "a 0-2, a' 2-8, a 8-10", id="halves of a call"),
        pytest.param("a S t0+9, b<a I t2+4, c<a I t3+3", "a 0-2, b 2-6, a 6-9", id="of equal ends the earlier start"),
    ],
)
def test_the_path_follows_the_child_that_finished_last(spans: str, expected: str) -> None:
    assert path(spans) == expected


def test_a_span_that_only_waited_is_on_the_path_without_time_of_its_own() -> None:
    found = reconstruct(trace("a S t0+10, b<a I t0+10, c<a I t2+3"), clocks=ClockRule.NONE)

    names = {at: one.span.name for at, one in enumerate(found.trace.spans)}
    assert {names[at] for at in found.path.spans} == {"a", "b"}
    assert {names[at]: time_ns for at, time_ns in found.path.times_ns().items()} == {"b": 10 * US}


def test_clocks_are_corrected_before_the_path_is_found() -> None:
    found = reconstruct(trace("a C web@1 t20+20, a S app@2 t10+10 sh"), clocks=ClockRule.ZIPKIN)

    assert [since_us(start_ns) for _, start_ns, _ in found.path.sections] == [20, 25, 35]


def test_a_chain_deeper_than_the_call_stack_has_a_path() -> None:
    count = 20_000
    spans = [
        TraceSpan(a_span(span=n, parent=n - 1 or None, start_ns=TODAY_NS + n, duration_ns=2 * (count - n) + 1))
        for n in range(1, count)
    ]

    tree = tree_of(spans)
    assert len(critical_path(tree, waits_of(spans, tree)).sections) == 2 * (count - 1) - 1


@st.composite
def timed_traces(draw: st.DrawFn) -> list[TraceSpan]:
    """One tree whose times are as they please: overlapping, touching, outside of their parents, absent."""
    small = st.integers(0, 12)
    spans = [
        a_span(
            span=number,
            parent=draw(st.integers(1, number - 1)) if number > 1 else None,
            kind=draw(st.sampled_from([SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CONSUMER])),
            start_ns=draw(small) if draw(st.integers(0, 5)) else None,
            duration_ns=draw(small),
        )
        for number in range(1, draw(st.integers(1, 12)) + 1)
    ]
    return [TraceSpan(span) for span in spans]


@given(timed_traces())
def test_the_sections_of_a_root_fill_its_time_without_a_gap_or_an_overlap(spans: list[TraceSpan]) -> None:
    tree = tree_of(spans)
    waits = waits_of(spans, tree)
    found = critical_path(tree, waits)

    window = waits.windows[0]
    edges = [edge for _, *section in found.sections for edge in section]
    if window is None or window[0] == window[1]:
        assert edges == []
    else:
        assert (edges[0], edges[-1]) == window
        assert edges[1:-1:2] == edges[2::2]
    for at, start_ns, end_ns in found.sections:
        own = waits.windows[at]
        assert own is not None
        assert own[0] <= start_ns < end_ns <= own[1]
        assert at in found.spans


@given(timed_traces())
def test_the_path_is_what_the_definition_says(spans: list[TraceSpan]) -> None:
    """Against the definition written down literally, as a recursion."""
    tree = tree_of(spans)
    waits = waits_of(spans, tree)
    window = waits.windows[0]
    expected = _literally(waits, 0, window) if window else []

    assert [tuple(section) for section in critical_path(tree, waits).sections] == expected


def _literally(waits: Waits, at: int, window: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The path through one span in this window: cut the children to it, and go back from the end."""
    cut = []
    for child in waits.awaited[at]:
        own = waits.windows[child]
        assert own is not None
        cut.append((max(own[0], window[0]), min(own[1], window[1]), child))
    until = window[1]
    found: list[tuple[int, int, int]] = []
    while candidates := [part for part in cut if part[0] < part[1] <= until]:
        last = max(candidates, key=lambda part: part[1])
        found = [*_literally(waits, last[2], last[:2]), *([(at, last[1], until)] if last[1] < until else []), *found]
        until = last[0]
    return [*([(at, window[0], until)] if window[0] < until else []), *found]
