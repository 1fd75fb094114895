"""Zipkin reference, section 2.1."""

import pytest

from collector.errors import MalformedPayload
from tests.collector.decode.zipkin.reading import body_of, body_with, span_with, spans_of


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1", "00000000000000000000000000000001"),
        ("48485a3953bb612", "0000000000000000048485a3953bb612"),
        ("48485a3953bb6124", "000000000000000048485a3953bb6124"),
        ("148485a3953bb6124", "000000000000000148485a3953bb6124"),
        ("463ac35c9f6413ad48485a3953bb612", "0463ac35c9f6413ad48485a3953bb612"),
        ("463ac35c9f6413ad48485a3953bb6124", "463ac35c9f6413ad48485a3953bb6124"),
        ("000000000000000048485a3953bb6124", "000000000000000048485a3953bb6124"),
        ("0000000000000000048485a3953bb6124"[1:], "000000000000000048485a3953bb6124"),
    ],
)
def test_trace_id_is_padded_to_16_bytes(text: str, stored: str) -> None:
    assert span_with(traceId=text).trace_id.hex() == stored


@pytest.mark.parametrize(("text", "stored"), [("f", "000000000000000f"), ("48485a3953bb6124", "48485a3953bb6124")])
def test_span_id_is_padded_to_8_bytes(text: str, stored: str) -> None:
    assert span_with(id=text).span_id.hex() == stored


@pytest.mark.parametrize("parent", ["0", "00000000", "0000000000000000", None])
def test_parent_is_absent_when_it_is_null_or_all_zeros(parent: str | None) -> None:
    assert span_with(parentId=parent).parent_span_id is None


@pytest.mark.parametrize(("span_id", "parent"), [("b", "b"), ("b", "000000000000000b"), ("000000000000000b", "b")])
def test_parent_is_absent_when_it_is_the_span_itself(span_id: str, parent: str) -> None:
    assert span_with(id=span_id, parentId=parent).parent_span_id is None


def test_parent_is_padded_to_8_bytes() -> None:
    parent = span_with(parentId="c").parent_span_id
    assert parent is not None
    assert parent.hex() == "000000000000000c"


_UPPER = "48485A3953BB6124"


@pytest.mark.parametrize(
    ("member", "value", "cause"),
    [
        ("traceId", "", "traceId is empty"),
        ("traceId", "1" * 33, "traceId.length > 32"),
        ("traceId", "1" * 1_000_000, "traceId.length > 32"),
        ("traceId", "0", "traceId is all zeros"),
        ("traceId", "0" * 16, "traceId is all zeros"),
        ("traceId", "0" * 32, "traceId is all zeros"),
        ("traceId", _UPPER, f"{_UPPER} should be lower-hex encoded with no prefix"),
        ("traceId", "0x48485a3953bb61", "0x48485a3953bb61 should be lower-hex encoded with no prefix"),
        ("traceId", "48485a39 53bb6124", "48485a39 53bb6124 should be lower-hex encoded with no prefix"),
        ("traceId", "４8485a3953bb6124", "４8485a3953bb6124 should be lower-hex encoded with no prefix"),
        ("id", "", "id is empty"),
        ("id", "1" * 17, "id.length > 16"),
        ("id", "0" * 16, "id is all zeros"),
        ("id", "0", "id is all zeros"),  # Zipkin lets this one through: section 9
        ("id", _UPPER, f"{_UPPER} should be lower-hex encoded with no prefix"),
        ("parentId", "", "parentId is empty"),
        ("parentId", "1" * 17, "parentId.length > 16"),
        ("parentId", "0" * 17, "parentId.length > 16"),
        ("parentId", _UPPER, f"{_UPPER} should be lower-hex encoded with no prefix"),
        ("parentId", "48485a39 53bb612", "48485a39 53bb612 should be lower-hex encoded with no prefix"),
    ],
)
def test_id_refuses_the_list_when_it_is_malformed(member: str, value: str, cause: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(body_of({}, {member: value}))
    assert str(refusal.value) == f"{cause} reading List<Span> from json, at $[1].{member}"


def test_id_may_be_a_json_number() -> None:
    (span,) = spans_of(b'[{"traceId":10,"id":11,"parentId":12}]')
    assert (span.trace_id[-1], span.span_id[-1], (span.parent_span_id or b"?")[-1]) == (0x10, 0x11, 0x12)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('[{"id":"b"}]', "Missing : traceId"),
        ('[{"traceId":"a"}]', "Missing : id"),
        ("[{}]", "Missing : traceId id"),
    ],
)
def test_id_refuses_the_list_when_it_is_missing(text: str, cause: str) -> None:
    with pytest.raises(MalformedPayload) as refusal:
        spans_of(text.encode())
    assert str(refusal.value) == f"{cause} reading List<Span> from json, at $[0]"


@pytest.mark.parametrize("member", ["traceId", "id"])
def test_id_refuses_the_list_when_it_is_null(member: str) -> None:
    with pytest.raises(
        MalformedPayload, match=rf"^Expected a string but was NULL at .* path \$\[0\]\.{member} reading"
    ):
        spans_of(body_with(f'"{member}":null'))
