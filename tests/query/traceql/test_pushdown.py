"""What a store is asked for: never less than the query can find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.reconstruct.assembly import assemble
from query.traceql.evaluation import Evaluation, anchors
from query.traceql.parser import parse
from query.traceql.pushdown import trace_query
from query.traceql.syntax import (
    Attribute,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Filter,
    Intrinsic,
    Presence,
    Scope,
)
from storage.attributes import AttributeValue
from storage.matching import satisfies
from storage.requests import TagFilter, TraceQuery
from storage.span import Span
from tests.span_strategies import spans

WINDOW = {"start_min_ns": -(2**63), "start_max_ns": 2**63 - 1, "limit": 20}


def asked(query: str) -> TraceQuery:
    return trace_query(parse(query).spansets, -(2**63), 2**63 - 1, 20)


def a_query(*tags: TagFilter, **criteria: object) -> TraceQuery:
    return TraceQuery(**(WINDOW | {"tags": tags} | criteria))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{}", a_query()),
        (
            '{ .service.name = "productpage" && .cluster = "c" } && {} | select(status)',
            a_query(TagFilter("cluster", "c"), service="productpage"),
        ),
        ('{} && { .a = "x" }', a_query(TagFilter("a", "x"))),
        ('{ .a = "x" } && { .b = "y" }', a_query(TagFilter("a", "x"))),
        ('{ resource.service.name = "a" && name = "get" }', a_query(service="a", operation="get")),
        ('{ span.service.name = "a" }', a_query(TagFilter("service.name", "a"))),
        ("{ status = error && kind = server }", a_query(TagFilter("error", "true"), TagFilter("span.kind", "server"))),
        (
            "{ .n = 200 && .f = 0.5 && .b = true }",
            a_query(*(TagFilter(k, v) for k, v in (("b", "true"), ("f", "0.5"), ("n", "200")))),
        ),
        ("{ .a != nil }", a_query(TagFilter("a"))),
        ("{ duration > 100ms && duration <= 1s }", a_query(duration_min_ns=10**8, duration_max_ns=10**9 + 1)),
        ('{ .a = "x" || .b = "y" }', a_query()),
        ('{ .s = "x" && (.a = "y" || .s = "x") }', a_query(TagFilter("s", "x"))),
        ('{ .s = "x" && .a = 1 } || { .s = "x" && .b = 1 }', a_query(TagFilter("s", "x"))),
        ('{ !(.a = "x") }', a_query()),
        ('{ .a != "x" && .b =~ "y" && .c > 1 && .d = nil }', a_query()),
        ('{ event.a = "x" && rootName = "y" && traceDuration > 1s && status = ok && .a = 0 }', a_query()),
        ('{ .peer.service = "db" && .net.peer.port = 80 && .ip = "1.2.3.4" }', a_query()),
        ('{ .service.name = "missing-service-name" && name = "empty-span-name" }', a_query()),
    ],
)
def test_what_a_store_can_look_for_is_asked_of_it(query: str, expected: TraceQuery) -> None:
    assert asked(query) == expected


def test_of_two_services_one_is_asked_for_and_none_is_found() -> None:
    assert asked('{ .service.name = "b" && .service.name = "a" }') == a_query(service="a")


def facts_of(span: Span) -> list[Condition]:
    """Conditions that this span meets when it is alone in its trace and shown."""
    ((shown),) = [one.span for one in assemble([span]).spans]
    conditions: list[Condition] = [
        Comparison(Intrinsic.KIND, "=", Constant(shown.kind)),
        Comparison(Intrinsic.NAME, "=", Constant(shown.name or "")),
        Comparison(Intrinsic.DURATION, ">=", Constant(shown.duration_ns or 0)),
        Comparison(Intrinsic.DURATION, "<=", Constant(float(shown.duration_ns or 0))),
        Comparison(Attribute(Scope.ANY, "service.name"), "=", Constant(shown.service or "")),
    ]
    for scope, attributes in ((Scope.SPAN, shown.attributes), (Scope.RESOURCE, shown.resource.attributes)):
        for key, value in attributes.items():
            conditions += _of_attribute(Attribute(scope, key), value)
            conditions += _of_attribute(Attribute(Scope.ANY, key), value)
    return conditions


def _of_attribute(field: Attribute, value: AttributeValue) -> list[Condition]:
    present: list[Condition] = [Presence(field, negated=False)]
    if isinstance(value, str | bool | int | float):
        present.append(Comparison(field, "=", Constant(value)))
    return present


@given(spans().filter(lambda span: span.start_ns is not None), st.data())
def test_a_span_that_meets_conditions_satisfies_what_is_asked_of_the_store(span: Span, data: st.DataObject) -> None:
    """Types, repaired names, Zipkin's endpoints, Jaeger's tags: however it is shown, what is stored is a candidate."""
    parts = data.draw(st.lists(st.sampled_from(facts_of(span)), min_size=1, max_size=3))
    spansets = Filter(Conjunction(tuple(parts)))
    if Evaluation(assemble([span])).found(spansets):
        assert satisfies(span, trace_query(spansets, WINDOW["start_min_ns"], WINDOW["start_max_ns"], 1))


def test_the_window_bounds_the_first_filter_that_asks_something() -> None:
    a, b, nothing = (parse(text).spansets for text in ("{.a=1}", "{.b=1}", "{}"))
    assert [anchors(one) for one in (a, b, nothing)] == [
        [one.condition] for one in (a, b, nothing) if isinstance(one, Filter)
    ]
    assert anchors(parse("{} && {.a=1}").spansets) == anchors(a)
    assert anchors(parse("{.a=1} && {.b=1}").spansets) == anchors(a)
    assert anchors(parse("{.a=1} || {.b=1}").spansets) == [*anchors(a), *anchors(b)]
