"""Zipkin's correction of clocks: reference zipkin.md 5.3. Times are microseconds."""

import pytest

from query.reconstruct.reconstruction import ClockRule, reconstruct
from query.reconstruct.trace import TraceSpan
from query.reconstruct.zipkin_clock_skew import correct_clock_skew_as_zipkin, is_same_address
from storage.span import Endpoint, Event
from tests.builders import TODAY_NS, US, a_span
from tests.query.reconstruct.notation import since_us, trace


def starts_us(spans: str) -> dict[str | None, int | None]:
    found = reconstruct(trace(spans), clocks=ClockRule.ZIPKIN)
    return {one.span.name: since_us(one.span.start_ns) for one in found.trace.spans}


@pytest.mark.parametrize(
    ("spans", "server_us"),
    [
        pytest.param("a C web@1 t20+20, a S app@2 t10+10 sh", 25, id="half of the difference"),
        pytest.param("a C web@1 t20+20, a S app@2 t10+10 =a'", 25, id="without the shared flag"),
        pytest.param("a C web@1 t20+20, b<a S app@2 t10+10 =a'", 25, id="with ids of their own"),
        pytest.param("a C web@1 t20, a S app@2 t10+10 sh", 21, id="one way: the client's duration is not known"),
        pytest.param("a C web@1 t20+20, a S app@2 t10 sh", 21, id="one way: the server's duration is not known"),
        pytest.param("a C web@1 t20+20, a S app@2 t20 sh", 21, id="one way, at the same time"),
        pytest.param("a C web@1 t20+5, a S app@2 t10+10 sh", 21, id="asynchronous: the client was done first"),
        pytest.param("a C web@1 t20+20, a S app@2 t20+20 sh", 20, id="no difference"),
        pytest.param("a C web@1 t20+20, a S app@2 t20+10 sh", 25, id="at the same time, centred"),
        pytest.param("a C web@1 t20+20, a S app@2 t21+90 sh", 21, id="the server began later"),
        pytest.param("a C web@1 t20+20, a S app@1 t10+10 sh", 10, id="one host"),
        pytest.param("a C web t20+20, a S app@2 t10+10 sh", 25, id="a client without an address is another host"),
        pytest.param("a C web@1 t20+20, a S app t10+10 sh", 10, id="a server without an address is never moved"),
        pytest.param("a C t20+20, a S app@2 t10+10 sh", 10, id="a client without an endpoint"),
        pytest.param("a C web@1, a S app@2 t10+10 sh", 10, id="a client without a start"),
        pytest.param("a P web@1 t20+20, b<a N app@2 t10+10 =a'", 10, id="messages are no calls"),
        pytest.param("a - web@1 t20+20, b<a S app@2 t10+10 =a'", 10, id="the parent is no client"),
    ],
)
def test_a_server_that_began_before_its_client_is_moved(spans: str, server_us: int) -> None:
    assert starts_us(spans)["a'"] == server_us


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        pytest.param("b<a - app@2 t12", {"b": 27}, id="a span of the server's host"),
        pytest.param("b<a - app@2 t12, c<b - app@2 t13", {"b": 27, "c": 28}, id="and those below it"),
        pytest.param("b<a - app@3 t12", {"b": 12}, id="not a span of another host"),
        pytest.param("b<a - app t12", {"b": 12}, id="not a span without an address"),
        pytest.param("b<a - app@3 t12, c<b - app@2 t13", {"b": 12, "c": 28}, id="through another host"),
        pytest.param(
            "b<a C app@2 t12+8, b S db@3 t2+4 sh, c<b - db@3 t3",
            {"b": 27, "b'": 29, "c": 30},
            id="a third host is measured by the moved second",
        ),
    ],
)
def test_what_ran_on_the_servers_host_below_it_moves_along(below: str, expected: dict[str, int]) -> None:
    found = starts_us(f"a C web@1 t20+20, a S app@2 t10+10 sh, {below}")

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("spans", "server_us"),
    [
        pytest.param("a<x C web@1 t20+20, a<x S app@2 t10+10 sh", 10, id="headless"),
        pytest.param("a C web@1 t20+20, a S app@2 t10+10 sh, b - t1", 10, id="a second root"),
        pytest.param("r - t1, b<x C web@1 t20+20, a<b S app@2 t10+10 =a'", 10, id="below an orphan"),
        pytest.param("a C web@1 t20+20, a S app@2 t10+10 sh, b<x - t1", 25, id="beside an orphan"),
    ],
)
def test_clocks_are_measured_by_one_root_or_not_at_all(spans: str, server_us: int) -> None:
    assert starts_us(spans)["a'"] == server_us


def test_in_a_skewed_trace_every_child_begins_after_its_parent() -> None:
    """A trace as Zipkin's own tests have it: three hosts, two of them behind."""
    spans = (
        "a S gw@1 t100+900, b<a C gw@1 t150+700, b<a S app@2 t50+600 sh, c<b - app@2 t60+100, d<b C app@2 t200+300,"
        "d<b S db@3 t20+200 sh, e<d - db@3 t30+50"
    )
    found = reconstruct(trace(spans), clocks=ClockRule.ZIPKIN)

    starts = [one.span.start_ns or 0 for one in found.trace.spans]
    assert [one.span.name for one in found.trace.spans] == ["a", "b", "b'", "c", "d", "d'", "e"]
    assert all(parent is None or starts[parent] <= starts[at] for at, parent in enumerate(found.tree.parents))


def test_a_move_takes_the_events_along_and_is_noted() -> None:
    client, server = trace("a C web@1 t20+20, b<a S app@2 t10+10", events=(Event(TODAY_NS + 12 * US, "e"),))

    (still, moved) = correct_clock_skew_as_zipkin([TraceSpan(client), TraceSpan(server)])

    assert (still.span, still.warnings) == (client, ())
    assert [since_us(event.time_ns) for event in moved.span.events] == [27]
    assert moved.warnings == ("This span's timestamps were adjusted by 15µs",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Endpoint(), Endpoint(), False),
        (Endpoint(ipv4="10.0.0.1"), Endpoint(), False),
        (Endpoint(ipv4="10.0.0.1"), Endpoint(ipv4="10.0.0.2"), False),
        (Endpoint(ipv4="10.0.0.1"), Endpoint(ipv4="10.0.0.1"), True),
        (Endpoint(ipv6="::2"), Endpoint(ipv6="::3"), False),
        (Endpoint(ipv6="::2"), Endpoint(ipv6="::2"), True),
        (Endpoint(ipv4="10.0.0.1"), Endpoint(ipv6="::2"), False),
        (Endpoint(ipv4="10.0.0.1", ipv6="::2"), Endpoint(ipv4="10.0.0.9", ipv6="::2"), True),
        (Endpoint(ipv4="10.0.0.1", ipv6="::2"), Endpoint(ipv4="10.0.0.1", ipv6="::3"), True),
    ],
)
def test_one_equal_address_is_enough_to_be_one_host(one: Endpoint, other: Endpoint, same: bool) -> None:
    assert is_same_address(one, other) is is_same_address(other, one) is same


def test_a_chain_deeper_than_the_call_stack_is_corrected() -> None:
    host = Endpoint(ipv4="10.0.0.2")
    spans = [*trace("a C web@1 t20+20, b<a S app@2 t10+10")]
    chain = [a_span(1, n, parent=n - 1, local=host, start_ns=TODAY_NS) for n in range(ord("b") + 1, 5000)]

    found = correct_clock_skew_as_zipkin([TraceSpan(span) for span in spans + chain])

    assert since_us(found[-1].span.start_ns) == 15
