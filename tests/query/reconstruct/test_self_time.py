"""Self times. Each span is `t<start>+<duration>` in microseconds; self times likewise."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from query.reconstruct.reconstruction import ClockRule, reconstruct
from storage.span import Link, Span
from tests.builders import US
from tests.query.reconstruct.notation import trace


def self_times_us(spans: list[Span]) -> dict[str | None, int | None]:
    found = reconstruct(spans, clocks=ClockRule.NONE)
    return {
        shown.span.name: None if time_ns is None else time_ns // US
        for shown, time_ns in zip(found.trace.spans, found.self_times_ns, strict=True)
    }


@dataclass(frozen=True)
class Case:
    spans: str
    expected: dict[str, int | None]


CASES = {
    "no children": Case("a S t0+10", {"a": 10}),
    "one child": Case("a S t0+10, b<a I t2+3", {"a": 7, "b": 3}),
    "children one after the other": Case("a S t0+10, b<a I t1+2, c<a I t5+4", {"a": 4}),
    "children at the same time count once": Case("a S t0+10, b<a I t1+4, c<a I t3+4", {"a": 4}),
    "a child within another child's time": Case("a S t0+10, b<a I t1+8, c<a I t3+2", {"a": 2}),
    "children that touch": Case("a S t0+10, b<a I t0+5, c<a I t5+5", {"a": 0}),
    "a grandchild is its parent's business": Case("a S t0+10, b<a I t2+6, c<b I t3+2", {"a": 4, "b": 4, "c": 2}),
    "a child that outlives its parent": Case("a S t0+10, b<a I t6+90", {"a": 6, "b": 90}),
    "a child that began before its parent (clock skew)": Case("a S t10+10, b<a I t5+8", {"a": 7, "b": 8}),
    "a child that covers its parent": Case("a S t10+10, b<a I t5+20", {"a": 0}),
    "a child that began when its parent was done": Case("a S t0+10, b<a I t10+5", {"a": 10}),
    "a child that was done before its parent began": Case("a S t10+10, b<a I t1+9", {"a": 10}),
    "a message that goes its own way": Case("a S t0+10, b<a P t2+3, c<b N t4+9", {"a": 10, "b": 3, "c": 9}),
    "a duration of zero": Case("a S t0+10, b<a I t3+0", {"a": 10, "b": 0}),
    "a parent of no duration": Case("a S t3+0, b<a I t3+5", {"a": 0, "b": 5}),
    "no duration at all": Case("a S t3, b<a I t3+5", {"a": 0}),
    "no start": Case("a S, b<a I t3+5", {"a": None, "b": 5}),
    "children of a child without a start": Case("a S t0+10, b<a I, c<b I t3+5", {"a": 5, "b": None}),
    "children of a message without a start": Case("a S t0+10, b<a N, c<b I t3+5", {"a": 10}),
    "halves of a call": Case("a C web t0+10, a S app t2+6 sh", {"a": 4, "a'": 6}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_self_time_is_what_a_span_did_not_wait(case: Case) -> None:
    found = self_times_us(trace(case.spans))

    assert {name: found[name] for name in case.expected} == case.expected


def test_a_negative_duration_is_none() -> None:
    assert self_times_us(trace("a S t5 otlp", duration_ns=-3 * US)) == {"a": 0}


@pytest.mark.parametrize(("type_", "self_us"), [("follows_from", 10), ("child_of", 7)])
def test_a_span_does_not_wait_for_one_that_only_follows_from_it(type_: str, self_us: int) -> None:
    """How clew keeps the type of a Jaeger reference that is the parent."""
    parent, child = trace("a S t0+10 jaeger, b<a I t2+3 jaeger")
    child = replace(child, links=(Link(parent.trace_id, parent.span_id, "", {"opentracing.ref_type": type_}),))

    assert self_times_us([parent, child])["a"] == self_us
