"""Zipkin v1 JSON: the body of `POST /api/v1/spans` on 9411 (zipkin2.codec.SpanBytesDecoder.JSON_V1).

As for v2 there are two readers with one meaning: msgspec reads what real clients send, and whatever it refuses is read
again by `zipkin_json_v1_lenient`.
"""

import msgspec

from collector.decode.decoded import DecodedColumns
from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_json_v1_lenient import read_spans
from collector.decode.zipkin_json_v1_span import JsonV1Span, v1_of
from collector.decode.zipkin_span import RefusedSpanError, WireSpan
from collector.decode.zipkin_v1_conversion import v2_spans
from collector.errors import MalformedPayload
from storage.batch import SpanColumns

_STRICT = msgspec.json.Decoder(list[JsonV1Span])


def decode(payload: bytes) -> DecodedColumns:
    """All spans of the list as v2, or MalformedPayload: Zipkin takes a list whole or not at all.

    One v1 span gives a span for each service that reported it. An empty payload and `[]` are no spans.
    The message of MalformedPayload is Zipkin's, with the place in the list added.
    """
    if not payload:
        return DecodedColumns(SpanColumns())
    try:
        spans = _read_strictly(payload)
        if spans is not None:
            # A JSON string can only hold a quote, a backslash or a control character behind a backslash.
            return DecodedColumns(columns_of(spans, escape_free=b"\\" not in payload))
        return DecodedColumns(columns_of(read_spans(payload), escape_free=False))
    except RefusedSpanError as error:
        place = f", {error.place}" if error.place else ""
        raise MalformedPayload(f"{error.cause} reading List<Span> from json{place}") from error


def _read_strictly(payload: bytes) -> list[WireSpan] | None:
    try:
        spans = _STRICT.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # not lost: the lenient reader decides, and says why
    found: list[WireSpan] = []
    for row, span in enumerate(spans):
        try:
            found += v2_spans(v1_of(span))
        except RefusedSpanError as error:
            raise RefusedSpanError(error.cause, f"at $[{row}]") from error
    return found
