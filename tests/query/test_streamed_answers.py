"""Answers in pieces, on both ports: a long one is the document that it was as a whole."""

import gzip
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from query.api.streamed_answers import gathered, gzipped, streamed
from query.reconstruct.assembly import assemble
from query.render.jaeger_envelope import envelope, to_bytes, trace_not_found
from query.render.jaeger_json import trace_json
from storage.contract import SpanReader
from storage.span import Span
from tests.builders import a_span, a_trace_id
from tests.query.jaeger.conftest import Door, OpenDoor, open_door
from tests.query.render import documents

__all__ = ["open_door"]

ID = a_trace_id(1).hex()
MANY = [a_span(1, number, parent=number - 1 or None, attributes={"text": "é" * 300}) for number in range(1, 1200)]
LENGTHS = "content-length"


@pytest.fixture
def door(open_door: OpenDoor) -> Door:
    """With a trace whose document is some pieces long."""
    door = open_door()
    door.write(*MANY, a_span(2))
    return door


def jaeger_document(*traces: list[Span], missing: str | None = None) -> bytes:
    errors = [trace_not_found(missing)] if missing else []
    return to_bytes(envelope([trace_json(assemble(trace)) for trace in traces], errors=errors))


async def test_a_long_trace_of_jaegers_api_is_streamed_and_has_the_bytes_of_the_whole_document(door: Door) -> None:
    response = await door.get(f"/api/traces/{ID}")

    assert response.content == jaeger_document(MANY)
    assert LENGTHS not in response.headers
    assert response.headers["content-type"] == "application/json"
    assert response.headers["vary"] == "Accept-Encoding"


async def test_a_short_trace_is_sent_with_its_length(door: Door) -> None:
    response = await door.get(f"/api/traces/{a_trace_id(2).hex()}")

    assert response.content == jaeger_document([a_span(2)])
    assert response.headers[LENGTHS] == str(len(response.content))


@pytest.mark.parametrize(("ids", "missing"), [([1, 2], None), ([2, 1], None), ([1, 3], 3)])
async def test_several_traces_are_one_document_with_the_ids_that_were_not_found(
    door: Door, ids: list[int], missing: int | None
) -> None:
    held = {1: MANY, 2: [a_span(2)]}

    response = await door.get("/api/traces?" + "&".join(f"traceID={a_trace_id(one).hex()}" for one in ids))

    expected = jaeger_document(
        *(held[one] for one in ids if one in held), missing=a_trace_id(missing).hex() if missing else None
    )
    assert response.content == expected


async def test_a_long_answer_is_compressed_as_it_is_made_and_indented_when_asked(door: Door) -> None:
    zipped = await door.client.get(f"/api/traces/{ID}", headers={"accept-encoding": "gzip"})
    pretty = await door.get(f"/api/traces/{ID}?prettyPrint=true")

    assert zipped.headers["content-encoding"] == "gzip"
    assert LENGTHS not in zipped.headers
    assert zipped.content == jaeger_document(MANY)
    assert pretty.content == msgspec.json.format(jaeger_document(MANY), indent=4)


async def test_the_head_of_a_long_answer_claims_no_length(door: Door) -> None:
    response = await door.client.head(f"/api/traces/{ID}")

    assert (response.status_code, response.content) == (200, b"")
    assert LENGTHS not in response.headers


@pytest.mark.parametrize("path", [f"/api/v2/trace/{ID}", f"/api/v2/traceMany?traceIds={ID},{a_trace_id(2).hex()}"])
async def test_a_long_answer_of_zipkins_api_has_the_bytes_of_the_whole_document(door: Door, path: str) -> None:
    whole = documents.trace_json(MANY) if "Many" not in path else documents.traces_json([MANY, [a_span(2)]])

    response = await door.get(path)
    zipped = await door.client.get(path, headers={"accept-encoding": "gzip"})

    assert response.content == zipped.content == whole
    assert response.headers["content-type"] == "application/json"
    assert zipped.headers["content-encoding"] == "gzip"
    assert LENGTHS not in {*response.headers, *zipped.headers}


async def test_an_error_after_the_first_pieces_breaks_the_answer_off(door: Door) -> None:
    def breaking(_: SpanReader) -> Iterator[bytes]:
        for _number in range(4):
            yield b"x" * 2**18
        raise ValueError("broken")

    request = Request({"type": "http", "method": "GET", "headers": []})
    response = await streamed(door.service, request, breaking, whole=Response, headers={}, gzip_level=None)
    pieces = aiter(response.body_iterator)  # type: ignore[attr-defined]

    assert [len(await anext(pieces)) for _ in range(4)] == [2**18] * 4
    with pytest.raises(ValueError, match="broken"):
        await anext(pieces)


def test_parts_are_gathered_into_pieces_of_a_quarter_of_a_mebibyte() -> None:
    parts = [b"a" * 200_000, b"b" * 100_000, b"c" * 2**20, b"d"]

    assert list(gathered(parts)) == [parts[0] + parts[1], parts[2], parts[3]]
    assert list(gathered([])) == []


def test_pieces_are_one_gzip_stream() -> None:
    pieces = [b"one " * 100_000, b"two", b"three" * 1000]

    assert gzip.decompress(b"".join(gzipped(pieces, 6))) == b"".join(pieces)


def test_an_empty_part_sends_what_is_held() -> None:
    assert list(gathered([b"", b"head", b"", b"", b"rest"])) == [b"head", b"rest"]


def test_each_compressed_piece_can_be_read_before_the_next_comes() -> None:
    inflating = zlib.decompressobj(wbits=31)
    pieces = [b"one", b"two " * 100_000, b"three"]

    assert [inflating.decompress(piece) for piece in gzipped(pieces, 6)] == [*pieces, b""]
