"""Search by tags: typed values found by their text, wherever Jaeger or Zipkin would show them."""

from typing import Any

import pytest

from storage.attributes import AttributeValue
from storage.contract import SpanStore
from storage.span import Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import FRONTEND, MS, TODAY_NS, a_span, a_span_id, a_trace_id
from tests.contract.asking import found
from tests.contract.conftest import Loaded, Writing

TEXTS: list[tuple[AttributeValue, str]] = [
    ("GET", "GET"),
    ("", ""),
    ("500", "500"),
    (500, "500"),
    (500.0, "500"),
    (-7, "-7"),
    (2**63 - 1, "9223372036854775807"),
    (-(2**63), "-9223372036854775808"),
    (72.5, "72.5"),
    (0.1, "0.1"),
    (1e21, "1e+21"),
    (1e-7, "1e-7"),
    (-0.0, "-0"),
    (1.2345678901234568e20, "123456789012345680000"),
    (float("nan"), "NaN"),
    (float("inf"), "+Inf"),
    (float("-inf"), "-Inf"),
    (True, "true"),
    (False, "false"),
    ("true", "true"),
    (b"\x00\x01\xfe", "AAH+"),
    (b"", ""),
    (None, ""),
    ([], "[]"),
    (["a", 1, True], '["a",1,true]'),
    ({"a": {"b": "c"}}, '{"a":{"b":"c"}}'),
    ("with = and and", "with = and and"),
    ("x" * 1024, "x" * 1024),
    ("a\x00b", "a\x00b"),
    ("🧶", "🧶"),
    ('quo"te\\', 'quo"te\\'),
    ("%_*", "%_*"),
    ("' or 1=1 --", "' or 1=1 --"),
]

MISSES = [
    "get",
    "GE",
    "GET ",
    " GET",
    "50",
    "5000",
    "500.0",
    "72.50",
    "True",
    "TRUE",
    "1",
    "0",
    "nan",
    "null",
    "%",
    "*",
]

KEYS = ["k", "", " ", "a.b", "a b", 'quo"te', "back\\slash", "\x00", "\x1f", "$b", "ключ", "L O L", "%", "'", "k=v"]


def a_trace_a_text() -> list[Span]:
    """Trace n has the n-th value under its own key, and under a key of the next trace."""
    values = list(enumerate((value for value, _ in TEXTS), 1))
    return [a_span(n, attributes={f"k{n}": value, f"k{n + 1}": "another", "j": value}) for n, value in values]


@pytest.mark.parametrize("number", range(1, len(TEXTS) + 1), ids=[f"{value!r:.30}" for value, _ in TEXTS])
def test_a_value_of_any_type_is_found_by_its_text(loaded: Loaded, number: int) -> None:
    _, text = TEXTS[number - 1]
    assert found(loaded(a_trace_a_text), tags={f"k{number}": text}) == [number]


def values_to_miss() -> list[Span]:
    values: list[AttributeValue] = ["GET", 500, 72.5, True, False, None, float("nan"), ["GET"], {"GET": "GET"}]
    return [a_span(n, attributes={"k": value}) for n, value in enumerate(values, 1)]


@pytest.mark.parametrize("miss", MISSES)
def test_a_value_is_not_found_by_another_text(loaded: Loaded, miss: str) -> None:
    """jaeger.md 5.3, zipkin.md 3.1: exact and case-sensitive, no wildcards."""
    assert found(loaded(values_to_miss), tags={"k": miss}) == []


def a_trace_a_key() -> list[Span]:
    near = [a_span(100, attributes={key + "x": "here" for key in KEYS}), a_span(101, attributes={"other": "here"})]
    return [a_span(n, attributes={key: "here"}) for n, key in enumerate(KEYS, 1)] + near


@pytest.mark.parametrize("number", range(1, len(KEYS) + 1), ids=map(repr, KEYS))
def test_a_key_of_any_text_is_found_with_and_without_its_value(loaded: Loaded, number: int) -> None:
    key = KEYS[number - 1]
    assert found(loaded(a_trace_a_key), tags={key: "here"}) == [number]
    assert found(loaded(a_trace_a_key), tags={key: None}) == [number]


def test_a_key_made_of_two_others_with_a_separator_between_is_not_found(store: SpanStore, write: Writing) -> None:
    write(a_span(1, attributes={"a": 1, "b": 2}))
    assert found(store, tags={"a\x1fb": None}) == []


def test_a_key_equals_text_pair_split_elsewhere_is_not_found(store: SpanStore, write: Writing) -> None:
    """`a` = `b=c` and `a=b` = `c` share a search token."""
    write(a_span(1, attributes={"a": "b=c"}))
    assert found(store, tags={"a": "b=c"}) == [1]
    assert found(store, tags={"a=b": "c"}) == []


def test_values_whose_search_tokens_collide_are_told_apart(store: SpanStore, write: Writing) -> None:
    """CRC-32 of `k=plumless` equals that of `k=buckeroo`."""
    write(a_span(1, attributes={"k": "plumless"}), a_span(2, attributes={"k": "buckeroo"}))
    assert found(store, tags={"k": "plumless"}) == [1]
    assert found(store, tags={"k": "buckeroo"}) == [2]


PLACES: dict[str, dict[str, Any]] = {
    "span": {"attributes": {"k": 7}},
    "resource": {"resource": Resource({"k": 7})},
    "scope": {"scope": Scope(attributes={"k": 7})},
    "event": {"events": (Event(TODAY_NS, "e", {"k": 7}),)},
    "second event": {"events": (Event(TODAY_NS, "e", {"k": 8}), Event(TODAY_NS, "e", {"k": 7}))},
    "link": {"links": (Link(a_trace_id(9), a_span_id(9), attributes={"k": 7}),)},
    "second link": {
        "links": (
            Link(a_trace_id(9), a_span_id(9), attributes={"k": 8}),
            Link(a_trace_id(9), a_span_id(9), attributes={"k": 7}),
        )
    },
}


def a_trace_a_place() -> list[Span]:
    spans = [a_span(n, name=place, **facts) for n, (place, facts) in enumerate(PLACES.items(), 1)]
    return [*spans, a_span(100, attributes={"k": 9})]


class TestPlaces:
    @pytest.mark.parametrize("number", range(1, len(PLACES) + 1), ids=list(PLACES))
    @pytest.mark.parametrize("names", [{}, {"service": FRONTEND}], ids=str)
    def test_a_tag_is_found_wherever_it_stands(self, loaded: Loaded, number: int, names: dict[str, Any]) -> None:
        """jaeger.md 5.3: span, process and log fields, scope and link attributes."""
        store, place = loaded(a_trace_a_place), list(PLACES)[number - 1]
        assert found(store, **names, operation=place, tags={"k": "7"}) == [number]
        assert found(store, **names, operation=place, tags={"k": "9"}) == []

    @pytest.mark.parametrize("names", [{}, {"service": FRONTEND}], ids=str)
    def test_all_places_are_searched_at_once(self, loaded: Loaded, names: dict[str, Any]) -> None:
        assert sorted(found(loaded(a_trace_a_place), **names, tags={"k": "7"})) == list(range(1, len(PLACES) + 1))

    def test_a_tag_is_found_in_one_place_when_another_has_the_key_with_another_value(
        self, store: SpanStore, write: Writing
    ) -> None:
        write(
            a_span(1, attributes={"k": "span"}, resource=Resource({"k": "resource"}), scope=Scope(attributes={"k": 1}))
        )
        for text in ("span", "resource", "1"):
            assert found(store, tags={"k": text}) == [1]

    def test_conditions_may_be_met_in_different_places_of_one_span(self, store: SpanStore, write: Writing) -> None:
        write(
            a_span(
                1,
                attributes={"a": 1},
                resource=Resource({"b": 2}),
                scope=Scope(attributes={"c": 3}),
                events=(Event(1, "x", {"d": 4}), Event(2, "y", {"e": 5})),
                links=(Link(a_trace_id(9), a_span_id(9), attributes={"f": 6}),),
            )
        )
        everything = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}
        assert found(store, tags=everything) == [1]
        assert found(store, tags=everything | {"g": "7"}) == []

    def test_an_attribute_inside_a_map_is_no_tag_of_its_own(self, store: SpanStore, write: Writing) -> None:
        write(a_span(1, attributes={"outer": {"k": "v"}}, resource=Resource({"list": ["k", {"k": "v"}]})))
        assert found(store, tags={"k": "v"}) == []
        assert found(store, tags={"k": None}) == []

    def test_a_resource_prefix_asks_the_resource_only(self, store: SpanStore, write: Writing) -> None:
        """jaeger.md 5.3: `resource.` prefix limits to resource."""
        write(
            a_span(1, attributes={"host": "a"}),
            a_span(2, resource=Resource({"host": "a"}), start_ns=TODAY_NS + 2 * MS),
            a_span(3, attributes={"resource.host": "a"}, start_ns=TODAY_NS + 3 * MS),
        )
        assert found(store, tags={"resource.host": "a"}) == [3, 2]
        assert found(store, tags={"resource.host": "b"}) == []


def three_spans_of_other_facts() -> list[Span]:
    return [
        a_span(1, start_ns=TODAY_NS + 1),
        a_span(2, start_ns=TODAY_NS + 2, kind=SpanKind.SERVER, status_code=StatusCode.OK, scope=Scope("lib", "1.2")),
        a_span(
            3,
            start_ns=TODAY_NS + 3,
            kind=SpanKind.CLIENT,
            status_code=StatusCode.ERROR,
            status_message="it broke",
            trace_state="a=1",
            events=(Event(1, "boom"), Event(2, "retry")),
        ),
    ]


class TestShownAsTags:
    """Facts that Jaeger shows as tags although they are stored as something else (storage.matching)."""

    @pytest.mark.parametrize(
        ("key", "text", "expected"),
        [
            ("error", "true", [3]),
            ("error", "false", [2, 1]),
            ("error", "", []),
            ("otel.status_code", "ERROR", [3]),
            ("otel.status_code", "OK", [2]),
            ("otel.status_code", "UNSET", []),
            ("otel.status_code", "error", []),
            ("otel.status_description", "it broke", [3]),
            ("otel.status_description", "", []),
            ("span.kind", "server", [2]),
            ("span.kind", "client", [3]),
            ("span.kind", "SERVER", []),
            ("span.kind", "unspecified", []),
            ("span.kind", "", []),
            ("otel.scope.name", "lib", [2]),
            ("scope.name", "lib", [2]),
            ("otel.scope.version", "1.2", [2]),
            ("scope.version", "1.2", [2]),
            ("scope.name", "", []),
            ("scope.version", "", []),
            ("w3c.tracestate", "a=1", [3]),
            ("w3c.tracestate", "", []),
            ("event", "boom", [3]),
            ("event", "retry", [3]),
            ("event", "bang", []),
        ],
    )
    @pytest.mark.parametrize("names", [{}, {"service": FRONTEND}], ids=str)
    def test_facts_are_found_like_tags(
        self, loaded: Loaded, key: str, text: str, expected: list[int], names: dict[str, Any]
    ) -> None:
        assert found(loaded(three_spans_of_other_facts), **names, tags={key: text}) == expected

    @pytest.mark.parametrize("kind", [kind for kind in SpanKind if kind is not SpanKind.UNSPECIFIED])
    def test_every_kind_is_found_by_its_lower_case_name(self, store: SpanStore, write: Writing, kind: SpanKind) -> None:
        write(*(a_span(int(each) + 1, kind=each) for each in SpanKind))
        assert found(store, tags={"span.kind": kind.name.lower()}) == [int(kind) + 1]

    @pytest.mark.parametrize(
        "key",
        ["error", "event", "span.kind", "otel.status_code", "otel.status_description", "scope.name", "w3c.tracestate"],
    )
    def test_an_attribute_of_such_a_name_is_found_too(self, store: SpanStore, write: Writing, key: str) -> None:
        write(a_span(1, attributes={key: "mine"}), a_span(2, resource=Resource({key: "mine"}), start_ns=TODAY_NS))
        assert found(store, tags={key: "mine"}) == [1, 2]

    @pytest.mark.parametrize("value", ["true", True])
    def test_an_error_attribute_is_found_by_its_own_text_whatever_the_status(
        self, store: SpanStore, write: Writing, value: AttributeValue
    ) -> None:
        """jaeger.md 5.3: in v1 error=true matched the tag."""
        write(a_span(1, attributes={"error": value}), a_span(2))
        assert found(store, tags={"error": "true"}) == [1]

    def test_an_error_search_without_any_error_finds_nothing(self, store: SpanStore, write: Writing) -> None:
        write(*(a_span(n) for n in range(1, 50)))
        assert found(store, tags={"error": "true"}) == []
        assert found(store, tags={"error": None}) == []
