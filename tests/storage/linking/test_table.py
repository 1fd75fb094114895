"""Linking a table of spans equals the linker, and what working tracers send takes the fast way."""

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.ids import SpanId
from storage.linking.link_span import LinkSpan, link_span_of
from storage.linking.linker import link_traces, summed
from storage.linking.table import LINK_TABLE, Linked, calls_of_table
from storage.span import Span, SpanKind
from tests.builders import a_trace_id
from tests.storage.linking.notation import links, trace
from tests.storage.linking.traces import TRACES, sane_traces

ALWAYS = (-(2**62), 2**62)


def table(*traces: list[LinkSpan]) -> pa.Table:
    """LINK_TABLE of these traces; a span without a start is given one, so that every trace has a timestamp."""
    rows = [
        {
            "trace": number,
            "written": at,
            "span_id": int.from_bytes(span.span_id, "big"),
            "parent_span_id": int.from_bytes(span.parent_span_id, "big") if span.parent_span_id else None,
            "start_ns": span.start_ns or 1,
            "kind": int(span.kind),
            "shared": span.shared,
            "service": span.local.service,
            "local_ipv4": span.local.ipv4,
            "local_ipv6": span.local.ipv6,
            "local_port": span.local.port,
            "remote_service": span.remote_service,
            "error": span.error,
        }
        for number, spans in enumerate(traces)
        for at, span in enumerate(spans)
    ]
    return pa.Table.from_pylist(rows, schema=LINK_TABLE)


def linked(*traces: list[LinkSpan]) -> Linked:
    return calls_of_table(table(*traces), *ALWAYS)


def as_link_spans(spans: list[Span]) -> list[LinkSpan]:
    return [link_span_of(span) for span in spans]


@settings(deadline=None)
@given(st.lists(TRACES | sane_traces(a_trace_id(1), starts=st.integers(1, 5)), max_size=4))
def test_table_links_as_the_linker_does(traces: list[list[Span]]) -> None:
    given_spans = [as_link_spans(spans) for spans in traces]
    assert summed(linked(*given_spans).calls.items()) == link_traces(given_spans)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        # clients.md 1: Envoy with shared_span_context off and on; the ingress that marks its root as shared
        ("a C gateway, b<a S web, c<b C web, d<c S app", "gateway>web 1, web>app 1"),
        ("a S app sh, a C web, b<a C app, b<a S db sh", "app>db 1, web>app 1"),
        ("a S edge sh, b<a C edge, b<a S web sh", "edge>web 1"),
        # the same, and behind the sidecar an application that reports by OTLP, so without an address
        (
            "a C edge@1:1, a S web@2:2 sh, b<a S web, c<b - web, d<c C web@3:3, e<d S app",
            "edge>web 1, web>app 1, web>web 1",
        ),
        # applications' spans with local ones between, headless traces, several roots, a circle
        ("a S web, b<a -, c<b -, d<c C web, e<d S app, f<e -, g<f C app->db", "app>db 1, web>app 1"),
        ("b<a S web, c<b C web, d<c S app, e<x C cron", "web>app 1"),
        ("a S web, b C web, c<b S app, d S batch->cron, e<x S lost", "web>app 1, web>batch 1, web>lost 1"),
        ("a S web, b<a C web->app, c<d S app, d<c C web", "web>app 1"),
    ],
)
def test_table_takes_the_fast_way_for_what_tracers_send(spans: str, expected: str) -> None:
    found = linked(trace(spans))
    assert links(summed(found.calls.items())) == expected
    assert found.odd_spans == 0


def test_table_gives_repeated_spans_to_the_linker() -> None:
    found = linked(trace("a C web, b<a S app, b<a S app"), trace("a C web, b<a S app"))
    assert links(summed(found.calls.items())) == "web>app 2"
    assert found.odd_spans == 3


def test_table_links_very_deep_traces() -> None:
    depth = 20_000
    chain = [LinkSpan(_id(at), _id(at - 1)) for at in range(2, depth)]
    ends = [
        LinkSpan(_id(1), kind=SpanKind.SERVER, local=trace("a S web")[0].local),
        LinkSpan(_id(depth), _id(depth - 1), SpanKind.CLIENT, remote_service="app"),
    ]
    assert links(summed(linked([*ends, *chain]).calls.items())) == "web>app 1"


def test_table_keeps_what_two_hundred_services_call_apart() -> None:
    spans: dict[int, list[LinkSpan]] = defaultdict(list)
    for number in range(200):
        spans[number] = trace(f"a -, b<a C from{number}->to{number}, c<a C from{number}->to{number} !")
    found = summed(linked(*spans.values()).calls.items())
    assert [(link.call_count, link.error_count) for link in found] == [(2, 1)] * 200


@pytest.mark.parametrize(
    ("starts_ns", "window", "expected"),
    [
        ((5, 9), (5, 5), "web>app 1"),
        ((5, 9), (9, 9), ""),
        ((5, 1), (1, 1), ""),
        ((5, 1), (5, 5), "web>app 1"),
    ],
)
def test_table_asks_the_start_of_the_root_for_the_window(
    starts_ns: tuple[int, int], window: tuple[int, int], expected: str
) -> None:
    """Reference 3.2 rule 1."""
    client, server = trace("a C web, b<a S app")
    timed = [client._replace(start_ns=starts_ns[0]), server._replace(start_ns=starts_ns[1])]
    assert links(summed(calls_of_table(table(timed), *window).calls.items())) == expected


def _id(number: int) -> SpanId:
    return SpanId(number.to_bytes(8, "big"))
