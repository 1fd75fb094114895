"""From a body to Span values, by way of the columns and the Arrow batch, as a store would see them."""

import json
from pathlib import Path
from typing import Any

from collector.decode.zipkin_json_v2 import decode
from storage.rows import span_of
from storage.span import Span

DATA = Path(__file__).parents[3] / "data"
IDS = {"traceId": "000000000000000a", "id": "000000000000000b"}


def body_of(*spans: dict[str, Any]) -> bytes:
    """A list of these spans; each gets the ids of IDS where it has none."""
    return json.dumps([IDS | span for span in spans]).encode()


def spans_of(payload: bytes) -> list[Span]:
    """What a reader of the store sees of this payload."""
    return [span_of(row) for row in decode(payload).columns.to_batch(received_ns=0).rows()]


def span_with(**members: Any) -> Span:
    """The one span of a body whose span has IDS and these members."""
    (span,) = spans_of(body_of(members))
    return span


def span_from(text: str) -> Span:
    """The one span of a body whose span has IDS and this JSON text of further members."""
    (span,) = spans_of(body_with(text))
    return span


def body_with(text: str) -> bytes:
    """A list of one span with IDS and this JSON text of further members."""
    return f'[{{"traceId":"{IDS["traceId"]}","id":"{IDS["id"]}",{text}}}]'.encode()


def captured(name: str) -> bytes:
    """A body that a real client sent."""
    return (DATA / name).read_bytes()
