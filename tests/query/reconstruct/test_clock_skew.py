"""Jaeger's clock skew adjuster: reference section 5.1, step 4. Times in milliseconds."""

from dataclasses import dataclass

import pytest

from query.reconstruct.clock_skew import correct_clock_skew, host_key
from query.reconstruct.trace import TraceSpan
from storage.attributes import Attributes
from storage.span import Endpoint, Event, Resource, Span
from tests.builders import MS, a_span, a_zipkin_span

GENEROUS = 1000 * MS


@dataclass(frozen=True)
class Case:
    spans: list[Span]
    starts_ms: list[int]
    warnings: list[tuple[str, ...]]
    max_delta_ns: int = GENEROUS


def on(host: str, span: int, start_ms: int, duration_ms: int, parent: int | None = None) -> Span:
    resource = Resource({"host.ip": [host]} if host else {})
    return a_span(span=span, parent=parent, start_ns=start_ms * MS, duration_ns=duration_ms * MS, resource=resource)


def moved(delta: str) -> tuple[str, ...]:
    return (f"This span's timestamps were adjusted by {delta}",)


CASES = {
    "a root of an unknown host": Case([on("", 1, 0, 100)], [0], [()]),
    "parent and child on one host, child inside": Case([on("a", 1, 0, 100), on("a", 2, 10, 50, 1)], [0, 10], [(), ()]),
    "parent and child on one host, child first": Case([on("a", 1, 10, 100), on("a", 2, 0, 50, 1)], [10, 0], [(), ()]),
    "child on another host inside its parent": Case([on("a", 1, 10, 100), on("b", 2, 20, 50, 1)], [10, 20], [(), ()]),
    "child that fills its parent": Case([on("a", 1, 10, 100), on("b", 2, 10, 100, 1)], [10, 10], [(), ()]),
    "longer child that starts later": Case([on("a", 1, 10, 100), on("b", 2, 20, 150, 1)], [10, 20], [(), ()]),
    "longer child that starts earlier": Case(
        [on("a", 1, 10, 100), on("b", 2, 0, 150, 1)], [10, 10], [(), moved("10ms")]
    ),
    "child that starts earlier is centred": Case(
        [on("a", 1, 10, 100), on("b", 2, 0, 50, 1)], [10, 35], [(), moved("35ms")]
    ),
    "child that ends later is centred, and its host's spans follow": Case(
        [on("a", 1, 10, 100), on("b", 2, 50, 70, 1), on("b", 3, 60, 20, 2)],
        [10, 25, 35],
        [(), moved("-25ms"), moved("-25ms")],
    ),
    "a third host is compared with its moved parent": Case(
        [on("a", 1, 0, 100), on("b", 2, 200, 50, 1), on("c", 3, 30, 20, 2)], [0, 25, 30], [(), moved("-175ms"), ()]
    ),
    "unknown hosts are compared each time": Case(
        [on("", 1, 10, 100), on("", 2, 0, 50, 1)], [10, 35], [(), moved("35ms")]
    ),
    "positive delta over the limit": Case(
        [on("a", 1, 10, 100), on("b", 2, 0, 50, 1)],
        [10, 0],
        [(), ("max clock skew adjustment delta of 10ms exceeded; not applying calculated delta of 35ms",)],
        10 * MS,
    ),
    "negative delta over the limit": Case(
        [on("a", 1, 10, 100), on("b", 2, 80, 50, 1)],
        [10, 80],
        [(), ("max clock skew adjustment delta of 10ms exceeded; not applying calculated delta of -45ms",)],
        10 * MS,
    ),
    "delta of exactly the limit": Case(
        [on("a", 1, 10, 100), on("b", 2, 0, 50, 1)], [10, 35], [(), moved("35ms")], 35 * MS
    ),
    "correction switched off": Case(
        [on("a", 1, 10, 100), on("b", 2, 0, 50, 1)],
        [10, 0],
        [(), ("clock skew adjustment disabled; not applying calculated delta of 35ms",)],
        0,
    ),
    "a parent that is not there": Case(
        [on("a", 1, 0, 100, parent=99)],
        [0],
        [("parent span ID=0000000000000063 is not in the trace; skipping clock skew adjustment",)],
    ),
    "two spans of one id": Case(
        [on("a", 1, 0, 100), on("a", 1, 5, 100)],
        [0, 5],
        [(), ("duplicate span IDs; skipping clock skew adjustment",)],
    ),
    "parents in a circle": Case([on("a", 1, 50, 10, 2), on("b", 2, 0, 10, 1)], [50, 0], [(), ()]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_clocks_are_corrected_as_jaeger_corrects_them(case: Case) -> None:
    adjusted = correct_clock_skew([TraceSpan(span) for span in case.spans], case.max_delta_ns)

    assert [shown.span.start_ns for shown in adjusted] == [start_ms * MS for start_ms in case.starts_ms]
    assert [shown.warnings for shown in adjusted] == case.warnings
    assert [shown.span.duration_ns for shown in adjusted] == [span.duration_ns for span in case.spans]


def test_events_move_with_their_span() -> None:
    child = a_span(
        span=2,
        parent=1,
        start_ns=0,
        duration_ns=50 * MS,
        resource=Resource({"host.ip": "b"}),
        events=(Event(5 * MS, "e"), Event(10 * MS, "f")),
    )

    adjusted = correct_clock_skew([TraceSpan(on("a", 1, 10, 100)), TraceSpan(child)], GENEROUS)

    assert [event.time_ns for event in adjusted[1].span.events] == [40 * MS, 45 * MS]


def test_a_span_without_a_start_is_neither_moved_nor_compared() -> None:
    absent = a_zipkin_span(span=2, parent=1, start_ns=None, duration_ns=None)

    assert correct_clock_skew([TraceSpan(on("a", 1, 10, 100)), TraceSpan(absent)], 0)[1] == TraceSpan(absent)


def test_a_chain_deeper_than_the_call_stack_is_corrected() -> None:
    chain = [on("a", 1, 10, 100), on("b", 2, 0, 50, 1)] + [on("b", n, 0, 50, n - 1) for n in range(3, 5000)]

    adjusted = correct_clock_skew([TraceSpan(span) for span in chain], GENEROUS)

    assert adjusted[-1].span.start_ns == 35 * MS


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        ({"host.id": "host-123", "host.ip": "1.2.3.4", "host.name": "h"}, "host-123"),
        ({"host.ip": "192.168.1.1", "host.name": "h"}, "192.168.1.1"),
        ({"host.ip": ["192.168.1.1", "192.168.1.2"]}, "192.168.1.1"),
        ({"host.ip": [], "host.name": "hostname"}, "hostname"),
        ({"host.ip": []}, ""),
        ({"service.name": "service-123"}, ""),
    ],
)
def test_the_host_key_is_the_first_of_id_address_and_name(attributes: Attributes, key: str) -> None:
    assert host_key(a_span(resource=Resource(attributes))) == key


@pytest.mark.parametrize(
    ("local", "key"),
    [
        (Endpoint(ipv4="10.0.0.1"), "10.0.0.1"),
        (Endpoint(ipv6="2001:db8::1"), "2001:db8::1"),
        (Endpoint(ipv4="127.0.0.1"), ""),
        (Endpoint(ipv6="::1"), ""),
        (Endpoint(), ""),
    ],
)
def test_the_host_key_of_a_zipkin_span_is_its_address_unless_it_is_loopback(local: Endpoint, key: str) -> None:
    assert host_key(a_zipkin_span(local=local)) == key
