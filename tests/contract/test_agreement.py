"""Every store gives the answers of the executable definition (storage.matching) on a corpus made of odd values.

The corpus is random but fixed; each question is drawn from the values of the corpus. No two spans start together, so
"newest first" has one right answer.
"""

from functools import cache
from random import Random
from typing import Any

import pytest

from storage.attributes import AttributeValue, text_of
from storage.ids import TraceId, low_half
from storage.matching import satisfies
from storage.requests import Operation, TagFilter, TraceQuery
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import MS, TODAY_NS, a_short_trace_id, a_span, a_span_id, a_trace_id, exactly
from tests.contract.conftest import Loaded

SPANS = 500
TRACES = 120

SERVICES = [None, "frontend", "frontend", "Frontend", "backend", "", "Ünicode"]
NAMES = [None, "get", "GET", "post", "", 'n"a\\me']
REMOTES = [None, None, "db", "DB", "kafka"]
KEYS = ["k", "http.status_code", "", "a.b", 'q"k', "error", "event", "span.kind", "host", "resource.host", "scope.name"]
VALUES: list[AttributeValue] = [
    "x", "", "500", 500, 500.0, 72.5, True, "true", False, None, b"x", ["x", 1], {"k": "x"}, 2**63 - 1, 1e21,
    float("nan"), "server", "ERROR", "a=b",
]  # fmt: skip
EVENTS = ["", "boom", "k", "error", "x"]
DURATIONS = [None, 0, -5, 1, 1000, 5 * MS, 200 * MS]
KEYS_BEYOND_ATTRIBUTES = ["otel.status_code", "otel.status_description", "otel.scope.name", "w3c.tracestate", "boom"]
MORE_TEXTS = ["OK", "client", "lib", "it broke", "vendor=1", "nowhere"]


@cache
def corpus() -> list[Span]:
    draw = Random(20240505)
    moments = list(range(SPANS))
    draw.shuffle(moments)
    return [random_span(draw, number, moment) for number, moment in enumerate(moments, 1)]


def random_span(draw: Random, number: int, moment: int) -> Span:
    trace = draw.randrange(TRACES)
    return a_span(
        draw.choice([a_trace_id, a_trace_id, a_trace_id, a_short_trace_id])(trace),
        number,
        name=draw.choice(NAMES),
        service=draw.choice(SERVICES),
        kind=draw.choice(list(SpanKind)),
        protocol=draw.choice(list(Protocol)),
        start_ns=None if draw.random() < 0.1 else TODAY_NS + moment * MS + draw.randrange(MS),
        duration_ns=draw.choice(DURATIONS),
        status_code=draw.choice(list(StatusCode)),
        status_message=draw.choice(["", "", "it broke"]),
        attributes=random_attributes(draw),
        resource=Resource(random_attributes(draw)),
        scope=Scope(draw.choice(["", "lib"]), draw.choice(["", "1"]), random_attributes(draw)),
        events=tuple(Event(1, draw.choice(EVENTS), random_attributes(draw)) for _ in range(draw.randrange(3))),
        links=tuple(
            Link(a_trace_id(1), a_span_id(1), "", random_attributes(draw)) for _ in range(draw.choice([0, 0, 1, 2]))
        ),
        trace_state=draw.choice(["", "", "vendor=1"]),
        remote=Endpoint(draw.choice(REMOTES)),
    )


def random_attributes(draw: Random) -> dict[str, AttributeValue]:
    return {draw.choice(KEYS): draw.choice(VALUES) for _ in range(draw.choice([0, 0, 1, 1, 2, 4]))}


def random_query(draw: Random) -> TraceQuery:
    criteria: dict[str, Any] = {}
    if draw.random() < 0.5:
        criteria["service"] = draw.choice(["frontend", "Frontend", "backend", "", "ÜNICODE", "nobody"])
    if draw.random() < 0.3:
        criteria["operation"] = draw.choice(["get", "GET", "post", "", 'n"a\\me'])
    if draw.random() < 0.2:
        criteria["remote_service"] = draw.choice(["db", "DB", "kafka", ""])
    if draw.random() < 0.3:
        criteria["duration_min_ns"] = draw.choice([-5, 0, 1, 1000])
    if draw.random() < 0.3:
        criteria["duration_max_ns"] = draw.choice([0, 1, 1000, 5 * MS])
    bounds = sorted(draw.sample(range(SPANS + 1), 2)) if draw.random() < 0.5 else [0, SPANS + 1]
    return TraceQuery(
        start_min_ns=TODAY_NS + bounds[0] * MS,
        start_max_ns=TODAY_NS + bounds[1] * MS,
        limit=draw.choice([1, 3, 20, 1000]),
        tags=tuple(random_filter(draw) for _ in range(draw.choice([0, 0, 1, 1, 1, 2]))),
        ignore_case=draw.random() < 0.5,
        **criteria,
    )


def random_filter(draw: Random) -> TagFilter:
    key = draw.choice([*KEYS, *KEYS, *KEYS_BEYOND_ATTRIBUTES])
    text = draw.choice([*map(text_of, VALUES), *MORE_TEXTS, *EVENTS])
    return TagFilter(key, None if draw.random() < 0.3 else text)


def expected_answer(query: TraceQuery, strict: bool) -> list[list[Span]]:
    group = (lambda trace_id: trace_id) if strict else low_half
    newest: dict[bytes, int] = {}
    for span in corpus():
        if satisfies(span, query) and span.start_ns is not None:
            newest[group(span.trace_id)] = max(span.start_ns, newest.get(group(span.trace_id), span.start_ns))
    chosen = sorted(newest, key=lambda key: -newest[key])[: query.limit]
    return [[span for span in corpus() if group(span.trace_id) == key] for key in chosen]


def test_the_questions_are_not_all_trivial() -> None:
    answers = [len(expected_answer(random_query(Random(seed)), strict=True)) for seed in range(80)]
    assert sum(answer > 0 for answer in answers) > 30
    assert sum(answer == 0 for answer in answers) > 5


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("seed", range(80))
def test_a_search_gives_what_the_definition_gives(loaded: Loaded, seed: int, strict: bool) -> None:
    query = random_query(Random(seed))
    answer = loaded(corpus).find_traces(query, strict=strict)
    assert exactly(answer) == exactly(expected_answer(query, strict)), query


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("seed", range(80))
def test_a_search_for_ids_gives_those_of_the_traces_found(loaded: Loaded, seed: int, strict: bool) -> None:
    query = random_query(Random(seed))
    expected = [_key(trace[0].trace_id, strict).rjust(16, b"\0") for trace in expected_answer(query, strict)]
    assert loaded(corpus).find_trace_ids(query, strict=strict) == expected, query


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_traces_by_id_are_the_spans_of_that_id(loaded: Loaded, strict: bool) -> None:
    ids = [make(n) for n in range(TRACES + 2) for make in (a_trace_id, a_short_trace_id)]
    groups: dict[bytes, list[Span]] = {}
    for trace_id in ids:
        groups[_key(trace_id, strict)] = [
            span for span in corpus() if _key(span.trace_id, strict) == _key(trace_id, strict)
        ]
    answer = loaded(corpus).get_traces(ids, strict=strict)
    assert exactly(answer) == exactly([spans for spans in groups.values() if spans])


def test_name_lists_hold_every_name_of_the_corpus(loaded: Loaded) -> None:
    store = loaded(corpus)
    services = sorted({span.service for span in corpus() if span.service is not None})
    assert store.services() == services
    for service in services:
        local = [span for span in corpus() if span.service == service]
        names = sorted({(span.name, int(span.kind)) for span in local if span.name is not None})
        assert store.operations(service) == [Operation(*name) for name in names]
        assert store.remote_services(service) == sorted({span.remote.service for span in local if span.remote.service})


def _key(trace_id: TraceId, strict: bool) -> bytes:
    return trace_id if strict else low_half(trace_id)
