"""Every store's links over a window are those of the executable definition (storage.linking) on a corpus of odd traces.

Plain call trees as tracers report them, and beside them what goes wrong in the field: lost and repeated spans, ids cut
to 64 bits, shared ids, skewed and absent clocks, loops, missing names.
"""

from functools import cache
from random import Random

import pytest

from storage.ids import low_half
from storage.linking.link_span import link_span_of
from storage.linking.linker import link_traces
from storage.requests import DependencyLink
from storage.span import Endpoint, Protocol, Span, SpanKind, StatusCode
from tests.builders import MS, SECOND, TODAY_NS, a_short_trace_id, a_span, a_span_id, a_trace_id
from tests.contract.conftest import Loaded

TRACES = 300
SERVICES = ["gateway", "frontend", "Frontend", "backend", "db", "kafka", None, ""]
KINDS = [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.INTERNAL]


@cache
def corpus() -> list[Span]:
    """Fragments of all traces, shuffled together: the order of writing is not the order of the clock."""
    draw = Random(4711)
    spans = [span for trace in range(1, TRACES + 1) for span in random_trace(draw, trace)]
    draw.shuffle(spans)
    return spans


def random_trace(draw: Random, trace: int) -> list[Span]:
    spans: list[Span] = []
    for number in range(1, draw.randrange(2, 12)):
        parent = draw.randrange(1, number) if number > 1 else None
        spans += random_call(draw, trace, number, parent)
    return broken(draw, spans) if draw.random() < 0.5 else spans


def random_call(draw: Random, trace: int, number: int, parent: int | None) -> list[Span]:
    """One span, or the two halves of a call: under one shared id as Zipkin's, or under two as OpenTelemetry's."""
    if draw.random() < 0.4:
        client = random_span(draw, trace, number, parent, SpanKind.CLIENT)
        if draw.random() < 0.5:
            return [client, random_span(draw, trace, number, parent, SpanKind.SERVER, shared=True)]
        return [client, random_span(draw, trace, 100 + number, number, SpanKind.SERVER)]
    return [random_span(draw, trace, number, parent, draw.choice(KINDS))]


def random_span(
    draw: Random, trace: int, number: int, parent: int | None, kind: SpanKind, shared: bool = False
) -> Span:
    start_ns = TODAY_NS + trace * SECOND + number * MS + draw.randrange(-2, 20) * MS
    return a_span(
        (a_short_trace_id if draw.random() < 0.1 else a_trace_id)(trace),
        number,
        parent=parent,
        kind=kind,
        shared=shared,
        protocol=draw.choice(list(Protocol)),
        service=draw.choice(SERVICES),
        remote=Endpoint(draw.choice([None, None, "db", "Backend", "kafka"])),
        local=Endpoint(ipv4=draw.choice([None, None, "10.0.0.1", "10.0.0.2"]), port=draw.choice([None, 80])),
        start_ns=None if draw.random() < 0.05 else start_ns,
        status_code=draw.choice([StatusCode.UNSET, StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR]),
        attributes=draw.choice([{}, {}, {"error": "x"}, {"errors": "y"}, {"peer.service": "Payments"}]),
    )


def broken(draw: Random, spans: list[Span]) -> list[Span]:
    """The same trace after something went wrong: spans lost, sent twice, orphaned, or made their own ancestors."""
    kept = [span for span in spans if draw.random() < 0.8]
    repeated = [span for span in kept if draw.random() < 0.2]
    strayed = [
        random_span(draw, number_of(span), 900, draw.choice([None, 1, 2, 900, 999]), span.kind) for span in kept[:1]
    ]
    return kept + repeated + strayed


def number_of(span: Span) -> int:
    return int.from_bytes(low_half(span.trace_id), "big")


def trace_timestamp_ns(trace: list[Span]) -> int | None:
    """As SpanReader.dependencies says: of the first-written parentless span that has a start, else the least start."""
    for span in trace:
        if span.start_ns is not None and span.parent_span_id is None:
            return span.start_ns
    return min((span.start_ns for span in trace if span.start_ns is not None), default=None)


def expected_links(start_ns: int, end_ns: int) -> list[DependencyLink]:
    traces: dict[int, list[Span]] = {}
    for span in corpus():
        traces.setdefault(number_of(span), []).append(span)
    return link_traces(
        [link_span_of(span) for span in trace]
        for trace in traces.values()
        if (at_ns := trace_timestamp_ns(trace)) is not None and start_ns <= at_ns <= end_ns
    )


def window(seed: int) -> tuple[int, int]:
    """Some seconds of the corpus; the first few are the whole of it and single traces."""
    if seed == 0:
        return TODAY_NS, TODAY_NS + (TRACES + 1) * SECOND
    draw = Random(seed)
    first = draw.randrange(TRACES)
    length = draw.choice([1, 5, 60, TRACES])
    return TODAY_NS + first * SECOND + 1, TODAY_NS + (first + length) * SECOND


def test_the_corpus_is_rich_in_links_and_errors() -> None:
    links = expected_links(*window(0))
    assert len(links) > 20
    assert sum(link.error_count for link in links) > 50
    assert {span.span_id for span in corpus()} >= {a_span_id(1), a_span_id(900)}


@pytest.mark.parametrize("seed", range(40))
def test_the_links_of_a_window_are_those_of_the_definition(loaded: Loaded, seed: int) -> None:
    start_ns, end_ns = window(seed)
    assert loaded(corpus).dependencies(start_ns, end_ns) == expected_links(start_ns, end_ns)
