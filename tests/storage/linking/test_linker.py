"""Zipkin's linking rules (reference zipkin.md 4.2; `!` is an error tag, `sh` a shared span)."""

import pytest

from storage.ids import SpanId
from storage.linking.linker import link_traces
from tests.storage.linking.notation import links, trace

THREE_TIERS = "a S web, b<a C web->app, b<a S app sh, c<b C app->db !"


def linked(*traces: str) -> str:
    return links(link_traces([trace(text) for text in traces]))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("", ""),
        (THREE_TIERS, "app>db 1/1, web>app 1"),
        ("c<b C app->db !, b<a S app sh, b<a C web->app, a S web", "app>db 1/1, web>app 1"),
        ("a S arn, b<a C arn->link, b S link->arn sh", "arn>link 1"),
        ("a S web, b C web->app, b<a S app sh, c<b C app->db !", "app>db 1/1, web>app 1"),
        ("a S web, b C web->app, c<b C app->db !", "app>db 1/1, web>app 1"),
        ("a S client, b<a C ->server, c<a C ->server", "client>server 2"),
        ("a C client, b<a S server", "client>server 1"),
        ("a C client !, b<a S server !", "client>server 1/1"),
        ("a C client !, a S server sh !", "client>server 1/1"),
        ("a C client->server, b<a S server", "client>server 1"),
        ("a C client, b<a S server->client !, c<a S server->client !", "client>server 2/2"),
        ("a C client->server, b<a S server, c<a S server", "client>server 2"),
        ("a C web, b<a S app", "web>app 1"),
        ("a C web !, b<a S app", "web>app 1/1"),
        ("a S web, b<a C app", "web>app 1"),
    ],
)
def test_rpc_spans_link_client_to_server_once(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a P producer, b<a N consumer->kafka", "kafka>consumer 1"),
        ("a P producer->kafka, b<a N consumer", "producer>kafka 1"),
        ("a P producer->kafka, b<a N consumer->kafka", "kafka>consumer 1, producer>kafka 1"),
        ("a P producer->kafka1, b<a N consumer->kafka2", "kafka2>consumer 1, producer>kafka1 1"),
        ("a P producer, b<a N consumer", ""),
        ("a P producer, b<a S server", "producer>server 1"),
        ("a P producer, a S server sh", "producer>server 1"),
        ("a C client, b<a N consumer", ""),
    ],
)
def test_messaging_spans_link_to_their_broker_only(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a S server->client", "client>server 1"),
        ("a C client->server", "client>server 1"),
        ("a C client->server sh", "client>server 1"),
        ("a S service->service", "service>service 1"),
        ("a C service->service", "service>service 1"),
        ("a S", ""),
        ("a S server", ""),
        ("a S ->client", ""),
        ("a C", ""),
        ("a C client", ""),
        ("a C ->server", ""),
        ("a - client", ""),
        ("a - ->server", ""),
    ],
)
def test_single_span_links_only_when_it_knows_both_names(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a S client, b<a -, c<b C ->server, d<b C ->server", "client>server 2"),
        ("a S client, b<a -, c<b C server, d<b C server", "client>server 2"),
        ("a S client, b<a -, c<b C server !, d<b C server !", "client>server 2"),
        ("a S foo, b<a -, c<b C bar->baz !, d<b C bar->baz", "bar>baz 2/1, foo>bar 2"),
        ("a S web, b<a -, c<b -, d<c -, e<d C web->app, e<d S app sh, f<e -, g<f C app->db", "app>db 1, web>app 1"),
    ],
)
def test_local_spans_are_skipped_on_the_way_to_the_nearest_remote_ancestor(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a - some-client->web, b<a - web->app, c<b - app->db", "app>db 1, some-client>web 1, web>app 1"),
        ("a - some-client->web, b<a - web->app !, c<b - app->db", "app>db 1, some-client>web 1, web>app 1/1"),
        ("a - ->web, b<a - web->app, c<b - app->db", "app>db 1, web>app 1"),
    ],
)
def test_span_without_kind_counts_as_a_client_when_it_knows_both_names(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("c<b C foo->bar !", "foo>bar 1/1"),
        ("c<b C foo->bar", "foo>bar 1"),
        ("b<a S service1, c<a S service2", ""),
        ("b<a S service1, c<b S service2", "service1>service2 1"),
        ("b<a C web->app, b<a S app sh, c<b C app->db !", "app>db 1/1, web>app 1"),
        ("a S frontend, c<b C backend", "frontend>backend 1"),
    ],
)
def test_headless_trace_links_what_is_there(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        # 3.8 ITDependencies
        ("a S web:1, b<a C web:1->app, b<a S app:2 sh, c<b C app:2->db, c<b S db:3 sh", "app>db 1, web>app 1"),
        ("a S web->web, b<a C web->app, b<a S app->app sh", "web>app 1, web>web 1"),
        ("a S web->kafka, b<a C web, b<a S app sh, c<b C app->db", "app>db 1, kafka>web 1, web>app 1"),
        ("a C web, a S app sh, b<a C app->db", "app>db 1, web>app 1"),
        ("a P web->kafka, b<a N app->kafka", "kafka>app 1, web>kafka 1"),
        ("a C web->web", "web>web 1"),
        ("a S app->kafka, b<a -", "kafka>app 1"),
    ],
)
def test_trace_of_zipkins_storage_suite_links_as_there(spans: str, expected: str) -> None:
    assert linked(spans) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a C web !, a S app sh", "web>app 1"),
        ("z S edge, a<z C web !, a<z S app sh", "web>app 1"),
        ("z S edge, a<z C web !, b<a S app", "web>app 1/1"),
        ("z C web !, a<z -, a<z S app sh", "web>app 1/1"),
    ],
)
def test_client_error_counts_only_for_a_server_that_names_the_client_as_parent(spans: str, expected: str) -> None:
    """Reference 9: a client-only error on a shared id is missed, as Zipkin misses it."""
    assert linked(spans) == expected


def test_traces_are_summed_by_pair_when_they_show_the_same_call() -> None:
    assert linked(THREE_TIERS, THREE_TIERS, "a C web->app") == "app>db 2/2, web>app 3"


def test_duplicate_spans_count_once() -> None:
    assert linked(f"{THREE_TIERS}, {THREE_TIERS}") == linked(THREE_TIERS)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("b<d S web, d<b C web->app", ""),
        ("a S web, b<d S web, d<b C web->app, e<d S app", ""),
        ("a S web, b<d S web, d<b C web->app, e<a C web->db", "web>db 1"),
    ],
)
def test_circle_of_parents_links_nothing_and_ends(spans: str, expected: str) -> None:
    """Reference 4.3."""
    assert linked(spans) == expected


def test_very_deep_trace_is_linked() -> None:
    depth = 5_000
    spans = trace("a S web, b<a -, c<b C web->app")
    chain = [spans[1]._replace(span_id=_deep(at), parent_span_id=_deep(at - 1)) for at in range(1, depth)]
    root = spans[0]._replace(span_id=_deep(0))
    leaf = spans[2]._replace(parent_span_id=_deep(depth - 1))
    assert links(link_traces([[leaf, *chain, root]])) == "web>app 1"


def _deep(at: int) -> SpanId:
    return SpanId(at.to_bytes(8, "big"))


def test_lone_root_marked_shared_is_the_root() -> None:
    """Reference 5.1 (the UI's rule) and 9: Envoy's ingress marks its root; a stand-in root would make it no root."""
    assert linked("a S gateway sh, b<a C gateway->app, x<y S orphan") == "gateway>app 1, gateway>orphan 1"


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("a C edge@1:1, a S web@2:2 sh, b<a S web", "edge>web 1, web>web 1"),
        (
            "a C edge@1:1, a S web@2:2 sh, b<a S web, c<b -, d<c C web@2:3, e<d S app",
            "edge>web 1, web>app 1, web>web 1",
        ),
        ("a C edge@1:1, a S web@2:2 sh !, b<a S web !", "edge>web 1/1, web>web 1/1"),
        ("a C edge@1:1, a S web@2:2 sh, b<a S app", "edge>app 1, edge>web 1"),
        ("a C edge@1:1, a S web@2:2 sh, b<a S web@3:3", "edge>web 2"),
    ],
)
def test_call_through_a_sharing_sidecar_counts_once_when_the_application_knows_no_address(
    spans: str, expected: str
) -> None:
    """The last two stay as Zipkin counts them: another service, and the same at another address (reference 5.2)."""
    assert linked(spans) == expected
