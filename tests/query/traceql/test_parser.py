"""TraceQL text to values: every form that Kiali and Grafana write, and clear refusals of all else."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.errors import BadRequest
from query.traceql.parser import MAX_CHARACTERS, parse, parse_field
from query.traceql.syntax import (
    ANYTHING,
    Attribute,
    Both,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Disjunction,
    Either,
    Field,
    Filter,
    Intrinsic,
    Literal,
    Match,
    Negation,
    Presence,
    Query,
    Scope,
)
from storage.span import SpanKind, StatusCode

KIALI = (
    '{ .service.name = "productpage.default"  && .istio.cluster_id = "Kubernetes"   } && {  }'
    "| select(status, .service_name, .node_id, resource.hostname, name)"
)


def any_of(key: str) -> Attribute:
    return Attribute(Scope.ANY, key)


def equal(field: Field, value: Literal) -> Comparison:
    return Comparison(field, "=", Constant(value))


def condition_of(text: str) -> Condition:
    """The condition of a query that is one filter."""
    query = parse(text)
    assert isinstance(query.spansets, Filter)
    return query.spansets.condition


def refusal_of(text: str) -> str:
    with pytest.raises(BadRequest) as raised:
        parse(text)
    return str(raised.value).removeprefix("invalid TraceQL query: ")


def test_kialis_search_is_a_filter_and_everything_with_selected_fields() -> None:
    service, cluster = (
        equal(any_of("service.name"), "productpage.default"),
        equal(any_of("istio.cluster_id"), "Kubernetes"),
    )
    selected = (
        Intrinsic.STATUS,
        any_of("service_name"),
        any_of("node_id"),
        Attribute(Scope.RESOURCE, "hostname"),
        Intrinsic.NAME,
    )
    query = parse(KIALI)
    assert query == Query(Both(Filter(Conjunction((service, cluster))), Filter(ANYTHING)), selected)
    assert query.fields() == (any_of("service.name"), any_of("istio.cluster_id"), *selected)


def test_grafanas_builder_writes_alternatives_in_parentheses() -> None:
    text = '{resource.service.name="a" && (name="x" || name="y") && duration>100ms && span.http.status_code>=500}'
    assert condition_of(text) == Conjunction(
        (
            equal(Attribute(Scope.RESOURCE, "service.name"), "a"),
            Disjunction((equal(Intrinsic.NAME, "x"), equal(Intrinsic.NAME, "y"))),
            Comparison(Intrinsic.DURATION, ">", Constant(100_000_000)),
            Comparison(Attribute(Scope.SPAN, "http.status_code"), ">=", Constant(500)),
        )
    )


@pytest.mark.parametrize("text", ["{}", "{ }", " {\n} ", "({})", "{} with (most_recent=true)"])
def test_empty_braces_ask_nothing(text: str) -> None:
    assert parse(text) == Query(Filter(ANYTHING))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a b"', "a b"),
        (r'"say \"x\" \\ \n \x41 é \101"', 'say "x" \\ \n A é A'),
        ("`C:\\dir`", "C:\\dir"),
        ("200", 200),
        ("-7", -7),
        ("1.5", 1.5),
        ("-1.5e3", -1500.0),
        ("2e3", 2000.0),
        ("true", True),
        ("false", False),
        ("100ms", 100_000_000),
        ("1h30m", 5_400 * 10**9),
        ("1.5s", 1_500_000_000),
        ("20us", 20_000),
        ("20µs", 20_000),
        ("1d", 86_400 * 10**9),
        ("error", StatusCode.ERROR),
        ("server", SpanKind.SERVER),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_constant_is_read_with_its_type(text: str, value: Literal) -> None:
    (comparison,) = [condition_of(f"{{ .x = {text} }}")]
    assert comparison == equal(any_of("x"), value)
    assert isinstance(comparison, Comparison)
    assert isinstance(comparison.right, Constant)
    assert type(comparison.right.value) is type(value)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (".http.method", any_of("http.method")),
        ("span.http.method", Attribute(Scope.SPAN, "http.method")),
        ("resource.k8s.pod-name/x:y", Attribute(Scope.RESOURCE, "k8s.pod-name/x:y")),
        ("event.exception.type", Attribute(Scope.EVENT, "exception.type")),
        ("link.kind", Attribute(Scope.LINK, "kind")),
        ("instrumentation.language", Attribute(Scope.INSTRUMENTATION, "language")),
        ('span."with space".x', Attribute(Scope.SPAN, "with space.x")),
        (r'."say \"x\""', any_of('say "x"')),
        (".span.kind", any_of("span.kind")),
        (".name", any_of("name")),
        (".größe", any_of("größe")),
        ("name", Intrinsic.NAME),
        ("span:name", Intrinsic.NAME),
        ("kind", Intrinsic.KIND),
        ("traceDuration", Intrinsic.TRACE_DURATION),
        ("trace:rootService", Intrinsic.ROOT_SERVICE),
        ("rootServiceName", Intrinsic.ROOT_SERVICE),
        ("event:name", Intrinsic.EVENT_NAME),
    ],
)
def test_a_field_is_read_with_its_scope(text: str, field: Field) -> None:
    assert parse_field(text) == field
    assert condition_of(f"{{{text} != nil}}") == Presence(field, negated=False)


def test_a_name_without_dot_and_scope_is_an_unscoped_attribute() -> None:
    assert parse_field("http.status_code") == any_of("http.status_code")
    assert parse_field("root") == any_of("root")


@pytest.mark.parametrize("text", ["", "a b", "{", "{}", "x=1", ".a && .b"])
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_field(text)


def test_and_and_or_bind_alike_from_left_to_right() -> None:
    """As in Tempo, and unlike most languages."""
    a, b, c = (equal(any_of(key), 1) for key in "abc")
    assert condition_of("{ .a=1 || .b=1 && .c=1 }") == Conjunction((Disjunction((a, b)), c))
    assert condition_of("{ .a=1 || (.b=1 && .c=1) }") == Disjunction((a, Conjunction((b, c))))


def test_filters_are_joined_from_left_to_right() -> None:
    a, b, c = (Filter(equal(any_of(key), 1)) for key in "abc")
    assert parse("{.a=1} || {.b=1} && {.c=1}").spansets == Both(Either(a, b), c)
    assert parse("{.a=1} || ({.b=1} && {.c=1})").spansets == Either(a, Both(b, c))


def test_negations_truths_and_turned_comparisons_are_read() -> None:
    assert condition_of("{ !(.a=1) }") == Negation(equal(any_of("a"), 1))
    assert condition_of("{ !.a }") == equal(any_of("a"), False)
    assert condition_of("{ .a }") == equal(any_of("a"), True)
    assert condition_of("{ true }") == Comparison(Constant(True), "=", Constant(True))
    assert condition_of("{ 1 < .a }") == Comparison(any_of("a"), ">", Constant(1))
    assert condition_of("{ .a = .b }") == Comparison(any_of("a"), "=", any_of("b"))
    assert condition_of("{ .a = nil }") == Presence(any_of("a"), negated=True)


def test_a_regular_expression_is_read_as_one() -> None:
    match = condition_of('{ name !~ "a|b" }')
    assert isinstance(match, Match)
    assert (match.operand, match.pattern.text, match.negated) == (Intrinsic.NAME, "a|b", True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1, col 1: unexpected end, expected ( or {"),
        ("{", "line 1, col 2: unexpected end"),
        ("{ .a = }", "line 1, col 8: unexpected '}', expected a duration"),
        ("{\n .a == 1 }", "line 2, col 6: unexpected '='"),
        ("{ .a = 1 } foo", "line 1, col 12: 'foo' is not supported"),
        ("{ .a = 'GET' }", 'line 1, col 8: unexpected "\'"'),
        ("{} >> {}", "line 1, col 4: the operator '>>' is not supported"),
        ("{} > {}", "line 1, col 4: the structural operator '>' is not supported"),
        ("{} !~ {}", "line 1, col 4: the structural operator '!~' is not supported"),
        ("{} ~ {}", "line 1, col 4: the operator '~' is not supported"),
        ("{} &>> {}", "line 1, col 4: the operator '&>>' is not supported"),
        ("{} | count() > 2", "line 1, col 6: 'count' is not supported"),
        ("{} | rate() by (name)", "line 1, col 6: 'rate' is not supported"),
        ("{} | by(.a)", "line 1, col 6: 'by' is not supported"),
        ("{} | {}", "line 1, col 6: a filter after | is not supported"),
        ("{ .a + 1 = 2 }", "line 1, col 6: the operator '+' is not supported"),
        ("{ parent.a = 1 }", "line 1, col 3: 'parent.a' is not supported"),
        ("{ nestedSetParent < 0 }", "line 1, col 3: 'nestedSetParent' is not supported"),
        ("{} with (sample=true)", "line 1, col 10: 'sample' is not supported"),
        ("{} with (most_recent=false)", "line 1, col 10: the hint most_recent can only be true"),
        ('{ .a =~ "(" }', "line 1, col 6: Invalid regular expression: missing )"),
        ('{ .a =~ "(?=x)" }', "line 1, col 6: Invalid regular expression"),
        ("{ .a =~ 1 }", "line 1, col 6: =~ needs a regular expression in quotes"),
        ('{ duration =~ "1.*" }', "line 1, col 12: duration is no text"),
        (r'{ .a = "\d" }', r"line 1, col 8: invalid escape '\\d'"),
        ('{ status = "error" }', "line 1, col 10: status is compared with ok, error or unset, got 'error'"),
        ("{ kind > server }", "line 1, col 8: kind has no order"),
        ('{ duration > "1s" }', "line 1, col 12: duration is compared with a duration, got '1s'"),
        ("{ name = 5 }", "line 1, col 8: name is compared with a text in quotes, got 5"),
        ("{ status }", "status alone is neither true nor false"),
        ("{ 1 = nil }", "line 1, col 5: nil can only be compared with a field"),
        ("{ .a = 99999999999999999999 }", "line 1, col 8: expected a number that 64 bits hold"),
        ("{ .a = 1e999 }", "line 1, col 8: expected a number that 64 bits hold"),
        ("{ duration > 99999999d }", "line 1, col 14: expected a number that 64 bits hold"),
        ("{ duration > 1w }", "line 1, col 14: expected a duration"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text: str, why: str) -> None:
    assert why in refusal_of(text)


def test_long_and_deep_queries_are_refused_by_their_size() -> None:
    assert "more than 256 conditions" in refusal_of("{" + " && ".join([".a=1"] * 300) + "}")
    assert "more than 256 conditions" in refusal_of("{" + "!(" * 5000 + ".a" + ")" * 5000 + "}")
    assert "more than 256 conditions" in refusal_of(" && ".join(["{}"] * 300))
    assert f"at most {MAX_CHARACTERS} characters" in refusal_of("(" * MAX_CHARACTERS + "{}")
    assert "unexpected end" in refusal_of("(" * 5000 + "{}")


def test_conditions_as_many_as_are_allowed_are_read() -> None:
    assert isinstance(condition_of("{" + " && ".join([".a=1"] * 250) + "}"), Conjunction)


WORDS = (
    *("{", "}", "(", ")", "&&", "||", "!", "=", "!=", "=~", "!~", "<", "<=", ">", ">=", "|", ",", ">>", "~", "+"),
    *(".a", "span.b", "resource.service.name", "parent.c", "name", "status", "duration", "kind"),
    *('"x"', '"("', "`y`", "1", "-2", "1.5", "1s", "1y", "true", "nil", "error", "server"),
    *("select", "with", "most_recent", "by", "count"),
)


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_query_or_a_clear_refusal(text: str) -> None:
    assert isinstance(_or_refused(parse, text), Query | BadRequest)


@given(st.text(max_size=30))
def test_any_text_is_a_field_or_a_clear_refusal(text: str) -> None:
    assert isinstance(_or_refused(parse_field, text), Attribute | Intrinsic | BadRequest)


def _or_refused(read: Callable[[str], Query | Field], text: str) -> Query | Field | BadRequest:
    try:
        return read(text)
    except BadRequest as refusal:
        if re.match(r"invalid TraceQL query: parse error at line \d+, col \d+: .", str(refusal)):
            return refusal
        raise
