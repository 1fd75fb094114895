"""Zipkin's rules for a span (ids, times, kinds, flags, endpoints, annotations), applied while filling SpanColumns.

Source: zipkin2.Span.Builder, zipkin2.Endpoint.Builder, zipkin2.Annotation. All functions take one payload's spans and
work a column at a time; a RefusedSpanError names the offending span by its place in the list.
"""

from array import array
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NoReturn
from zlib import crc32

from collector.decode.zipkin_addresses import address_of
from collector.decode.zipkin_span import RefusedSpanError, WireAnnotation, WireEndpoint, WireSpan
from collector.decode.zipkin_tags import keys_of
from storage.batch import SpanColumns
from storage.ids import NO_SPAN, NO_TRACE
from storage.span import Protocol, SpanKind, StatusCode

_ZIPKIN = int(Protocol.ZIPKIN)
_ERROR = int(StatusCode.ERROR)
_UNSET = int(StatusCode.UNSET)
_CLIENT = int(SpanKind.CLIENT)
_KINDS: dict[str | None, int] = {
    None: int(SpanKind.UNSPECIFIED),
    **{kind.name: int(kind) for kind in (SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER)},
}
_EVENT_TOKEN_START = crc32(b"event=")
_INT64_MAX = 2**63 - 1
_INT64_MIN = -(2**63)
_LAST_EXACT_US = _INT64_MAX // 1000
_SHOWN_CHARACTERS = 100


def columns_of(spans: Sequence[WireSpan], *, escape_free: bool) -> SpanColumns:
    """The columns of these spans, in their order. RefusedSpanError at the first one that breaks a rule.

    escape_free: no string among them has a character that JSON escapes (quote, backslash, below U+0020).
    """
    columns = SpanColumns()
    count = len(spans)
    columns.trace_id = [_trace_id(span.trace_id, row) for row, span in enumerate(spans)]
    columns.span_id = [_span_id(span.id, row) for row, span in enumerate(spans)]
    columns.parent_span_id = _parents(spans, columns.span_id)
    columns.start_ns = _nanoseconds([span.timestamp for span in spans], "timestamp")
    columns.duration_ns = _nanoseconds([span.duration for span in spans], "duration")
    columns.name = [_lower(span.name) for span in spans]
    columns.kind = [_kind(span.kind, row) for row, span in enumerate(spans)]
    columns.protocol = [_ZIPKIN] * count
    columns.resource = ["{}"] * count
    columns.service = _local_endpoints(columns, spans)
    _remote_endpoints(columns, spans)
    _flags(columns, spans)
    _tags_and_annotations(columns, spans, escape_free)
    return columns


def _trace_id(text: str, row: int) -> bytes:
    padded = text.rjust(32, "0")
    raw = _bytes_of_lower_hex(padded)
    if raw is None or len(raw) != 16 or raw == NO_TRACE:
        _refuse_id("traceId", text, 32, row)
    return raw


def _span_id(text: str, row: int) -> bytes:
    padded = text.rjust(16, "0")
    raw = _bytes_of_lower_hex(padded)
    if raw is None or len(raw) != 8 or raw == NO_SPAN:
        _refuse_id("id", text, 16, row)
    return raw


def _parents(spans: Sequence[WireSpan], span_ids: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for row, span in enumerate(spans):
        text = span.parent_id
        if text is None:
            found.append(NO_SPAN)
            continue
        raw = _bytes_of_lower_hex(text.rjust(16, "0"))
        if raw is None or len(raw) != 8 or not text:
            _refuse_id("parentId", text, 16, row)
        found.append(NO_SPAN if raw == span_ids[row] else raw)
    return found


def _bytes_of_lower_hex(padded: str) -> bytes | None:
    try:
        raw = bytes.fromhex(padded)
    except ValueError:
        return None
    return raw if raw.hex() == padded else None  # fromhex takes upper case and white space too


def _refuse_id(field: str, text: str, longest: int, row: int) -> NoReturn:
    if not text:
        cause = f"{field} is empty"
    elif len(text) > longest:
        cause = f"{field}.length > {longest}"
    elif not text.strip("0"):
        cause = f"{field} is all zeros"
    else:
        cause = f"{text} should be lower-hex encoded with no prefix"
    raise RefusedSpanError(cause, f"at $[{row}].{field}")


def _nanoseconds(micros: list[int | None], field: str) -> list[int | None]:
    return [
        value * 1000
        if value is not None and 0 < value <= _LAST_EXACT_US
        else (None if value is None else _odd_nanoseconds(value, f"$[{row}].{field}") or None)
        for row, value in enumerate(micros)
    ]


def _odd_nanoseconds(micros: int, path: str) -> int:
    """0 when not positive. Past the year 2262 the nanoseconds saturate at int64's limit, where Zipkin keeps micros."""
    return max(0, _saturated_ns(micros, path))


def _saturated_ns(micros: int, path: str) -> int:
    if not _INT64_MIN <= micros <= _INT64_MAX:
        raise RefusedSpanError(f"Expected a long but was {micros}", f"at {path}")
    return min(max(micros * 1000, _INT64_MIN), _INT64_MAX)


def _lower(name: str | None) -> str | None:
    return name.lower() if name else None


def _kind(name: str | None, row: int) -> int:
    kind = _KINDS.get(name)
    if kind is None:
        raise RefusedSpanError(
            f"No enum constant zipkin2.Span.Kind.{str(name)[:_SHOWN_CHARACTERS]}",
            f"expected CLIENT, SERVER, PRODUCER or CONSUMER at $[{row}].kind",
        )
    return kind


def _flags(columns: SpanColumns, spans: Sequence[WireSpan]) -> None:
    for row, span in enumerate(spans):
        if span.debug:
            columns.set_sparse("debug", row, True)
        if span.shared and columns.kind[row] != _CLIENT:
            columns.set_sparse("shared", row, True)


def _local_endpoints(columns: SpanColumns, spans: Sequence[WireSpan]) -> list[str | None]:
    services: list[str | None] = []
    for row, span in enumerate(spans):
        endpoint = span.local_endpoint
        services.append(None if endpoint is None else _lower(endpoint.service_name))
        if endpoint is not None:
            _place(columns, row, endpoint, "local")
    return services


def _remote_endpoints(columns: SpanColumns, spans: Sequence[WireSpan]) -> None:
    for row, span in enumerate(spans):
        endpoint = span.remote_endpoint
        if endpoint is not None:
            if endpoint.service_name:
                columns.set_sparse("remote_service", row, endpoint.service_name.lower())
            _place(columns, row, endpoint, "remote")


def _place(columns: SpanColumns, row: int, endpoint: WireEndpoint, side: str) -> None:
    for text in (endpoint.ipv4, endpoint.ipv6):
        address = address_of(text) if text else None
        if address is not None:
            columns.set_sparse(f"{side}_ipv{address[0]}", row, address[1])
    port = endpoint.port
    if port is not None and port > 0:
        if port > 65535:
            raise RefusedSpanError(f"invalid port {port}", f"at $[{row}].{side}Endpoint.port")
        columns.set_sparse(f"{side}_port", row, port)


def _tags_and_annotations(columns: SpanColumns, spans: Sequence[WireSpan], escape_free: bool) -> None:
    tokens: list[int] = []
    known = 0
    for row, span in enumerate(spans):
        if span.tags:
            keys = keys_of(span.tags)
            values = keys.values(span.tags)
            columns.attributes.append(keys.json(values) if escape_free else keys.escaped_json(values))
            columns.attribute_keys.append(keys.text)
            columns.status_code.append(_ERROR if keys.has_error else _UNSET)
            tokens += keys.tokens(values)
        else:
            columns.attributes.append("{}")
            columns.attribute_keys.append("")
            columns.status_code.append(_UNSET)
        if span.annotations:
            columns.set_sparse("events", row, _events(span.annotations, row, tokens))
        columns.token_counts.append(len(tokens) - known)
        known = len(tokens)
    columns.tokens = array("I", tokens)


def _events(annotations: list[WireAnnotation], row: int, tokens: list[int]) -> str:
    """The `events` text of these annotations, sorted and without repeats; their tokens go into `tokens`."""
    if len(annotations) == 1:
        (only,) = annotations
        ordered = [(only.timestamp, only.value)]
    else:
        ordered = sorted({(annotation.timestamp, annotation.value) for annotation in annotations})
    parts = []
    for timestamp, value in ordered:
        time_ns = _saturated_ns(timestamp, f"$[{row}].annotations")
        parts.append(f'{{"time_ns":{time_ns},"name":{encode_basestring(value)}}}')
        tokens.append(crc32(value.encode(), _EVENT_TOKEN_START))
    return f"[{','.join(parts)}]"
