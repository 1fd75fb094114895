"""Answers that are made in pieces: sent whole where that is one piece, and else one piece after another."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from query.service import QueryService
from storage.contract import SpanReader

_PIECE_BYTES = 2**18
"""Each piece takes a turn in a reader thread, 0.1 ms; and most answers are one, which goes out with its length."""
_GZIP_WINDOW = 31

Pieces = Callable[[SpanReader], Iterator[bytes]]
"""What a reader thread answers with, in parts of any size. An error before the first piece refuses the request."""


async def streamed(
    service: QueryService,
    request: Request,
    question: Pieces,
    *,
    whole: Callable[[bytes], Response],
    headers: Mapping[str, str],
    gzip_level: int | None,
) -> Response:
    """The response to `question`, read, rendered and compressed in reader threads, a piece at a time.

    whole: the response to an answer of a single piece, made in a reader thread. headers, gzip_level: of an answer of
    more; None does not compress. Raises as QueryService.read. An error after the first pieces breaks the connection,
    so that nobody takes a part for the whole.
    """

    def begin(reader: SpanReader) -> Response | Iterator[bytes]:
        pieces = gathered(question(reader))
        begun = list(islice(pieces, 2))
        if len(begun) < 2:
            return whole(b"".join(begun))
        rest = chain(begun, pieces)
        return rest if gzip_level is None else gzipped(rest, gzip_level)

    found = await service.read(begin)
    if isinstance(found, Response):
        return found
    if request.method == "HEAD":
        response = Response(headers=dict(headers))
        del response.headers["content-length"]
        return response
    return StreamingResponse(service.stream(lambda _reader: found), headers=dict(headers))


def gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of some size; the last may be small, and so may one that ends before an empty part."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _PIECE_BYTES or (size and not part):
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def gzipped(pieces: Iterable[bytes], level: int) -> Iterator[bytes]:
    """The pieces as one gzip stream, out of which each can be read as soon as it has come."""
    compressor = zlib.compressobj(level, wbits=_GZIP_WINDOW)
    for piece in pieces:
        yield compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()
