"""Inflating a body piece by piece, so that a small body which claims to be huge never becomes it."""

import zlib
from collections.abc import Callable, Iterator
from enum import Enum

from collector.errors import CannotInflate, PayloadTooLarge

PIECE_BYTES = 1 << 20
"""The most that one step produces; between steps the caller may let others run."""


class Coding(Enum):
    """A compression that the doors take."""

    GZIP = "gzip"
    DEFLATE = "deflate"
    """zlib's format (RFC 9110); a raw deflate stream is tolerated, as some clients send that."""


class Inflater:
    """Turns one compressed body into plain bytes of at most `limit_bytes`.

    reserve is called with the size of each piece once it is known; what it raises ends the inflating.
    """

    def __init__(self, coding: Coding, limit_bytes: int, reserve: Callable[[int], None]) -> None:
        self._coding = coding
        self._limit_bytes = limit_bytes
        self._reserve = reserve
        self._stream: zlib._Decompress | None = None
        self._head = b""
        self._pieces: list[bytes] = []
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[None]:
        """Inflate the next bytes of the body; yields between pieces. Raises CannotInflate, PayloadTooLarge."""
        while True:
            if self._stream is None or self._stream.eof:
                chunk = self._begin_stream(chunk)
            if self._stream is None or self._stream.eof:
                return
            piece = self._inflate(self._stream, chunk)
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if not chunk and len(piece) < PIECE_BYTES:
                return
            yield

    def finish(self) -> bytes:
        """The plain body, after its last chunk; b"" when there was none. CannotInflate when the body is cut short."""
        if self._head or (self._stream is not None and not self._stream.eof):
            raise CannotInflate(f"expected a whole {self._coding.value} body, got one that is cut short")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _begin_stream(self, chunk: bytes) -> bytes:
        """What is to be inflated by a new stream; b"" when none begins here."""
        if self._coding is Coding.GZIP:
            # A gzip body may have several members (RFC 1952), and padding behind the last one.
            chunk = chunk if self._stream is None else chunk.lstrip(b"\0")
            if chunk:
                self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return chunk
        if self._stream is not None:
            return b""
        chunk = self._head + chunk
        if len(chunk) < 2:
            self._head = chunk
            return b""
        self._head = b""
        self._stream = zlib.decompressobj(zlib.MAX_WBITS if has_zlib_header(chunk) else -zlib.MAX_WBITS)
        return chunk

    def _inflate(self, stream: "zlib._Decompress", chunk: bytes) -> bytes:
        try:
            piece = stream.decompress(chunk, PIECE_BYTES)
        except zlib.error as error:
            raise CannotInflate(f"expected a {self._coding.value} body: {error}") from error
        self._size_bytes += len(piece)
        if self._size_bytes > self._limit_bytes:
            raise PayloadTooLarge(f"expected a body of at most {self._limit_bytes} bytes when inflated, got more")
        if piece:
            self._reserve(len(piece))
            self._pieces.append(piece)
        return piece


def has_zlib_header(head: bytes) -> bool:
    """Whether these bytes begin as RFC 1950 says."""
    return len(head) >= 2 and head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
