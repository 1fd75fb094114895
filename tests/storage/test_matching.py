"""The one predicate, condition by condition. That every store agrees with it is tests/contract."""

from typing import Any

import pytest
from hypothesis import given

from storage.attributes import text_of
from storage.matching import satisfies, satisfies_tags
from storage.requests import TagFilter, TraceQuery
from storage.span import Endpoint, Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import BACKEND, FRONTEND, MS, TODAY_NS, a_span, a_span_id, a_trace_id
from tests.contract.asking import a_query
from tests.span_strategies import spans

START_NS = TODAY_NS + MS
SPAN = a_span(start_ns=START_NS, duration_ns=200, name="get", service=FRONTEND, remote=Endpoint(BACKEND))


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, True),
        ({"start_min_ns": START_NS, "start_max_ns": START_NS}, True),
        ({"start_min_ns": START_NS + 1}, False),
        ({"start_max_ns": START_NS - 1}, False),
        ({"service": FRONTEND}, True),
        ({"service": BACKEND}, False),
        ({"service": ""}, False),
        ({"service": "FRONTEND"}, False),
        ({"service": "FRONTEND", "ignore_case": True}, True),
        ({"operation": "get"}, True),
        ({"operation": "GET"}, False),
        ({"operation": "GET", "ignore_case": True}, True),
        ({"remote_service": BACKEND}, True),
        ({"remote_service": FRONTEND}, False),
        ({"remote_service": "BackEnd", "ignore_case": True}, True),
        ({"duration_min_ns": 200, "duration_max_ns": 200}, True),
        ({"duration_min_ns": 201}, False),
        ({"duration_max_ns": 199}, False),
        ({"service": FRONTEND, "operation": "post"}, False),
        ({"service": FRONTEND, "tags": {"k": "v"}}, False),
    ],
    ids=str,
)
def test_a_span_satisfies_a_query_when_it_meets_every_condition(criteria: dict[str, Any], expected: bool) -> None:
    assert satisfies(SPAN, a_query(**criteria)) is expected


def test_a_span_without_a_start_satisfies_no_query() -> None:
    assert not satisfies(a_span(start_ns=None), TraceQuery(-(2**63), 2**63 - 1, 1))


@pytest.mark.parametrize(("bounds", "expected"), [({"duration_max_ns": 0}, True), ({"duration_min_ns": 1}, False)])
def test_an_absent_duration_counts_as_zero(bounds: dict[str, Any], expected: bool) -> None:
    assert satisfies(a_span(duration_ns=None), a_query(**bounds)) is expected


@pytest.mark.parametrize("name", ["service", "operation", "remote_service"])
@pytest.mark.parametrize("ignore_case", [False, True])
def test_an_absent_name_equals_no_name_that_is_asked(name: str, ignore_case: bool) -> None:
    span = a_span(service=None, name=None)
    asked: dict[str, Any] = {name: ""}
    assert not satisfies(span, a_query(ignore_case=ignore_case, **asked))


EVERYWHERE = a_span(
    kind=SpanKind.PRODUCER,
    status_code=StatusCode.ERROR,
    status_message="it broke",
    attributes={"k": "span", "n": 7},
    resource=Resource({"k": "resource", "host": "h"}),
    scope=Scope("lib", "1.2", {"k": "scope"}),
    events=(Event(1, "boom", {"k": "event"}), Event(2, "bang", {"k": "event 2"})),
    links=(Link(a_trace_id(2), a_span_id(2), attributes={"k": "link"}),),
    trace_state="a=1",
)
PLAIN = a_span()


@pytest.mark.parametrize("text", ["span", "resource", "scope", "event", "event 2", "link"])
def test_a_text_is_found_in_every_place_that_has_the_key(text: str) -> None:
    assert satisfies_tags(EVERYWHERE, (TagFilter("k", text),))
    assert not satisfies_tags(EVERYWHERE, (TagFilter("k", text + " "),))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("event", "boom"),
        ("event", "bang"),
        ("error", "true"),
        ("span.kind", "producer"),
        ("otel.status_code", "ERROR"),
        ("otel.status_description", "it broke"),
        ("otel.scope.name", "lib"),
        ("scope.name", "lib"),
        ("otel.scope.version", "1.2"),
        ("scope.version", "1.2"),
        ("w3c.tracestate", "a=1"),
        ("resource.k", "resource"),
        ("resource.host", "h"),
    ],
)
def test_facts_that_jaeger_shows_as_tags_satisfy_like_tags(key: str, text: str) -> None:
    assert satisfies_tags(EVERYWHERE, (TagFilter(key, text),))
    assert not satisfies_tags(PLAIN, (TagFilter(key, text),))


@pytest.mark.parametrize(
    "key",
    [
        "otel.status_description",
        "otel.scope.name",
        "scope.name",
        "scope.version",
        "w3c.tracestate",
        "span.kind",
        "event",
    ],
)
def test_an_absent_fact_is_not_an_empty_text(key: str) -> None:
    assert not satisfies_tags(PLAIN, (TagFilter(key, ""),))


@pytest.mark.parametrize(
    ("code", "text"), [(StatusCode.ERROR, "true"), (StatusCode.OK, "false"), (StatusCode.UNSET, "false")]
)
def test_error_is_true_for_the_error_status_and_false_for_others(code: StatusCode, text: str) -> None:
    span = a_span(status_code=code)
    assert [t for t in ("true", "false", "", "1") if satisfies_tags(span, (TagFilter("error", t),))] == [text]


def test_a_resource_prefix_does_not_look_at_the_span() -> None:
    assert not satisfies_tags(EVERYWHERE, (TagFilter("resource.n", "7"),))


@pytest.mark.parametrize(
    ("key", "expected"),
    [("k", True), ("n", True), ("host", True), ("boom", True), ("error", True), ("event", False), ("lib", False)],
)
def test_presence_is_of_a_span_or_resource_key_or_an_event_name_or_the_error_status(key: str, expected: bool) -> None:
    assert satisfies_tags(EVERYWHERE, (TagFilter(key),)) is expected
    assert not satisfies_tags(PLAIN, (TagFilter(key),))


def test_presence_does_not_look_into_scope_event_and_link_attributes() -> None:
    span = a_span(
        scope=Scope(attributes={"k": 1}),
        events=(Event(1, "e", {"k": 1}),),
        links=(Link(a_trace_id(2), a_span_id(2), attributes={"k": 1}),),
    )
    assert not satisfies_tags(span, (TagFilter("k"),))


def test_all_filters_must_be_satisfied_and_no_filter_is() -> None:
    assert satisfies_tags(EVERYWHERE, (TagFilter("k", "span"), TagFilter("host", "h"), TagFilter("boom")))
    assert not satisfies_tags(EVERYWHERE, (TagFilter("k", "span"), TagFilter("host", "i")))
    assert satisfies_tags(PLAIN, ())


@given(spans())
def test_every_span_satisfies_a_query_made_of_its_own_facts(span: Span) -> None:
    filters = [TagFilter(key, text_of(value)) for key, value in span.attributes.items()]
    filters += [TagFilter(key) for key in (*span.attributes, *span.resource.attributes)]
    filters += [TagFilter(event.name) for event in span.events]
    query = TraceQuery(
        start_min_ns=span.start_ns or 0,
        start_max_ns=span.start_ns or 0,
        limit=1,
        service=span.service,
        operation=span.name,
        remote_service=span.remote.service,
        tags=tuple(filters),
        duration_min_ns=span.duration_ns,
        duration_max_ns=span.duration_ns,
        ignore_case=True,
    )
    assert satisfies(span, query) is (span.start_ns is not None)


def test_a_query_for_less_than_one_trace_is_refused() -> None:
    with pytest.raises(ValueError, match="expected limit >= 1, got 0"):
        a_query(limit=0)
