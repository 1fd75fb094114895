"""Which spans of a trace a query finds."""

import pytest

from query.reconstruct.assembly import assemble
from query.traceql.evaluation import Evaluation
from query.traceql.parser import parse
from storage.span import Endpoint, Event, Link, Resource, Scope, Span, SpanKind, StatusCode
from tests.builders import BACKEND, FRONTEND, MS, TODAY_NS, a_span, a_span_id, a_trace_id, a_zipkin_span

ATTRIBUTES = {
    "text": "200",
    "int": 200,
    "float": 0.5,
    "true": True,
    "bytes": b"200",
    "array": ["200"],
    "null": None,
    "both": "span's",
}
ONE = a_span(
    attributes=ATTRIBUTES,
    kind=SpanKind.SERVER,
    status_code=StatusCode.ERROR,
    status_message="broken",
    resource=Resource({"pod": "p1", "both": "resource's"}),
    scope=Scope("lib", "1.2", {"language": "go"}),
    events=(Event(TODAY_NS, "first", {"n": 1}), Event(TODAY_NS, "second", {"n": 2})),
    links=(Link(a_trace_id(9), a_span_id(8), attributes={"why": "retry"}),),
)


def holds(condition: str, span: Span = ONE) -> bool:
    return found(f"{{ {condition} }}", span) != []


def found(query: str, *spans: Span) -> list[int]:
    """Numbers of the spans found, in their order."""
    return [span.span_id[-1] for span in Evaluation(assemble(spans)).found(parse(query).spansets)]


@pytest.mark.parametrize(
    "condition",
    [
        '.text = "200"',
        '.text != "x"',
        '.text =~ "2.."',
        '.text !~ "3.."',
        '.text < "3"',
        ".int = 200",
        ".int = 200.0",
        ".int >= 200 && .int <= 200 && .int > 199.5 && .int < 1s",
        "100 < .int",
        ".float = 0.5",
        ".true = true",
        ".true != false",
        ".true",
        ".array != nil",
        ".null != nil",
        ".absent = nil",
        '.both = "span\'s"',
        'resource.both = "resource\'s"',
        '.pod = "p1"',
        'resource.pod = "p1"',
        f'.service.name = "{FRONTEND}"',
        f'resource.service.name = "{FRONTEND}"',
        "event.n = 2",
        'event:name = "second"',
        'link.why = "retry"',
        'link:spanID = "0000000000000008"',
        'instrumentation.language = "go"',
        'instrumentation:name = "lib" && instrumentation:version = "1.2"',
        'name = "get" && kind = server && status = error && statusMessage =~ "bro.*"',
        "kind != client && status != ok",
        "duration = 200ms && traceDuration = 200ms",
        'rootName = "get" && rootServiceName = "frontend"',
        'span:id = "0000000000000001" && trace:id =~ ".*1"',
        "span:parentID = nil",
        '!(.text = "x")',
        "!(.absent = 1)",
        '.absent = 1 || .text = "200"',
        ".int = .int",
        "true",
    ],
)
def test_a_condition_that_the_span_meets_finds_it(condition: str) -> None:
    assert holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        ".text = 200",
        ".text != 200",
        '.int = "200"',
        '.int != "200"',
        '.true = "true"',
        ".true = 1",
        ".int = true",
        '.array = "200"',
        '.bytes = "200"',
        ".array != 1",
        '.null = ""',
        '.absent != "x"',
        '.absent !~ "x"',
        ".absent < 1",
        ".text = nil",
        'span.pod = "p1"',
        'resource.text = "200"',
        f'span.service.name = "{FRONTEND}"',
        ".n = 1",
        ".true > false",
        ".int = server",
        ".text = error",
        '.text = "200" && .absent = 1',
        "duration < 200ms",
        "false",
        "!.true",
    ],
)
def test_a_condition_that_the_span_does_not_meet_does_not(condition: str) -> None:
    assert not holds(condition)


def test_a_zipkin_span_is_seen_as_the_trace_view_shows_it() -> None:
    span = a_zipkin_span(
        tags={"error": "true", "http.status_code": "503"},
        remote=BACKEND,
        kind=SpanKind.CLIENT,
        local=Endpoint(ipv4="10.0.0.1", port=80),
        service=None,
        name=None,
        duration_ns=None,
    )
    assert holds('status = error && .peer.service = "backend" && .net.host.port = 80', span)
    assert holds('.service.name = "missing-service-name" && name = "empty-span-name" && duration = 1ns', span)
    assert not holds(".error != nil", span)


FAMILY = (
    a_span(span=1, duration_ns=900 * MS),
    a_span(span=2, parent=1, service=BACKEND, duration_ns=10 * MS, attributes={"a": 1}),
    a_span(span=3, parent=1, service=BACKEND, duration_ns=20 * MS, attributes={"b": 1}),
)


@pytest.mark.parametrize(
    ("query", "spans"),
    [
        ("{}", [1, 2, 3]),
        ('{ .service.name = "backend" }', [2, 3]),
        ("{ .a = 1 && .b = 1 }", []),
        ("{ .a = 1 } && { .b = 1 }", [3, 2]),
        ("{ .a = 1 } && { .c = 1 }", []),
        ("{ .a = 1 } || { .c = 1 }", [2]),
        ("{ .a = 1 } || { .a = 1 }", [2]),
        ("{ .b = 1 } && {}", [3, 1, 2]),
        ("{} && { .b = 1 }", [3, 1, 2]),
        ("({ .a = 1 } || { .b = 1 }) && { duration > 800ms }", [1, 3, 2]),
        ("{ traceDuration >= 900ms && duration < 15ms }", [2]),
        ('{ rootServiceName = "frontend" && .service.name = "backend" }', [2, 3]),
    ],
)
def test_filters_are_joined_as_sets_of_spans_the_smaller_first(query: str, spans: list[int]) -> None:
    assert found(query, *FAMILY) == spans


def test_a_trace_without_root_and_times_has_no_name_and_no_duration() -> None:
    orphan = a_span(span=2, parent=1, start_ns=None, duration_ns=None)
    assert holds('rootName = "" && rootServiceName = "" && traceDuration = 0s', orphan)
