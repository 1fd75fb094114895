"""The service graph of any store: SpanReader.service_graph. What one trace shows is tests of storage.linking.graph."""

from collections.abc import Iterable
from functools import cache
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from storage.attributes import Attributes
from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.latency_buckets import Histogram, bucket_numbers
from storage.linking.graph import graph_of_traces
from storage.linking.link_span import link_span_of
from storage.requests import GraphEdge, GraphNode, NodeKey, NodeKind, RetentionPolicy, ServiceGraph
from storage.span import Endpoint, Protocol, Span, SpanKind, StatusCode
from tests.builders import (
    BACKEND,
    DAY,
    DB,
    FRONTEND,
    KAFKA,
    MS,
    SECOND,
    TODAY_NS,
    a_span,
    a_zipkin_span,
    a_zipkin_trace,
)
from tests.contract.conftest import RECEIVED_NS, Loaded, Writing
from tests.contract.test_dependencies_agreement import TRACES, corpus, number_of, trace_timestamp_ns, window

CLIENT, SERVER, PRODUCER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER
SERVICE, DATABASE, QUEUE, EXTERNAL = NodeKind
MINUTE = 60 * SECOND
WHOLE = (TODAY_NS - DAY, TODAY_NS + DAY)


def bucket(duration_ns: int) -> int:
    return int(bucket_numbers(np.array([duration_ns]))[0])


def outline(graph: ServiceGraph) -> list[str]:
    """Edges as `frontend > mysql (database) 2/1`: two calls, one in error."""
    return [
        f"{_end(edge.parent)} > {_end(edge.child)} {edge.calls}" + (f"/{edge.errors}" if edge.errors else "")
        for edge in graph.edges
    ]


def _end(key: NodeKey) -> str:
    return key.name if key.kind is SERVICE else f"{key.name} ({key.kind.name.lower()})"


def instrumented(graph: ServiceGraph) -> set[str]:
    return {node.key.name for node in graph.nodes if node.instrumented}


def test_an_empty_store_has_an_empty_graph(store: SpanStore) -> None:
    assert store.service_graph(*WHOLE) == ServiceGraph()


def test_the_standard_trace_gives_its_links_with_the_durations_of_the_called(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace())
    frontend, backend, db = (NodeKey(name, SERVICE) for name in (FRONTEND, BACKEND, DB))
    assert store.service_graph(*WHOLE) == ServiceGraph(
        nodes=(GraphNode(backend, True), GraphNode(db, False), GraphNode(frontend, True)),
        edges=(
            GraphEdge(backend, db, 1, 1, Histogram.of([(bucket(50 * MS), 1)])),
            GraphEdge(frontend, backend, 1, 0, Histogram.of([(bucket(150 * MS), 1)])),
        ),
    )


def test_latencies_are_counted_by_bucket_and_unknown_ones_not_at_all(store: SpanStore, write: Writing) -> None:
    durations: list[int | None] = [5 * MS, 5 * MS, SECOND, None, -1]
    write(
        *(
            a_zipkin_span(n, kind=CLIENT, remote=DB, duration_ns=duration_ns)
            for n, duration_ns in enumerate(durations, 1)
        )
    )
    (edge,) = store.service_graph(*WHOLE).edges
    assert edge.calls == 5
    assert list(edge.latencies) == [(0, 1), (bucket(5 * MS), 2), (bucket(SECOND), 1)]


FAR_ENDS: dict[str, tuple[SpanKind, Attributes, list[str]]] = {
    "a database": (
        CLIENT,
        {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "pg-0"},
        ["frontend > postgresql/orders (database) 1"],
    ),
    "a database by its old names": (
        CLIENT,
        {"db.system": "MySQL", "db.name": "Orders", "net.peer.name": "mysql-0"},
        ["frontend > mysql/Orders (database) 1"],
    ),
    "a database by its peer's name": (
        CLIENT,
        {"db.system": "redis", "service.peer.name": "sessions", "server.address": "redis-0"},
        ["frontend > sessions (database) 1"],
    ),
    "a numbered database": (
        CLIENT,
        {"db.system.name": "redis", "db.namespace": "0", "server.address": "Redis-0"},
        ["frontend > redis/redis-0 (database) 1"],
    ),
    "a producer's queue": (
        PRODUCER,
        {"messaging.system": "kafka", "messaging.destination.name": "Orders"},
        ["frontend > kafka/Orders (queue) 1"],
    ),
    "a consumer's queue by its old names": (
        CONSUMER,
        {"messaging.system": "rabbitmq", "messaging.destination": "orders"},
        ["rabbitmq/orders (queue) > frontend 1"],
    ),
    "a queue that a client receives from": (
        CLIENT,
        {"messaging.system": "aws_sqs", "messaging.destination.name": "jobs", "messaging.operation.type": "receive"},
        ["aws_sqs/jobs (queue) > frontend 1"],
    ),
    "a temporary queue": (
        PRODUCER,
        {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": "amq.gen-JzTY20BRgKO",
            "messaging.destination.temporary": True,
        },
        ["frontend > rabbitmq/(temporary) (queue) 1"],
    ),
    "an external host": (CLIENT, {"server.address": "API.example.com"}, ["frontend > api.example.com (external) 1"]),
    "an external host by its old name": (
        CLIENT,
        {"net.peer.name": "api.example.com"},
        ["frontend > api.example.com (external) 1"],
    ),
    "an external host by its URL": (
        CLIENT,
        {"http.url": "https://me:secret@api.example.com:8443/v1?to=b@c"},
        ["frontend > api.example.com (external) 1"],
    ),
    "an address in a URL": (CLIENT, {"url.full": "http://[2001:DB8::1]:80/"}, ["frontend > 2001:db8::1 (external) 1"]),
    "an address": (CLIENT, {"net.peer.ip": "10.0.0.7"}, ["frontend > 10.0.0.7 (external) 1"]),
    "a remote procedure": (CLIENT, {"rpc.service": "S3"}, ["frontend > S3 (external) 1"]),
    "what is no text": (CLIENT, {"server.address": 7, "db.system": ["mysql"], "net.peer.ip": ""}, []),
    "nothing": (CLIENT, {}, []),
    "a server": (SERVER, {"server.address": "frontend-0", "client.address": "10.0.0.9"}, []),
    "a local span": (SpanKind.INTERNAL, {"db.system": "mysql"}, []),
}


@pytest.mark.parametrize("case", FAR_ENDS)
def test_a_span_describes_whom_it_calls(store: SpanStore, write: Writing, case: str) -> None:
    kind, attributes, expected = FAR_ENDS[case]
    write(a_span(1, kind=kind, attributes=attributes))
    graph = store.service_graph(*WHOLE)
    assert outline(graph) == expected
    assert instrumented(graph) == ({FRONTEND} if expected else set())


def test_the_address_of_a_zipkin_endpoint_is_an_external_host(store: SpanStore, write: Writing) -> None:
    write(
        a_span(1, kind=CLIENT, remote=Endpoint(ipv4="10.0.0.7", port=80), protocol=Protocol.ZIPKIN),
        a_span(2, kind=CLIENT, remote=Endpoint(ipv6="2001:db8::7"), protocol=Protocol.ZIPKIN),
    )
    assert outline(store.service_graph(*WHOLE)) == [
        "frontend > 10.0.0.7 (external) 1",
        "frontend > 2001:db8::7 (external) 1",
    ]


@pytest.mark.parametrize(
    ("kind", "tags", "expected"),
    [
        (CLIENT, {}, "frontend > db 1"),
        (CLIENT, {"sql.query": "select 1"}, "frontend > db 1"),
        (CLIENT, {"db.system": "mysql", "db.name": "orders"}, "frontend > db (database) 1"),
        (CLIENT, {"messaging.system": "kafka"}, "frontend > db (queue) 1"),
        (CLIENT, {"server.address": "db-0"}, "frontend > db 1"),
        (PRODUCER, {"messaging.destination.name": "orders"}, "frontend > db (queue) 1"),
        (CONSUMER, {}, "db (queue) > frontend 1"),
    ],
)
def test_a_named_service_is_of_the_kind_that_the_span_describes(
    store: SpanStore, write: Writing, kind: SpanKind, tags: dict[str, str], expected: str
) -> None:
    write(a_zipkin_span(1, kind=kind, remote=DB, tags=tags))
    graph = store.service_graph(*WHOLE)
    assert outline(graph) == [expected]
    assert instrumented(graph) == {FRONTEND}


def host(name: str) -> Attributes:
    return {"server.address": name}


SHAPES: dict[str, tuple[list[Span], list[str]]] = {
    "a client whose server reports": (
        [a_span(1, 1, kind=CLIENT, attributes=host("backend-0")), a_span(1, 2, parent=1, kind=SERVER, service=BACKEND)],
        ["frontend > backend 1"],
    ),
    "a client with local work below it": (
        [a_span(1, 1, kind=CLIENT, attributes=host("api")), a_span(1, 2, parent=1, kind=SpanKind.INTERNAL)],
        ["frontend > api (external) 1"],
    ),
    "a client that names a service, with local work below it": (
        [a_zipkin_span(1, 1, kind=CLIENT, remote=DB), a_zipkin_span(1, 2, parent=1)],
        ["frontend > db (external) 1"],
    ),
    "clients within each other": (
        [
            a_span(1, 1, kind=CLIENT, attributes={"db.system": "dynamodb"}),
            a_span(1, 2, parent=1, kind=CLIENT, attributes=host("dynamodb.eu-west-1.amazonaws.com")),
        ],
        ["frontend > dynamodb.eu-west-1.amazonaws.com (external) 1"],
    ),
    "a message by way of a queue": (
        [
            a_span(1, 1, kind=PRODUCER, attributes={"messaging.system": KAFKA, "messaging.destination.name": "orders"}),
            a_span(
                1,
                2,
                parent=1,
                kind=CONSUMER,
                service=BACKEND,
                attributes={"messaging.system": KAFKA, "messaging.destination.name": "orders"},
            ),
        ],
        ["frontend > kafka/orders (queue) 1", "kafka/orders (queue) > backend 1"],
    ),
    "a service between two that report, and a far end": (
        [a_span(1, 1, kind=SERVER), a_span(1, 3, parent=2, kind=CLIENT, service=BACKEND, attributes=host("api"))],
        ["backend > api (external) 1", "frontend > backend 1"],
    ),
    "an unnamed client below a server": (
        [a_span(1, 1, kind=SERVER), a_span(1, 2, parent=1, kind=CLIENT, service=None, attributes=host("api"))],
        ["frontend > api (external) 1"],
    ),
    "a failed call to a host": (
        [a_span(1, 1, kind=CLIENT, attributes=host("api"), status_code=StatusCode.ERROR)],
        ["frontend > api (external) 1/1"],
    ),
    "a host of a service's name": (
        [
            a_span(1, 1, kind=CLIENT, attributes=host(BACKEND)),
            a_span(1, 2, parent=1, kind=SERVER, service=BACKEND),
            a_span(1, 3, kind=CLIENT, attributes=host(BACKEND)),
        ],
        ["frontend > backend 1", "frontend > backend (external) 1"],
    ),
    "a repeated client": (
        [a_span(1, 1, kind=CLIENT, attributes=host("api")), a_span(1, 1, kind=CLIENT, attributes=host("api"))],
        ["frontend > api (external) 1"],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_trace_gives_its_calls_each_once(store: SpanStore, write: Writing, shape: str) -> None:
    spans, expected = SHAPES[shape]
    write(*spans)
    assert outline(store.service_graph(*WHOLE)) == expected


def test_a_call_that_only_a_span_further_down_shows_has_no_latency(store: SpanStore, write: Writing) -> None:
    write(a_span(1, 1, kind=SERVER), a_span(1, 3, parent=2, kind=CLIENT, service=BACKEND))
    (edge,) = store.service_graph(*WHOLE).edges
    assert (edge.calls, list(edge.latencies)) == (1, [])


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "inside"),
    [
        (TODAY_NS, TODAY_NS, True),
        (TODAY_NS + MINUTE - 1, TODAY_NS + MINUTE - 1, True),
        (TODAY_NS - DAY, TODAY_NS, True),
        (TODAY_NS - DAY, TODAY_NS - 1, False),
        (TODAY_NS + MINUTE, TODAY_NS + DAY, False),
        (TODAY_NS + 1, TODAY_NS, False),
        (-(2**63), 2**63 - 1, True),
    ],
)
def test_a_window_is_widened_to_whole_minutes(
    store: SpanStore, write: Writing, start_ns: int, end_ns: int, inside: bool
) -> None:
    write(*a_zipkin_trace(1, start_ns=TODAY_NS + 30 * SECOND))
    assert bool(store.service_graph(start_ns, end_ns).edges) is inside


def test_dropped_spans_leave_the_graph(store: SpanStore, write: Writing) -> None:
    write(a_span(1, 1, kind=CLIENT, attributes=host("old")))
    store.write(SpanBatch.of([a_span(2, 1, kind=CLIENT, attributes=host("new"))], RECEIVED_NS + DAY))
    store.maintain(RetentionPolicy(DAY, None), RECEIVED_NS + DAY + SECOND)
    assert outline(store.service_graph(*WHOLE)) == ["frontend > new (external) 1"]


def test_a_late_server_takes_the_place_of_the_host(store: SpanStore, write: Writing) -> None:
    write(a_span(1, 1, kind=CLIENT, attributes=host("backend-0")))
    assert outline(store.service_graph(*WHOLE)) == ["frontend > backend-0 (external) 1"]
    store.write(SpanBatch.of([a_span(1, 2, parent=1, kind=SERVER, service=BACKEND)], RECEIVED_NS))
    assert outline(store.service_graph(*WHOLE)) == ["frontend > backend 1"]


DESCRIPTIONS: list[Attributes] = [
    {},
    {"server.address": "api.example.com", "error": "x"},
    {"http.url": "HTTP://Shop.example.com:8080/cart/1?q=[x]", "http.host": "front:80"},
    {"http.host": "[::1]:80", "url.full": "no url"},
    {"db.system": "mysql", "db.name": 'or"d\\ers', "net.peer.name": "mysql-0"},
    {"db.system.name": "redis", "db.namespace": "1"},
    {"db.instance": "legacy", "server.address": 5},
    {"messaging.system": "kafka", "messaging.destination.name": "orders", "messaging.operation": "publish"},
    {"messaging.system": "kafka", "messaging.destination.name": "orders", "messaging.operation.type": "process"},
    {"messaging.destination.template": "/user/{id}", "messaging.destination.anonymous": True, "db.system": "x"},
    {"peer.service": "Payments", "rpc.service": "shop.Payments"},
    {"rpc.service": "S3", "rpc.system": "aws-api", "server.address": ["a", "b"], "net.peer.ip": b"\n\0\0\1"},
    {"peer.hostname": "ΑΣ", "net.peer.name": None, "messaging.temp_destination": False},
]


@cache
def described_corpus() -> list[Span]:
    """The corpus of the links' agreement, whose spans describe far ends and have durations."""
    draw = Random(4712)
    return [
        replace(
            span,
            attributes={**span.attributes, **draw.choice(DESCRIPTIONS)},
            duration_ns=draw.choice([None, -5, 0, 1, *(draw.randrange(1, 10**9) for _ in range(5))]),
            remote=replace(span.remote, ipv4=draw.choice([None, None, "10.0.0.9"])),
        )
        for span in corpus()
    ]


@cache
def undescribed_corpus() -> list[Span]:
    """The same whose spans describe nothing."""
    return [
        replace(span, attributes={key: value for key, value in span.attributes.items() if key == "error"})
        for span in corpus()
    ]


def expected_graph(spans: Iterable[Span], start_ns: int, end_ns: int) -> ServiceGraph:
    first_ns, last_ns = start_ns // MINUTE * MINUTE, end_ns // MINUTE * MINUTE + MINUTE - 1
    traces: dict[int, list[Span]] = {}
    for span in spans:
        traces.setdefault(number_of(span), []).append(span)
    return graph_of_traces(
        [link_span_of(span) for span in trace]
        for trace in traces.values()
        if (at_ns := trace_timestamp_ns(trace)) is not None and first_ns <= at_ns <= last_ns
    )


def test_the_described_corpus_is_rich_in_nodes_of_every_kind() -> None:
    graph = expected_graph(described_corpus(), *window(0))
    for kind in NodeKind:
        assert sum(node.key.kind is kind for node in graph.nodes) > 3
    assert any(len(edge.latencies) > 10 for edge in graph.edges)


@pytest.mark.parametrize("seed", range(20))
def test_the_graph_of_a_window_is_that_of_the_definition(loaded: Loaded, seed: int) -> None:
    start_ns, end_ns = window(seed)
    assert loaded(described_corpus).service_graph(start_ns, end_ns) == expected_graph(
        described_corpus(), start_ns, end_ns
    )


def links_of(graph: ServiceGraph, *kinds: NodeKind) -> dict[tuple[str, str], tuple[int, int]]:
    """Calls and errors between nodes of these kinds, by the names of the nodes."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for edge in graph.edges:
        if {edge.parent.kind, edge.child.kind} <= set(kinds):
            pair = edge.parent.name, edge.child.name
            calls, errors = found.get(pair, (0, 0))
            found[pair] = calls + edge.calls, errors + edge.errors
    return found


def dependencies_of(store: SpanStore, asked: tuple[int, int]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(link.parent, link.child): (link.call_count, link.error_count) for link in store.dependencies(*asked)}


MINUTES = [(TODAY_NS + minute * MINUTE, TODAY_NS + (minute + 2) * MINUTE - 1) for minute in range(TRACES // 60)]


@pytest.mark.parametrize("asked", MINUTES)
def test_edges_by_name_are_the_links_of_the_dependencies(loaded: Loaded, asked: tuple[int, int]) -> None:
    store = loaded(undescribed_corpus)
    assert links_of(store.service_graph(*asked), SERVICE, QUEUE) == dependencies_of(store, asked)


@pytest.mark.parametrize("asked", MINUTES)
def test_descriptions_part_links_by_kind_and_add_none_between_services(loaded: Loaded, asked: tuple[int, int]) -> None:
    store = loaded(described_corpus)
    graph, links = store.service_graph(*asked), dependencies_of(store, asked)
    for pair, counts in links_of(graph, SERVICE).items():
        assert all(mine <= linked for mine, linked in zip(counts, links[pair], strict=True))
    by_name = links_of(graph, SERVICE, DATABASE, QUEUE)
    for pair, counts in links.items():
        assert all(linked <= mine for linked, mine in zip(counts, by_name[pair], strict=True))


def test_a_sidecar_by_zipkin_and_an_application_by_otlp_are_one_graph(store: SpanStore, write: Writing) -> None:
    write(
        a_zipkin_span(1, 1, kind=CLIENT, service="gateway", duration_ns=9 * MS),
        a_zipkin_span(1, 1, kind=SERVER, service="productpage", shared=True, duration_ns=7 * MS),
        a_span(1, 2, parent=1, kind=SERVER, service="productpage", duration_ns=5 * MS, protocol=Protocol.OTLP),
        a_span(1, 3, parent=2, kind=CLIENT, service="productpage", duration_ns=3 * MS, attributes=host("reviews")),
    )
    assert outline(store.service_graph(*WHOLE)) == [
        "gateway > productpage 1",
        "productpage > productpage 1",
        "productpage > reviews (external) 1",
    ]
