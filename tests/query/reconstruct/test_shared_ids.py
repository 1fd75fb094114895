"""One id for one span: reference section 5.1, step 1, and Zipkin's rule for whose child a span is (zipkin.md 5.2)."""

from collections.abc import Sequence
from typing import Any

import pytest

from query.reconstruct.shared_ids import separate_shared_ids
from query.reconstruct.trace import TraceSpan
from storage.attributes import Attributes
from storage.span import Endpoint, Resource, Span, SpanKind
from tests.builders import BACKEND, FRONTEND, MS, TODAY_NS, a_span, a_zipkin_span

SHARED = 0xAA


def client(**changes: Any) -> Span:
    return a_zipkin_span(span=SHARED, kind=SpanKind.CLIENT, **changes)


def server(**changes: Any) -> Span:
    values: dict[str, Any] = {"span": SHARED, "kind": SpanKind.SERVER, "shared": True, "service": BACKEND}
    return a_zipkin_span(**(values | changes))


def family(spans: Sequence[Span]) -> list[tuple[int, int | None]]:
    """(id, parent) of each span after the separation, as numbers."""
    return [
        (_number(shown.span.span_id), None if (parent := shown.span.parent_span_id) is None else _number(parent))
        for shown in separate_shared_ids([TraceSpan(span) for span in spans])
    ]


def test_the_server_half_gets_a_fresh_id_below_the_client_half() -> None:
    assert family([client(parent=0xBB), server(parent=0xBB)]) == [(SHARED, 0xBB), (1, SHARED)]


def test_children_of_the_shared_id_go_under_the_server_half() -> None:
    child = a_zipkin_span(span=0xCC, parent=SHARED, service=BACKEND, kind=SpanKind.CLIENT)

    assert family([client(), server(), child]) == [(SHARED, None), (1, SHARED), (0xCC, 1)]


def test_the_fresh_id_is_the_smallest_that_the_trace_does_not_use() -> None:
    others = [a_zipkin_span(span=1), a_zipkin_span(span=2, parent=4)]

    assert family([client(), server(), *others])[1] == (3, SHARED)


def test_an_orphans_absent_parent_is_not_taken_for_a_fresh_id() -> None:
    orphan = a_zipkin_span(span=0xCC, parent=1)

    assert family([client(), server(), orphan]) == [(SHARED, None), (2, SHARED), (0xCC, 1)]


def test_a_client_half_below_another_shared_id_goes_under_that_ids_server_half() -> None:
    middle = [
        a_zipkin_span(span=0xBB, parent=SHARED, kind=SpanKind.CLIENT, service=BACKEND),
        server(span=0xBB, parent=SHARED, service="db"),
    ]

    assert family([client(), server(), *middle]) == [(SHARED, None), (1, SHARED), (0xBB, 1), (2, 0xBB)]


def test_a_server_without_the_shared_flag_is_a_half_too_when_a_client_has_its_id() -> None:
    assert family([client(), server(shared=False)]) == [(SHARED, None), (1, SHARED)]


def test_the_halves_of_a_message_are_separated() -> None:
    producer = a_zipkin_span(span=SHARED, kind=SpanKind.PRODUCER)
    consumer = server(kind=SpanKind.CONSUMER)

    assert family([producer, consumer]) == [(SHARED, None), (1, SHARED)]


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(
            [server(), a_zipkin_span(span=2, parent=SHARED)], id="a server half whose client was not reported"
        ),
        pytest.param([client(), client(name="other")], id="two clients of one id"),
        pytest.param([a_span(span=7, name="a"), a_span(span=7, name="b")], id="an id that was used twice"),
        pytest.param([client(), server(span=0xBB)], id="halves with an id each"),
    ],
)
def test_spans_that_are_no_halves_of_one_call_are_left_as_they_are(spans: list[Span]) -> None:
    shown = [TraceSpan(span) for span in spans]

    assert separate_shared_ids(shown) == shown


def test_two_server_halves_of_one_client_get_an_id_each_in_their_order() -> None:
    assert family([client(), server(service="foo"), server(service="bar")]) == [
        (SHARED, None),
        (1, SHARED),
        (2, SHARED),
    ]


def test_each_child_of_two_server_halves_goes_under_that_of_its_service() -> None:
    """zipkin.md 5.2: two shared servers (foo, bar) of one client."""
    bars, foos = (a_zipkin_span(span=n, parent=SHARED, service=s) for n, s in ((0xC, "bar"), (0xD, "foo")))

    assert family([client(), server(service="foo"), server(service="bar"), bars, foos])[3:] == [(0xC, 2), (0xD, 1)]


def test_a_local_span_of_the_client_stays_under_the_client_half() -> None:
    """zipkin.md 5.2: b has the children shared bar and local foo."""
    local = a_zipkin_span(span=0xCC, parent=SHARED, service=FRONTEND)

    assert family([client(), server(), local])[2] == (0xCC, SHARED)


def test_a_child_that_knows_neither_half_goes_under_the_server_half() -> None:
    """Jaeger's rule, which knows no hosts."""
    stranger = a_span(span=0xCC, parent=SHARED, service="unknown_service:python")

    assert family([client(), server(), stranger])[2] == (0xCC, 1)


def test_a_child_of_a_service_that_calls_itself_goes_under_the_half_of_its_host() -> None:
    here, there = Endpoint(ipv4="10.0.0.1"), Endpoint(ipv4="10.0.0.2")
    spans = [
        client(local=here),
        server(service=FRONTEND, local=there),
        a_zipkin_span(span=0xC, parent=SHARED, local=here),
        a_zipkin_span(span=0xD, parent=SHARED, local=there),
    ]

    assert family(spans)[2:] == [(0xC, SHARED), (0xD, 1)]


def test_a_child_of_a_retried_call_goes_under_the_server_half_that_was_running() -> None:
    spans = [
        client(duration_ns=300 * MS),
        server(start_ns=TODAY_NS, duration_ns=50 * MS),
        server(start_ns=TODAY_NS + 100 * MS, duration_ns=50 * MS),
        a_span(span=0xC, parent=SHARED, service=BACKEND, start_ns=TODAY_NS + 110 * MS),
        a_span(span=0xD, parent=SHARED, service=BACKEND, start_ns=TODAY_NS + 10 * MS),
    ]

    assert family(spans)[3:] == [(0xC, 2), (0xD, 1)]


def test_an_application_behind_a_sidecar_goes_under_the_sidecars_server_half() -> None:
    """Envoy names the service with its namespace; the application's SDK does not."""
    gateway = client(service="istio-ingressgateway.istio-system")
    sidecar = server(service="productpage.default")
    application = a_span(span=0xCC, parent=SHARED, kind=SpanKind.SERVER, service="productpage")

    assert family([gateway, sidecar, application])[2] == (0xCC, 1)


@pytest.mark.parametrize(
    "resource",
    [
        {"k8s.pod.name": "reviews-v2-7"},
        {"host.name": "reviews-v2-7"},
        {"k8s.pod.ip": "10.1.2.8"},
        {"host.ip": ["fe80::1", "10.1.2.8"]},
    ],
)
def test_an_application_behind_one_of_two_sidecars_goes_under_that_of_its_pod(resource: Attributes) -> None:
    """Both pods of a service answered one retried call; Istio's node id says which sidecar is whose."""
    spans = [
        client(service="gateway.istio-system"),
        server(service="reviews.default", tags={"node_id": "sidecar~10.1.2.7~reviews-v1-7.default~default.svc"}),
        server(service="reviews.default", tags={"node_id": "sidecar~10.1.2.8~reviews-v2-7.default~default.svc"}),
        a_span(span=0xCC, parent=SHARED, service="reviews", resource=Resource(resource)),
    ]

    assert family(spans)[3] == (0xCC, 2)


def test_loopback_addresses_do_not_make_two_spans_kin() -> None:
    loopback = Endpoint(ipv4="127.0.0.1")
    child = a_span(span=0xCC, parent=SHARED, service="unknown", resource=Resource({"host.ip": "127.0.0.1"}))

    assert family([client(local=loopback), server(), child])[2] == (0xCC, 1)


def test_dotted_service_names_of_one_company_are_not_taken_for_one_service() -> None:
    child = a_span(span=0xCC, parent=SHARED, service="com.example.c")

    assert family([client(service="com.example.a"), server(service="org.b"), child])[2] == (0xCC, 1)


def _number(span_id: bytes) -> int:
    return int.from_bytes(span_id, "big")
