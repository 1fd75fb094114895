"""The tree: reference zipkin.md 5.2, and traces that are broken. `?` is an orphan, `~` the first of a circle.

Where Zipkin hangs an orphan or a further root below the first root, or below one that it makes up, it is a root here.
"""

from itertools import permutations

import pytest

from query.reconstruct.reconstruction import ClockRule, reconstruct
from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import RootReason, tree_of
from storage.span import Span
from tests.builders import a_span
from tests.query.reconstruct.notation import outline, trace


def tree(spans: str) -> str:
    found = reconstruct(trace(spans), clocks=ClockRule.NONE)
    return outline(found.trace.spans, found.tree)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a - web, a - web", "a", id="duplicates collapse"),
        pytest.param("d<c -, c<b -, b<a -, a -", "a(b(c(d)))", id="chain"),
        pytest.param("a -, b<a C foo, b<a S bar sh, c<b - bar", "a(b(b'(c)))", id="below the shared half"),
        pytest.param("a C web, a S app sh", "a(a')", id="shared root"),
        pytest.param(
            "a -, b<a C web, b<a S foo sh =foo, b<a S bar sh =bar, c<b - bar, d<b - foo",
            "a(b(bar(c) foo(d)))",
            id="two shared servers",
        ),
        pytest.param("a -, b<a C foo, b<a S bar sh, c<b - foo", "a(b(b' c))", id="local child of the client"),
        pytest.param("a -, b<a C foo@1, b<a S foo@2 sh, c<b - foo@2", "a(b(b'(c)))", id="a service that calls itself"),
        pytest.param("a S web sh, b<a - web", "a'(b)", id="lone shared root, as an Envoy ingress reports it"),
    ],
)
def test_a_span_stands_below_the_half_of_its_parent_it_ran_in(spans: str, expected: str) -> None:
    assert tree(spans) == expected


def test_a_span_of_another_address_stands_below_the_only_span_of_its_parents_id() -> None:
    """Reference 5.2, a real trace with changing addresses: Zipkin lets b fall to the root, though it names c."""
    assert tree("c<x S web@10 sh t1, b<c C web@169 t2, a<c - web@10 t3") == "c'(b a)?"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a - t2, b - t1", "b a", id="a second root"),
        pytest.param("a - t1, b - t2, c - t3", "a b c", id="three roots"),
        pytest.param("a -, b - t1", "b a", id="a root without a start is the last"),
        pytest.param("b<a - t1, c<a - t2, d<a - t3", "b? c? d?", id="headless: the root is not there"),
        pytest.param("a - t2, c<b - t1", "a c?", id="an orphan comes after the root, though it began before"),
        pytest.param("a<a - t1, b<a -", "a(b)", id="its own parent"),
        pytest.param("a - t9, b<d - t1, d<b - t2, e<a -", "a(e) b(d)~", id="a circle beside the root"),
        pytest.param("a<b - t2, b<a - t1", "b(a)~", id="nothing but a circle"),
        pytest.param("a<c - t3, b<a - t2, c<b - t1, d<b -", "c(a(b(d)))~", id="a circle with a child"),
        pytest.param("a<b - t1, b<a - t2, c<d - t3, d<c - t4", "a(b)~ c(d)~", id="two circles"),
    ],
)
def test_a_root_says_why_it_is_one(spans: str, expected: str) -> None:
    assert tree(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a -, b<a - t2, c<a - t1, d<a -", "a(d c b)", id="absent first"),
        pytest.param("x<a - t2, y<a - t1, z<a -", "y? x? z?", id="of orphans absent last, for the first is the root"),
    ],
)
def test_siblings_stand_by_start(spans: str, expected: str) -> None:
    assert tree(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param("a - web t1+9 otlp =w, a - app t1+9 otlp =p, b<a - app", "p(b) w", id="the one of its service"),
        pytest.param("a - x t1+2 otlp =f, a - x t5+2 otlp =s, b<a - x t6", "f s(b)", id="the one that was running"),
        pytest.param("a - x t1+9 otlp =f, a - x t5+2 otlp =s, b<a - y", "f(b) s", id="else the first"),
    ],
)
def test_of_several_spans_of_its_parents_id_a_child_takes_the_closest(spans: str, expected: str) -> None:
    assert tree(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param(
            "a C gate.ns t1+9 sh, a S page.ns t2+7 sh, b<a S page t3+5 otlp, c<b C page t4+2 otlp, c<b S db.ns t5+1",
            "a(a'(b(c(c))))",
            id="sidecars by Zipkin with shared ids, the application by OTLP",
        ),
        pytest.param("a C web t1+9 otlp, a S app@2 t2+5 sh", "a(a')", id="client by OTLP, server by Zipkin"),
        pytest.param("a C web@1 t1+9, a S app t2+5 otlp =s", "a(s)", id="client by Zipkin, server by OTLP"),
        pytest.param("a C web@1 t1+9, b<a S app t2+5 jaeger", "a(b)", id="client by Zipkin, server by Jaeger"),
    ],
)
def test_halves_that_came_by_different_protocols_are_joined(spans: str, expected: str) -> None:
    assert tree(spans).replace("a'(a'", "a(a'") == expected


@pytest.mark.parametrize(
    "spans",
    [
        "a C web t1, a S app sh t1, b<a - app t1, c<b - t1, d<x - t1",
        "a<b - t1, b<c - t1, c<a - t1, d<a - t1, e<e -",
        "a - x t1 otlp =f, a - x t1 otlp =s, b<a - y t1, c<b -, c<b - =z",
    ],
)
def test_the_order_of_arrival_changes_nothing(spans: str) -> None:
    found = {
        outline(one.trace.spans, one.tree)
        for order in permutations(trace(spans))
        if (one := reconstruct(order, clocks=ClockRule.NONE))
    }

    assert len(found) == 1


def test_a_chain_deeper_than_the_call_stack_is_one_tree() -> None:
    found = tree_of([TraceSpan(a_span(span=n, parent=n - 1 or None)) for n in range(1, 20_000)])

    assert (found.height, list(found.roots), found.order[-1]) == (19_999, [0], 19_998)


def test_a_circle_longer_than_the_call_stack_is_cut_once() -> None:
    found = tree_of([TraceSpan(a_span(span=n, parent=n % 20_000 + 1)) for n in range(1, 20_001)])

    assert (found.roots, found.height) == ({0: RootReason.CIRCLE}, 20_000)


def test_no_spans_are_a_tree_without_places() -> None:
    found = tree_of([])

    assert (found.order, found.roots, found.height) == ([], {}, 0)


def test_a_span_that_is_its_own_parent_is_a_root_also_before_it_is_sanitized() -> None:
    span: Span = a_span(span=1, parent=1)

    assert tree_of([TraceSpan(span)]).roots == {0: RootReason.PARENTLESS}
