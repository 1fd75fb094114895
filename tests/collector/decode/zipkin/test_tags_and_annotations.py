"""Zipkin reference, section 2.2: annotations and tags."""

import pytest

from collector.decode.zipkin_json_v2 import decode
from collector.errors import MalformedPayload
from storage.attributes import token
from storage.span import Event, StatusCode
from tests.collector.decode.zipkin.reading import body_of, body_with, span_from, span_with, spans_of

INT64_MAX = 2**63 - 1


def test_tags_become_text_attributes_sorted_by_key() -> None:
    assert list(span_with(tags={"b": "2", "a": "1", "C": "3"}).attributes.items()) == [
        ("C", "3"),
        ("a", "1"),
        ("b", "2"),
    ]


@pytest.mark.parametrize(
    "tags",
    [
        {},
        None,
    ],
)
def test_tags_are_none_when_empty_or_null(tags: dict[str, str] | None) -> None:
    columns = decode(body_of({"tags": tags})).columns
    assert (columns.attributes, columns.attribute_keys, columns.token_counts) == (["{}"], [""], [0])


@pytest.mark.parametrize(
    "value",
    ["", "plain", 'a "quoted" \\ path', "line\nbreak\ttab", "\x00\x1f\x7f", "zoë 日本 😀", "100 % %s", "\u2028", "{}"],
)
def test_tag_keeps_key_and_value_as_they_are(value: str) -> None:
    assert span_with(tags={"only": value}).attributes == {"only": value}
    assert span_with(tags={"k": "v", f"key {value}": value}).attributes == {"k": "v", f"key {value}": value}


def test_tag_keeps_the_last_value_when_its_key_repeats() -> None:
    assert span_from('"tags":{"a":"1","b":"x","a":"2"}').attributes == {"a": "2", "b": "x"}


@pytest.mark.parametrize("number", ["1", "-0", "1.0", "1e5", "12345678901234567890123", "0.10"])
def test_tag_is_the_text_of_a_json_number(number: str) -> None:
    assert span_from(f'"tags":{{"a":{number},"b":"x"}}').attributes == {"a": number, "b": "x"}


def test_tag_refuses_the_list_when_it_is_null() -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_from('"tags":{"foo":null}')
    assert str(refusal.value) == "No value at $[0].tags.foo reading List<Span> from json"


@pytest.mark.parametrize(
    ("text", "kind"), [("true", "BOOLEAN"), ("{}", "BEGIN_OBJECT"), ('["a"]', "BEGIN_ARRAY"), ("FALSE", "BOOLEAN")]
)
def test_tag_refuses_the_list_when_it_is_no_text(text: str, kind: str) -> None:
    body = body_with(f'"tags":{{"foo":{text}}}')
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(body)
    column = body.index(text.encode()) + 1
    assert str(refusal.value) == (
        f"Expected a string but was {kind} at line 1 column {column} path $[0].tags.foo reading List<Span> from json"
    )


@pytest.mark.parametrize("value", ["", "true", "false", "boom"])
def test_status_is_error_when_there_is_an_error_tag(value: str) -> None:
    assert span_with(tags={"error": value, "a": "b"}).status_code is StatusCode.ERROR


def test_status_is_unset_when_only_an_annotation_says_error() -> None:
    span = span_with(tags={"errors": "1"}, annotations=[{"timestamp": 1, "value": "error"}])
    assert span.status_code is StatusCode.UNSET


def test_tokens_are_those_of_tags_and_events() -> None:
    columns = decode(
        body_of(
            {"tags": {"b": "ü", "a": ""}, "annotations": [{"timestamp": 1, "value": "cr"}]},
            {},
            {"tags": {"x": "y"}},
        )
    ).columns
    assert columns.token_counts == [3, 0, 1]
    assert sorted(columns.tokens[:3]) == sorted([token("a", ""), token("b", "ü"), token("event", "cr")])
    assert list(columns.tokens[3:]) == [token("x", "y")]


def test_annotations_are_sorted_by_time_then_value_without_repeats() -> None:
    pairs = [(3, "b"), (1, "z"), (3, "a"), (1, "z"), (2, "m"), (3, "b")]
    span = span_with(annotations=[{"timestamp": timestamp, "value": value} for timestamp, value in pairs])
    assert span.events == (Event(1000, "z"), Event(2000, "m"), Event(3000, "a"), Event(3000, "b"))


@pytest.mark.parametrize(
    ("micros", "nanos"),
    [(0, 0), (-5, -5000), (INT64_MAX, INT64_MAX), (-(2**63), -(2**63)), (INT64_MAX // 1000, INT64_MAX // 1000 * 1000)],
)
def test_annotation_time_is_not_validated_but_saturates(micros: int, nanos: int) -> None:
    assert span_with(annotations=[{"timestamp": micros, "value": "x"}]).events == (Event(nanos, "x"),)


@pytest.mark.parametrize("value", ["", 'say "hi"\n', "zoë", "\x00"])
def test_annotation_value_is_kept_as_it_is(value: str) -> None:
    assert span_with(annotations=[{"timestamp": 1, "value": value}]).events == (Event(1000, value),)


@pytest.mark.parametrize("annotations", [[], None])
def test_annotations_are_none_when_empty_or_null(annotations: list[object] | None) -> None:
    assert span_with(annotations=annotations).events == ()


def test_annotation_skips_unknown_members() -> None:
    annotation = {"timestamp": 1, "value": "x", "endpoint": {"serviceName": "a", "tags": [{"b": None}]}}
    assert span_with(annotations=[annotation]).events == (Event(1000, "x"),)


@pytest.mark.parametrize(
    ("annotation", "cause"),
    [
        ('{"timestamp":1}', "Incomplete annotation at $[0].annotations[1].timestamp reading"),
        ('{"value":"x"}', "Incomplete annotation at $[0].annotations[1].value reading"),
        ("{}", "Incomplete annotation at $[0].annotations[1] reading"),
    ],
)
def test_annotation_refuses_the_list_when_a_member_is_missing(annotation: str, cause: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        span_from(f'"annotations":[{{"timestamp":1,"value":"ok"}},{annotation}]')
    assert str(refusal.value).startswith(cause)


@pytest.mark.parametrize(
    ("annotation", "expected", "path"),
    [
        ('{"timestamp":1,"value":null}', "a string but was NULL", r"\$\[0\]\.annotations\[0\]\.value "),
        ('{"timestamp":null,"value":"x"}', "a long but was NULL", r"\$\[0\]\.annotations\[0\]\.timestamp "),
    ],
)
def test_annotation_refuses_the_list_when_a_member_is_null(annotation: str, expected: str, path: str) -> None:
    with pytest.raises(MalformedPayload, match=f"^Expected {expected} at line 1 column [0-9]+ path {path}"):
        span_from(f'"annotations":[{annotation}]')


def test_many_sets_of_tag_keys_are_each_read_right() -> None:
    bodies = [{"tags": {f"key{number}": f"{number}", "error": "", "z": "%"}} for number in range(3000)]
    spans = spans_of(body_of(*bodies, *bodies))
    assert [span.attributes for span in spans] == [body["tags"] for body in bodies] * 2
