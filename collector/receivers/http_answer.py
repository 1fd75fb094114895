"""Answers of the HTTP doors: which status an error has, and sending it."""

import math
from collections.abc import Sequence

from starlette.types import Send

from collector.errors import (
    BodyTooSlow,
    CollectorError,
    MalformedPayload,
    Overloaded,
    PayloadTooLarge,
    UnsupportedPayload,
)

Header = tuple[bytes, bytes]

_STATUSES: tuple[tuple[type[CollectorError], int], ...] = (
    (MalformedPayload, 400),
    (BodyTooSlow, 408),
    (PayloadTooLarge, 413),
    (UnsupportedPayload, 415),
    (Overloaded, 503),
)


def status_of(error: CollectorError) -> int:
    """503 is the only one that an SDK repeats; an error without a status of its own is a 500."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def retry_headers(error: CollectorError) -> list[Header]:
    """`Retry-After` in whole seconds, rounded up, when the error says when to come again."""
    if not isinstance(error, Overloaded):
        return []
    return [(b"retry-after", str(math.ceil(error.retry_after_s)).encode())]


async def answer(
    send: Send, status: int, body: bytes = b"", content_type: bytes = b"", headers: Sequence[Header] = ()
) -> None:
    """Send a whole response; without a content type when there is none."""
    lines = [(b"content-length", str(len(body)).encode()), *headers]
    if content_type:
        lines.append((b"content-type", content_type))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
