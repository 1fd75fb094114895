"""Merging the pieces of a trace (reference zipkin.md 5.1)."""

from itertools import permutations

import pytest

from storage.linking.merge import merge
from tests.storage.linking.notation import trace, written


def merged(text: str) -> str:
    return ", ".join(written(span) for span in merge(trace(text)))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a C web, a S app", "a C web, a S app sh"),
        ("a S app, a C web", "a C web, a S app sh"),
        ("b<a C web, b S app sh", "b<a C web, b<a S app sh"),
        ("b<a C web, b S app", "b<a C web, b<a S app sh"),
        ("b<a C web, b S app sh, b S bar sh", "b<a C web, b<a S app sh, b<a S bar sh"),
    ],
)
def test_server_half_is_completed_from_its_client_half(spans: str, expected: str) -> None:
    assert merged(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a C web t1, a C web t1", "a C web t1"),
        ("a C, a - web", "a C web"),
        ("a C, a - web, a - web->app t3", "a C web->app t3"),
        ("b<a - web, b - web !", "b<a - web !"),
        ("a - web, a - @1", "a - web@1"),
        ("a C web, a C @1", "a C web@1"),
        ("a C, a - t3, a S app sh", "a C t3, a S app sh"),
        ("a C web, a S app sh, a S @1 sh", "a C web, a S app@1 sh"),
    ],
)
def test_pieces_of_one_span_become_one(spans: str, expected: str) -> None:
    assert merged(spans) == expected


@pytest.mark.parametrize(
    "spans",
    [
        "a C web, a S app@1 sh, a S app@2 sh",
        "a C web, a S bar sh, a S foo sh",
        "a - web:1, a - web:2",
        "b<a S app",
        "a S web, b<a C web, c<b -",
    ],
)
def test_spans_that_differ_stay_apart(spans: str) -> None:
    assert merged(spans) == spans


def test_two_servers_of_one_id_stay_apart_while_their_split_client_is_merged() -> None:
    assert merged("a C, a C web t1, a S app@1 sh, a S app@2 sh") == "a C web t1, a S app@1 sh, a S app@2 sh"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a S web sh, b<a -", "a S web, b<a -"),
        ("a S web sh, b S app sh", "a S web sh, b S app sh"),
        ("a S web sh, b S app", "a S web sh, b S app"),
        ("b<a C web, b S app sh", "b<a C web, b<a S app sh"),
    ],
)
def test_root_is_unshared_only_when_it_is_the_one_span_without_parent(spans: str, expected: str) -> None:
    assert merged(spans) == expected


def test_client_half_comes_first_and_shared_halves_last() -> None:
    assert merged("b S, a S app sh, a - web:1, a C web:2") == "a C web:2, a - web:1, a S app sh, b S"


@pytest.mark.parametrize(
    "spans",
    [
        "a C web, a S web, a - @1, a - @2, a S app sh",
        "b<a C, b<c C web, b S app, b<d N app->x !",
    ],
)
def test_order_of_arrival_does_not_matter(spans: str) -> None:
    assert {tuple(merge(order)) for order in permutations(trace(spans))} == {tuple(merge(trace(spans)))}
