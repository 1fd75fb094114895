"""Requests of a read service on a port whose server leaves them compressed, because writes come there too."""

import zlib
from collections.abc import Callable
from typing import TypeVar

from query.errors import BadRequest

_Request = TypeVar("_Request")

MAX_REQUEST_BYTES = 1024 * 1024
"""The largest question: tens of thousands of trace ids. The port takes larger messages, but those are spans."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 31


def inflated(parse: Callable[[bytes], _Request]) -> Callable[[bytes], _Request]:
    """`parse` for requests that may be gzip streams; gRPC does not show its flag, but no question begins like one.

    What that function gets is at most MAX_REQUEST_BYTES; larger and damaged requests raise BadRequest.
    """

    def parse_inflated(message: bytes) -> _Request:
        plain = _gunzipped(message) if message.startswith(_GZIP_MAGIC) else message
        if len(plain) > MAX_REQUEST_BYTES:
            raise BadRequest(f"expected a request of at most {MAX_REQUEST_BYTES} bytes, got {len(plain)}")
        return parse(plain)

    return parse_inflated


def _gunzipped(message: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(message, MAX_REQUEST_BYTES)
    except zlib.error as error:
        raise BadRequest(f"expected a gzip stream: {error}") from error
    if not stream.eof:
        raise BadRequest(f"expected a whole gzip stream of at most {MAX_REQUEST_BYTES} bytes inflated")
    return plain
