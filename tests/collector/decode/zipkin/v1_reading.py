"""From a v1 body to Span values, as a store would see them."""

import json
from collections.abc import Callable
from typing import Any

from collector.decode import zipkin_json_v1
from collector.decode.decoded import Decoded
from storage.rows import span_of
from storage.span import Span

IDS = {"traceId": "000000000000000a", "id": "000000000000000b"}
SHOP = {"serviceName": "Shop", "ipv4": "10.0.0.1", "port": 8080}


def spans_of(payload: bytes, decode: Callable[[bytes], Decoded] = zipkin_json_v1.decode) -> list[Span]:
    """What a reader of the store sees of this payload."""
    return [span_of(row) for row in decode(payload).columns.to_batch(received_ns=0).rows()]


def span_with(**members: Any) -> Span:
    """The one span of a body whose span has IDS and these members."""
    (span,) = spans_of(json.dumps([IDS | members]).encode())
    return span


def span_from(text: str) -> Span:
    """The one span of a body whose span has IDS and this JSON text of further members."""
    (span,) = spans_of(f'[{{"traceId":"{IDS["traceId"]}","id":"{IDS["id"]}",{text}}}]'.encode())
    return span
