"""Building the tree (reference zipkin.md 5.2). `a'` is a shared span, `*` the stand-in root."""

import pytest

from storage.linking.tree import tree_of
from tests.storage.linking.notation import outline, trace


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("", "*"),
        ("a -, a -", "a"),
        ("d<c -, c<b -, b<a -, a -", "a(b(c(d)))"),
        ("a -, b<a C foo, b<a S bar sh, c<b - bar", "a(b(b'(c)))"),
        ("a C web, a S app sh", "a(a')"),
        ("a -, b<a C web, b<a S foo sh, b<a S bar sh, c<b - bar, d<b - foo", "a(b(b'(c) b'(d)))"),
        ("a -, b<a C foo, b<a S bar sh, c<b - foo", "a(b(b' c))"),
        ("a -, b<a C foo, b<a S bar@1 sh, c<b - bar@2", "a(b(b' c))"),
        ("a -, b<a C foo, b<a S bar:1 sh, c<b - bar:2", "a(b(b' c))"),
        ("a -, b<a C foo, b<a S bar sh, c<b -", "a(b(b'(c)))"),
    ],
)
def test_span_stands_below_the_half_of_its_parent_it_ran_in(spans: str, expected: str) -> None:
    assert outline(tree_of(trace(spans))) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a C web@1:1, a S app@2:2 sh, b<a S app", "a(a'(b))"),
        ("a C web@1:1, a S app@2:2 sh, b<a S other", "a(a' b)"),
        ("a C web@1:1, a S app@2:2 sh, b<a S web", "a(a' b)"),
        ("a C web@1, a S app@2 sh, a S app@3 sh, b<a S app", "a(a'(b) a')"),
        ("a C web@1, a S api@3 sh, a S app@2 sh, b<a S app, c<a S api", "a(a'(c) a'(b))"),
        # the service's own half without an address is the same endpoint, though another of the service comes before
        ("a C web, a S app@2, a S app sh, b<a S app", "a(a' a'(b))"),
        # an address without the service, or another address, is no reason
        ("a C web@1, a S app@2 sh, b<a S @2", "a(a' b)"),
        ("a C web@1, a S app@2 sh, b<a S app@3", "a(a' b)"),
        ("a C web@1, a S app:2 sh, b<a S app:3", "a(a' b)"),
        ("a C web@1, a S @2 sh, b<a S app", "a(a' b)"),
        # without the client half it is the only parent there is
        ("a S app@2 sh, x -, b<a S app", "x(a'(b))"),
    ],
)
def test_span_of_a_service_without_address_stands_below_the_half_of_its_service(spans: str, expected: str) -> None:
    """An OTLP span behind a sidecar that shares its client's id: not in Zipkin's rules (reference 5.2)."""
    assert outline(tree_of(trace(spans))) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a -, b -", "a(b)"),
        ("a -, b -, c -", "a(b c)"),
        ("b<a -, c<a -, d<a -", "*(b c d)"),
        ("a -, c<b -", "a(c)"),
        ("c<b S @10 sh, b<c C @169, a<c - @10", "*(b c'(a))"),
        ("c<x S @10 sh, b<c C @169, a<c - @11", "*(a b c')"),
    ],
)
def test_span_stands_below_the_root_when_its_parent_is_not_there(spans: str, expected: str) -> None:
    assert outline(tree_of(trace(spans))) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a -, b<a - t2, c<a - t1, d<a -", "a(d c b)"),
        ("x<a - t2, y<a - t1, z<a -", "*(z y x)"),
    ],
)
def test_siblings_are_ordered_by_start_with_an_absent_one_first(spans: str, expected: str) -> None:
    assert outline(tree_of(trace(spans))) == expected


def test_circle_of_parents_is_not_reached_from_the_root() -> None:
    """Reference 4.3."""
    assert outline(tree_of(trace("a -, b<d -, d<b -, e<a -"))) == "a(e)"
