"""Zipkin v2 JSON: the body of `POST /api/v2/spans` on 9411 (zipkin2.codec.SpanBytesDecoder.JSON_V2).

Two readers, one meaning. msgspec reads what real clients send; whatever it refuses is read again by
`zipkin_json_lenient`, which has the tolerance of Zipkin's own reader and its error texts. Both give WireSpans, and
`zipkin_columns` applies the rules of a span to either.

Many small posts together go through a compiled loop (`zipkin_records`), which takes what Envoy sends and leaves every
other post to these readers.

Wider than Zipkin on purpose: white space and a byte order mark may come first, half a surrogate pair becomes U+FFFD.
"""

from collections.abc import Sequence

import msgspec

from collector.decode.decoded import DecodedColumns, DecodedTogether
from collector.decode.zipkin_columns import columns_of
from collector.decode.zipkin_json_lenient import read_spans
from collector.decode.zipkin_records import records
from collector.decode.zipkin_span import RefusedSpanError, WireSpan
from collector.errors import MalformedPayload
from storage.batch import SpanColumns

_STRICT = msgspec.json.Decoder(list[WireSpan])
_V1_MARK = b'yAnnotations"'


def decode(payload: bytes) -> DecodedColumns:
    """All spans of the list, or MalformedPayload: Zipkin takes a list whole or not at all, so nothing is `rejected`.

    An empty payload and `[]` are no spans. Timestamps past int64 nanoseconds (the year 2262) saturate.
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


def decode_together(payloads: Sequence[bytes]) -> DecodedTogether:
    """The spans of many payloads, of those that are as usual; the others are for `decode`, each alone."""
    found = records(payloads)
    return DecodedTogether(found.records, spans_of=found.spans_of)


def _read_strictly(payload: bytes) -> list[WireSpan] | None:
    if _V1_MARK in payload:
        return None
    try:
        return _STRICT.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # not lost: the lenient reader decides, and says why
