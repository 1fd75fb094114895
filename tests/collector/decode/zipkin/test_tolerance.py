"""Zipkin reference, section 2.3: what its JSON reader takes and refuses; section 1.1: the guards before it."""

import pytest

from collector.decode.zipkin_json_v2 import decode
from collector.errors import MalformedPayload
from storage.span import SpanKind
from tests.collector.decode.zipkin.reading import IDS, body_of, body_with, span_from, span_with, spans_of


@pytest.mark.parametrize("payload", [b"", b"[]", b" [ ] ", b"[]\n", b"\r\n\t[]", b"[]garbage"])
def test_list_is_empty_when_there_are_no_spans(payload: bytes) -> None:
    decoded = decode(payload)
    assert (len(decoded.columns), dict(decoded.rejected), decoded.message) == (0, {}, "")


@pytest.mark.parametrize("before", [b" ", b"\n\t\r ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_list_may_start_with_white_space_or_a_byte_order_mark(before: bytes) -> None:
    assert len(spans_of(before + body_of({}, {}))) == 2  # Zipkin refuses this: section 9


@pytest.mark.parametrize("after", [b" ", b"]", b"\x00", b'{"a":', b"\xff"])
def test_list_may_be_followed_by_anything(after: bytes) -> None:
    assert len(spans_of(body_of({}, {}) + after)) == 2


@pytest.mark.parametrize(
    "payload",
    [b"{}", b'{"traceId":"a","id":"b"}', b"hello", b"\x01\x02\x03\x04", b"\x0a", b" ", b"null", b'"[]"', b"\xff["],
)
def test_payload_is_refused_when_it_is_no_list(payload: bytes) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        decode(payload)
    assert str(refusal.value) == "Expected a JSON_V2 encoded list\n"


@pytest.mark.parametrize(
    "v1_member",
    [
        '"binaryAnnotations":[]',
        '"annotations":[],"binaryAnnotations":[{"key":"lc","value":"","endpoint":{"serviceName":"a"}}]',
    ],
)
def test_payload_is_refused_when_it_is_a_list_of_v1_spans(v1_member: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(body_with(v1_member))
    assert str(refusal.value) == "Expected a JSON_V2 encoded list, but received: JSON_V1\n"


def test_tag_may_name_the_mark_of_v1() -> None:
    assert span_with(tags={"binaryAnnotations": "x"}).attributes == {"binaryAnnotations": "x"}


def test_span_of_ids_and_name_is_taken_although_it_is_v1_too() -> None:
    assert span_with(name="x").name == "x"


def test_unknown_members_are_skipped_at_every_level() -> None:
    span = span_from(
        '"a":{"b":[1,-2.5e3,"x",{"c":[[],{}]},true,null]},"localEndpoint":{"x":[],"serviceName":"s"},"name":"n","z":[{}]'
    )
    assert (span.name, span.service) == ("n", "s")


@pytest.mark.parametrize(
    "member",
    [
        "parentId",
        "kind",
        "name",
        "timestamp",
        "duration",
        "localEndpoint",
        "remoteEndpoint",
        "annotations",
        "tags",
        "debug",
        "shared",
    ],
)
@pytest.mark.parametrize("null", ["null", "NULL", "Null"])
def test_optional_member_is_absent_when_null(member: str, null: str) -> None:
    assert span_from(f'"{member}":{null}') == span_with()


def test_literals_are_read_in_any_case() -> None:
    span = span_from('"debug":TRUE,"shared":True,"kind":NULL,"x":[FALSE,NuLL],"localEndpoint":{"ipv4":NULL}')
    assert (span.debug, span.shared, span.kind) == (True, True, SpanKind.UNSPECIFIED)


@pytest.mark.parametrize("literal", ["nul", "nulls", "tru", "truee", "yes", "NaN", "-Infinity", "'x'", "x"])
def test_payload_is_malformed_when_a_word_is_no_literal(literal: str) -> None:
    with pytest.raises(MalformedPayload, match=r"^Malformed reading List<Span> from json, .* path \$\[0\]\.x$"):
        span_from(f'"x":{literal}')


def test_strings_may_hold_raw_control_characters() -> None:
    assert span_from('"name":"a\tb\nc"').name == "a\tb\nc"


def test_string_reads_a_surrogate_pair_as_one_character() -> None:
    assert span_from('"name":"\\ud83d\\ude00","debug":TRUE').name == "😀"


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\ude00\\ud83d", "\\ud83dx"])
def test_string_gets_a_replacement_character_for_half_a_surrogate_pair(half: str) -> None:
    span = span_from(f'"name":"{half}","tags":{{"k{half}":"{half}"}}')
    assert set(span.name or "") <= {"\ufffd", "x"}
    ((key, value),) = span.attributes.items()
    assert "\ufffd" in key
    assert isinstance(value, str)
    assert "\ufffd" in value


def test_string_gets_a_replacement_character_for_bytes_that_are_no_utf_8() -> None:
    (span,) = spans_of(body_with('"tags":{"a":"@"}').replace(b"@", b"caf\xe9"))
    assert span.attributes == {"a": "caf\ufffd"}


def test_refusal_names_line_column_and_path() -> None:
    with pytest.raises(MalformedPayload) as refusal:
        decode(b'[\n  {"traceId":"a","id":"b"},\n  {"traceId":"a",\n   "id":true}]')
    assert str(refusal.value) == (
        "Expected a string but was BOOLEAN at line 4 column 9 path $[1].id reading List<Span> from json"
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"[1]", "Expected BEGIN_OBJECT"),
        (b"[null]", "Expected BEGIN_OBJECT"),
        (b"[[]]", "Expected BEGIN_OBJECT"),
        (b"[,]", "Expected BEGIN_OBJECT"),
        (b'[{"traceId":"a","id":"b"},]', "Expected BEGIN_OBJECT"),
        (b'[{"traceId":"a","id":"b"} {}]', "Expected ',' or ']'"),
        (b'[{"traceId":"a","id":"b",}]', "Expected a name in quotes"),
        (b"[{traceId:1}]", "Expected a name in quotes"),
        (b'[{"traceId" "a"}]', "Expected ':'"),
        (b'[{"traceId":}]', "Expected a string but was END_OBJECT"),
        (b'[{"traceId":"a","id":"b","tags":[]}]', "Expected BEGIN_OBJECT"),
        (b'[{"traceId":"a","id":"b","annotations":{}}]', "Expected BEGIN_ARRAY"),
        (b'[{"traceId":"a","id":"b","x":[1,]}]', "Unexpected value"),
        (b'[{"traceId":"a","id":"b","x":[1}]', "Expected ',' or ']'"),
        (b'[{"traceId":"a","id":"b","x":{1:2}}]', "Expected a name in quotes"),
        (b'[{"traceId":"a","id":"b","x":01}]', "Expected a value"),
        (b'[{"traceId":"a","id":"b","x":1.}]', "Expected a value"),
        (b'[{"traceId":"a","id":"b","name":"\\x41"}]', "Invalid \\escape"),
        (b'[{"traceId":"a","id":"b","name":"never ends', "Unterminated string"),
        (b'[{"traceId":"a","id":"b"', "End of input"),
        (b"[", "End of input"),
        (b'[{"traceId":"a","id":"b","x":[[', "End of input"),
    ],
)
def test_payload_is_refused_when_it_is_no_json(payload: bytes, expected: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        decode(payload)
    assert " reading List<Span> from json" in str(refusal.value)
    assert expected in str(refusal.value)


def test_whole_list_is_refused_for_one_bad_span() -> None:
    with pytest.raises(MalformedPayload):
        decode(body_of(*[{}] * 100, {"id": ""}))


def test_ids_of_these_tests_are_themselves_fine() -> None:
    assert span_with(**IDS).trace_id[-1] == 0xA
