"""Dependency links over a window. How one trace links is tests of storage.linking; here: which traces, and whole."""

from typing import Any

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.requests import DependencyLink
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
    a_half_truncated_trace,
    a_short_trace_id,
    a_span,
    a_trace_id,
    a_zipkin_span,
    a_zipkin_trace,
)
from tests.contract.conftest import Writing

CLIENT, SERVER, PRODUCER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER

STANDARD_LINKS = [DependencyLink(BACKEND, DB, 1, 1), DependencyLink(FRONTEND, BACKEND, 1)]


def links(store: SpanStore, start_ns: int = TODAY_NS - DAY, end_ns: int = TODAY_NS + DAY) -> list[DependencyLink]:
    return store.dependencies(start_ns, end_ns)


def calls(*pairs: tuple[str, str]) -> list[DependencyLink]:
    return [DependencyLink(parent, child, 1) for parent, child in sorted(pairs)]


def span(number: int, parent: int | None, kind: SpanKind, service: str | None, **changes: Any) -> Span:
    """One span of the trace under test; it starts later the higher its number."""
    return a_zipkin_span(
        1, number, parent=parent, kind=kind, service=service, **({"start_ns": TODAY_NS + number * MS} | changes)
    )


def test_an_empty_store_has_no_links(store: SpanStore) -> None:
    assert links(store) == []


def test_the_standard_trace_gives_its_links_with_their_errors(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace())
    assert store.dependencies(TODAY_NS - DAY, TODAY_NS + 350 * MS) == STANDARD_LINKS


def test_a_headless_trace_gives_the_same_links(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace()[1:])
    assert links(store) == STANDARD_LINKS


def test_a_trace_whose_id_was_truncated_on_its_way_links_as_one(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITDependencies: mixed trace ids. Links always group by the low 64 bits (zipkin.md 3.5)."""
    write(*a_half_truncated_trace())
    assert links(store) == STANDARD_LINKS


def test_spans_that_are_sent_twice_count_once(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITDependencies: processing the same trace twice -> counts unchanged."""
    write(*a_zipkin_trace(), *a_zipkin_trace())
    assert links(store) == STANDARD_LINKS


def test_links_are_the_same_when_asked_again(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace())
    assert links(store) == links(store) == STANDARD_LINKS


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_writing_does_not_matter(store: SpanStore, write: Writing, reverse: bool) -> None:
    write(*sorted(a_zipkin_trace(), key=lambda span: span.start_ns or 0, reverse=reverse))
    assert links(store) == STANDARD_LINKS


TRACES: dict[str, tuple[list[Span], list[DependencyLink]]] = {
    "all instrumented": (
        [
            span(1, None, SERVER, FRONTEND, local=Endpoint(ipv4="127.0.0.1", port=80)),
            span(2, 1, CLIENT, FRONTEND, local=Endpoint(ipv4="127.0.0.1", port=8080)),
            span(2, 1, SERVER, BACKEND, shared=True),
            span(3, 2, CLIENT, BACKEND),
            span(3, 2, SERVER, DB, shared=True),
        ],
        calls((FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "loopback": (
        [span(1, None, SERVER, FRONTEND), span(2, 1, CLIENT, FRONTEND, remote=FRONTEND)],
        calls((FRONTEND, FRONTEND)),
    ),
    "uninstrumented client of the root": (
        [
            span(1, None, SERVER, FRONTEND, remote=KAFKA),
            span(2, 1, CLIENT, FRONTEND),
            span(2, 1, SERVER, BACKEND, shared=True),
            span(3, 2, CLIENT, BACKEND, remote=DB),
        ],
        calls((KAFKA, FRONTEND), (FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "client first": (
        [
            span(10, None, CLIENT, FRONTEND),
            span(10, None, SERVER, BACKEND, shared=True),
            span(11, 10, CLIENT, BACKEND, remote=DB),
        ],
        calls((FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "producer and consumer of a broker": (
        [span(1, None, PRODUCER, FRONTEND, remote=KAFKA), span(2, 1, CONSUMER, BACKEND, remote=KAFKA)],
        calls((FRONTEND, KAFKA), (KAFKA, BACKEND)),
    ),
    "missing intermediate": (
        [span(20, None, SERVER, FRONTEND), span(22, 21, CLIENT, BACKEND)],
        calls((FRONTEND, BACKEND)),
    ),
    "no kinds": (
        [
            span(1, None, SpanKind.UNSPECIFIED, KAFKA, remote=FRONTEND),
            span(2, 1, SpanKind.UNSPECIFIED, FRONTEND, remote=BACKEND),
            span(3, 2, SpanKind.UNSPECIFIED, BACKEND, remote=DB),
        ],
        calls((KAFKA, FRONTEND), (FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "an unnamed first service": (
        [
            span(1, None, SpanKind.UNSPECIFIED, None, local=Endpoint(ipv4="172.17.0.13"), remote=FRONTEND),
            span(2, 1, SpanKind.UNSPECIFIED, FRONTEND, remote=BACKEND),
            span(3, 2, SpanKind.UNSPECIFIED, BACKEND, remote=DB),
        ],
        calls((FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "local spans in between": (
        [
            span(1, None, SERVER, FRONTEND),
            span(2, 1, SpanKind.UNSPECIFIED, FRONTEND),
            span(3, 2, CLIENT, FRONTEND),
            span(3, 2, SERVER, BACKEND, shared=True),
            span(4, 3, SpanKind.UNSPECIFIED, BACKEND),
            span(5, 4, SpanKind.UNSPECIFIED, BACKEND),
            span(6, 5, CLIENT, BACKEND, remote=DB),
        ],
        calls((FRONTEND, BACKEND), (BACKEND, DB)),
    ),
    "one-way": (
        [
            span(1, None, CLIENT, FRONTEND, duration_ns=None),
            span(1, None, SERVER, BACKEND, shared=True, duration_ns=None),
        ],
        calls((FRONTEND, BACKEND)),
    ),
    "an annotation named error": (
        [
            span(1, None, CLIENT, FRONTEND, annotations={"error": TODAY_NS}),
            span(1, None, SERVER, BACKEND, shared=True),
        ],
        calls((FRONTEND, BACKEND)),
    ),
    "a server with a remote and a local child": (
        [span(1, None, SERVER, BACKEND, remote=KAFKA), span(2, 1, SpanKind.UNSPECIFIED, BACKEND)],
        calls((KAFKA, BACKEND)),
    ),
}


@pytest.mark.parametrize("case", TRACES)
def test_a_trace_gives_the_links_that_zipkin_gives(store: SpanStore, write: Writing, case: str) -> None:
    """zipkin.md 3.8 ITDependencies, the shapes of traces."""
    trace, expected = TRACES[case]
    write(*trace)
    assert links(store) == expected


def test_names_differing_in_case_are_one_node(store: SpanStore, write: Writing) -> None:
    write(
        a_span(1, 1, kind=CLIENT, service="FrontEnd"),
        a_span(1, 2, parent=1, kind=SERVER, service="Backend"),
        a_zipkin_span(2, 1, kind=CLIENT, service="frontend", remote="backend"),
    )
    assert links(store) == [DependencyLink(FRONTEND, BACKEND, 2)]


def test_an_otlp_error_status_counts_as_an_error(store: SpanStore, write: Writing) -> None:
    write(
        a_span(1, 1, kind=CLIENT, service=FRONTEND),
        a_span(1, 2, parent=1, kind=SERVER, service=BACKEND, status_code=StatusCode.ERROR, protocol=Protocol.OTLP),
    )
    assert links(store) == [DependencyLink(FRONTEND, BACKEND, 1, 1)]


def test_a_sidecar_by_zipkin_and_an_application_by_otlp_link_as_one_trace(store: SpanStore, write: Writing) -> None:
    write(
        a_zipkin_span(a_short_trace_id(1), 1, kind=CLIENT, service="gateway"),
        a_zipkin_span(a_short_trace_id(1), 1, kind=SERVER, service="productpage", shared=True),
        a_span(a_trace_id(1), 2, parent=1, kind=CLIENT, service="productpage"),
        a_span(a_trace_id(1), 3, parent=2, kind=SERVER, service="reviews"),
    )
    assert links(store) == calls(("gateway", "productpage"), ("productpage", "reviews"))


class TestWindow:
    @pytest.mark.parametrize(
        ("start_ns", "end_ns", "inside"),
        [
            (TODAY_NS - 100 * MS, TODAY_NS + 100 * MS, True),
            (TODAY_NS, TODAY_NS, True),
            (TODAY_NS + 1, TODAY_NS + DAY, False),
            (TODAY_NS - DAY, TODAY_NS - 1, False),
            (TODAY_NS - 2 * SECOND, TODAY_NS - SECOND, False),
            (TODAY_NS + DAY, TODAY_NS + 2 * DAY, False),
            (TODAY_NS + 40 * MS, TODAY_NS + 300 * MS, False),
            (TODAY_NS + 1, TODAY_NS, False),
        ],
    )
    def test_bounds_are_inclusive_and_ask_the_traces_timestamp(
        self, store: SpanStore, write: Writing, start_ns: int, end_ns: int, inside: bool
    ) -> None:
        """zipkin.md 3.8 ITDependencies: lookback window. Links come from whole traces, not from spans in the window."""
        write(*a_zipkin_trace())
        assert links(store, start_ns, end_ns) == (STANDARD_LINKS if inside else [])

    def test_spans_outside_the_window_link_with_their_trace(self, store: SpanStore, write: Writing) -> None:
        write(
            span(1, None, SERVER, FRONTEND, start_ns=TODAY_NS),
            span(2, 1, CLIENT, FRONTEND, remote=DB, start_ns=TODAY_NS + 5 * DAY),
            span(3, 1, CLIENT, FRONTEND, remote=BACKEND, start_ns=TODAY_NS - 5 * DAY),
            span(4, 1, CLIENT, FRONTEND, remote=KAFKA, start_ns=None),
        )
        expected = calls((FRONTEND, DB), (FRONTEND, BACKEND), (FRONTEND, KAFKA))
        assert links(store, TODAY_NS, TODAY_NS + MS) == expected

    def test_yesterday_and_today_add_up(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.8 ITDependencies: two days."""
        write(*a_zipkin_trace(1, start_ns=TODAY_NS - DAY), *a_zipkin_trace(2, start_ns=TODAY_NS))
        assert links(store, TODAY_NS - DAY + SECOND, TODAY_NS + SECOND) == STANDARD_LINKS
        assert links(store, TODAY_NS - 2 * DAY, TODAY_NS - DAY + SECOND) == STANDARD_LINKS
        assert links(store, TODAY_NS - 2 * DAY, TODAY_NS + SECOND) == [
            DependencyLink(BACKEND, DB, 2, 2),
            DependencyLink(FRONTEND, BACKEND, 2),
        ]

    def test_the_root_dates_the_trace_even_when_a_child_starts_earlier(self, store: SpanStore, write: Writing) -> None:
        """zipkin.md 3.2 step 1: skewed clocks put a child before its root."""
        write(span(2, 1, CLIENT, FRONTEND, remote=BACKEND, start_ns=TODAY_NS - SECOND), span(1, None, SERVER, FRONTEND))
        assert links(store, TODAY_NS, TODAY_NS + SECOND) == calls((FRONTEND, BACKEND))
        assert links(store, TODAY_NS - 2 * SECOND, TODAY_NS - 1) == []

    def test_the_first_written_root_dates_the_trace(self, store: SpanStore, write: Writing) -> None:
        write(
            span(1, None, SERVER, FRONTEND, start_ns=TODAY_NS + 5 * SECOND),
            span(2, None, CLIENT, FRONTEND, remote=BACKEND, start_ns=TODAY_NS),
        )
        assert links(store, TODAY_NS + 5 * SECOND, TODAY_NS + 5 * SECOND) == calls((FRONTEND, BACKEND))
        assert links(store, TODAY_NS, TODAY_NS) == []

    def test_a_root_without_a_start_does_not_date_the_trace(self, store: SpanStore, write: Writing) -> None:
        write(
            span(1, None, SERVER, FRONTEND, start_ns=None),
            span(3, 1, CLIENT, FRONTEND, remote=DB, start_ns=TODAY_NS + SECOND),
            span(2, 1, CLIENT, FRONTEND, remote=BACKEND, start_ns=TODAY_NS),
        )
        assert links(store, TODAY_NS, TODAY_NS) == calls((FRONTEND, BACKEND), (FRONTEND, DB))
        assert links(store, TODAY_NS + 1, TODAY_NS + 2 * SECOND) == []

    def test_a_trace_without_any_start_is_in_no_window(self, store: SpanStore, write: Writing) -> None:
        write(span(1, None, CLIENT, FRONTEND, remote=BACKEND, start_ns=None))
        assert links(store, -(2**63), 2**63 - 1) == []


def test_a_late_root_moves_the_trace_into_its_window(store: SpanStore, write: Writing) -> None:
    write(span(2, 1, CLIENT, FRONTEND, remote=BACKEND, start_ns=TODAY_NS + SECOND))
    assert links(store, TODAY_NS + SECOND, TODAY_NS + SECOND) == calls((FRONTEND, BACKEND))
    store.write(SpanBatch.of([span(1, None, SERVER, FRONTEND, start_ns=TODAY_NS)]))
    assert links(store, TODAY_NS, TODAY_NS) == calls((FRONTEND, BACKEND))
    assert links(store, TODAY_NS + SECOND, TODAY_NS + SECOND) == []


def test_a_late_server_half_is_linked_at_once(store: SpanStore, write: Writing) -> None:
    write(*a_zipkin_trace(1)[:2])
    store.write(SpanBatch.of(a_zipkin_trace(1)[2:]))
    assert links(store) == STANDARD_LINKS


def test_many_traces_of_many_services_are_all_linked(store: SpanStore, write: Writing) -> None:
    """zipkin.md 3.8 ITDependenciesHeavy: 256 traces web-i/app-i/db-i -> 512 links, each count 1."""
    spans: list[Span] = []
    for n in range(1, 257):
        spans += [
            a_zipkin_span(n, 1, kind=SERVER, service=f"web-{n}"),
            a_zipkin_span(n, 2, parent=1, kind=CLIENT, service=f"web-{n}", remote=f"app-{n}"),
            a_zipkin_span(n, 2, parent=1, kind=SERVER, service=f"app-{n}", shared=True),
            a_zipkin_span(n, 3, parent=2, kind=CLIENT, service=f"app-{n}", remote=f"db-{n}"),
        ]
    write(*spans)
    expected = [(f"web-{n}", f"app-{n}") for n in range(1, 257)] + [(f"app-{n}", f"db-{n}") for n in range(1, 257)]
    assert links(store) == calls(*expected)


def test_links_come_sorted_by_parent_and_child(store: SpanStore, write: Writing) -> None:
    pairs = [("b", "a"), ("B", "c"), ("a", "z"), ("a", "b"), ("é", "a")]
    write(*(a_zipkin_span(n, kind=CLIENT, service=parent, remote=child) for n, (parent, child) in enumerate(pairs, 1)))
    found = [(link.parent, link.child) for link in links(store)]
    assert found == [("a", "b"), ("a", "z"), ("b", "a"), ("b", "c"), ("é", "a")]
