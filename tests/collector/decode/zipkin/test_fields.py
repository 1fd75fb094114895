"""Zipkin reference, section 2.2: names, kinds, times, flags."""

import pytest

from collector.decode.zipkin_json_v2 import decode
from collector.errors import MalformedPayload
from storage.span import Protocol, SpanKind
from tests.builders import exactly
from tests.collector.decode.zipkin.reading import body_of, span_from, span_with, spans_of

INT64_MAX = 2**63 - 1


def test_span_has_only_ids_when_nothing_else_was_sent() -> None:
    span = span_with()
    assert (span.name, span.kind, span.start_ns, span.duration_ns, span.service) == (
        None,
        SpanKind.UNSPECIFIED,
        None,
        None,
        None,
    )
    assert (span.attributes, span.events, span.debug, span.shared) == ({}, (), False, False)


def test_span_is_recorded_as_come_by_zipkin() -> None:
    assert span_with().protocol is Protocol.ZIPKIN


def test_resource_is_empty() -> None:
    assert decode(body_of({})).columns.resource == ["{}"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("GET /Foo", "get /foo"), ("", None), (None, None), (" ", " "), ("ÄÖ", "äö"), ("a\x00B", "a\x00b")],
)
def test_name_is_lower_cased_and_absent_when_empty(sent: str | None, stored: str | None) -> None:
    assert span_with(name=sent).name == stored


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("CLIENT", SpanKind.CLIENT),
        ("SERVER", SpanKind.SERVER),
        ("PRODUCER", SpanKind.PRODUCER),
        ("CONSUMER", SpanKind.CONSUMER),
        (None, SpanKind.UNSPECIFIED),
    ],
)
def test_kind_is_kept(sent: str | None, stored: SpanKind) -> None:
    assert span_with(kind=sent).kind is stored


@pytest.mark.parametrize("kind", ["client", "INTERNAL", "", "SERVER ", "x" * 1000])
def test_kind_refuses_the_list_when_it_is_no_exact_name(kind: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(body_of({"kind": "CLIENT"}, {"kind": kind}))
    assert str(refusal.value) == (
        f"No enum constant zipkin2.Span.Kind.{kind[:100]} reading List<Span> from json, "
        "expected CLIENT, SERVER, PRODUCER or CONSUMER at $[1].kind"
    )


@pytest.mark.parametrize("member", ["timestamp", "duration"])
@pytest.mark.parametrize(
    ("micros", "nanos"),
    [
        (1, 1000),
        (1795229092690157, 1795229092690157000),
        (0, None),
        (-1, None),
        (-(2**63), None),
        (None, None),
        (INT64_MAX // 1000, INT64_MAX // 1000 * 1000),
        (INT64_MAX // 1000 + 1, INT64_MAX),
        (INT64_MAX, INT64_MAX),
    ],
)
def test_time_becomes_nanoseconds_and_is_absent_when_not_positive(
    member: str, micros: int | None, nanos: int | None
) -> None:
    span = span_with(**{member: micros})
    assert {"timestamp": span.start_ns, "duration": span.duration_ns}[member] == nanos


@pytest.mark.parametrize("member", ["timestamp", "duration"])
@pytest.mark.parametrize("micros", [2**63, -(2**63) - 1, 10**30])
def test_time_refuses_the_list_when_it_is_no_int64(member: str, micros: int) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(body_of({member: micros}))
    assert str(refusal.value) == (f"Expected a long but was {micros} reading List<Span> from json, at $[0].{member}")


@pytest.mark.parametrize("member", ["timestamp", "duration"])
@pytest.mark.parametrize("text", ["12", "12.0", "1.2e1", '"12"', '"12.0"', '"+12"', '" 12 "', "120e-1"])
def test_time_is_read_from_quoted_numbers_and_whole_doubles(member: str, text: str) -> None:
    span = span_from(f'"{member}":{text}')
    assert {"timestamp": span.start_ns, "duration": span.duration_ns}[member] == 12_000


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("1.5", "Expected a long but was 1.5 at "),
        ('"1.5"', "Expected a long but was 1.5 at "),
        ("1e400", "Expected a long but was 1e400 at "),
        ("true", "Expected a long but was BOOLEAN at "),
        ("{}", "Expected a long but was BEGIN_OBJECT at "),
        ('"soon"', 'For input string: "soon" reading '),
        ('""', 'For input string: "" reading '),
        ('"1_0"', 'For input string: "1_0" reading '),
        ('"١"', 'For input string: "١" reading '),
    ],
)
def test_time_refuses_the_list_when_it_is_no_whole_number(text: str, cause: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_from(f'"timestamp":{text}')
    assert str(refusal.value).startswith(cause)
    assert "$[0].timestamp" in str(refusal.value)


@pytest.mark.parametrize(("sent", "stored"), [(True, True), (False, False), (None, False)])
def test_debug_is_set_only_when_true(sent: bool | None, stored: bool) -> None:
    assert span_with(debug=sent).debug is stored


@pytest.mark.parametrize(("sent", "stored"), [(True, True), (False, False), (None, False)])
def test_shared_is_set_only_when_true(sent: bool | None, stored: bool) -> None:
    assert span_with(kind="SERVER", shared=sent).shared is stored


@pytest.mark.parametrize(
    ("kind", "stored"), [("CLIENT", False), ("SERVER", True), ("PRODUCER", True), ("CONSUMER", True), (None, True)]
)
def test_shared_is_removed_from_clients(kind: str | None, stored: bool) -> None:
    assert span_with(kind=kind, shared=True).shared is stored


@pytest.mark.parametrize("member", ["debug", "shared"])
@pytest.mark.parametrize(("text", "kind"), [('"true"', "STRING"), ("1", "NUMBER"), ("[]", "BEGIN_ARRAY")])
def test_flag_refuses_the_list_when_it_is_no_boolean(member: str, text: str, kind: str) -> None:
    with pytest.raises(MalformedPayload, match=rf"^Expected a boolean but was {kind} at .* path \$\[0\]\.{member} "):
        span_from(f'"{member}":{text}')


def test_spans_keep_their_order_and_repeats() -> None:
    spans = spans_of(body_of({"name": "b"}, {"name": "a"}, {"name": "b"}))
    assert [span.name for span in spans] == ["b", "a", "b"]
    assert exactly(spans[0]) == exactly(spans[2])
