"""Spans as Zipkin v2 JSON, written as Zipkin's own writer does, so that what was posted reads back the same.

Field order: traceId, parentId, id, kind, name, timestamp, duration, localEndpoint, remoteEndpoint, annotations, tags,
debug, shared; in an endpoint serviceName, ipv4, ipv6, port. What is absent is left out, and so are `debug` and
`shared` unless true. Timestamps and durations are whole microseconds, rounded down. No white space; U+2028 and U+2029
are escaped, other non-ASCII text is raw UTF-8. Source: Zipkin's SpanBytesEncoder.JSON_V2, DependencyLinkBytesEncoder.

Spans that did not come by Zipkin are translated first: `query.render.zipkin_translation`.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from json.encoder import encode_basestring as _quoted

from query.render.zipkin_translation import annotation_value, local_endpoint, remote_endpoint, tags_of
from storage.ids import NO_SPAN, short_hex
from storage.requests import DependencyLink
from storage.span import Endpoint, Event, Protocol, Span, SpanKind

_KINDS = {
    SpanKind.SERVER: ',"kind":"SERVER"',
    SpanKind.CLIENT: ',"kind":"CLIENT"',
    SpanKind.PRODUCER: ',"kind":"PRODUCER"',
    SpanKind.CONSUMER: ',"kind":"CONSUMER"',
}


_AT_ONCE = 500
"""Spans in one part of an answer, some hundred kilobytes."""


def trace_document(spans: Iterable[Span]) -> Iterator[bytes]:
    """One trace: a JSON array of spans, in the order given; its text in parts."""
    some, before = iter(spans), "["
    while part := list(islice(some, _AT_ONCE)):
        yield _encoded(before + ",".join(map(_span_text, part)))
        before = ","
    yield b"]" if before == "," else b"[]"


def traces_document(traces: Iterable[Sequence[Span]]) -> Iterator[bytes]:
    """A JSON array of traces, each an array of spans, in the order given; its text in parts."""
    before = b"["
    for spans in traces:
        yield before
        yield from trace_document(spans)
        before = b","
    yield b"]" if before == b"," else b"[]"


def names_json(names: Iterable[str]) -> bytes:
    """A JSON array of strings, in the order given."""
    return _encoded(f"[{','.join(map(_quoted, names))}]")


def links_json(links: Iterable[DependencyLink]) -> bytes:
    """A JSON array of dependency links, in the order given; `errorCount` only where there are errors."""
    return _encoded(f"[{','.join(map(_link_text, links))}]")


def _encoded(text: str) -> bytes:
    # Only string values can hold these two, so they may be escaped in the finished text. A lone surrogate, which JSON
    # can spell but UTF-8 cannot, becomes "?" as in Java.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "replace")


def _span_text(span: Span) -> str:
    return (
        f'{{"traceId":"{short_hex(span.trace_id)}"{_parent_text(span)},"id":"{span.span_id.hex()}"'
        f"{_KINDS.get(span.kind, '')}{_name_text(span)}{_time_text(span)}"
        f"{_endpoint_text('localEndpoint', local_endpoint(span))}"
        f"{_endpoint_text('remoteEndpoint', remote_endpoint(span))}"
        f"{_annotations_text(span.events)}{_tags_text(span)}"
        f"{_DEBUG if span.debug else ''}{_SHARED if span.shared else ''}}}"
    )


_DEBUG = ',"debug":true'
_SHARED = ',"shared":true'


def _parent_text(span: Span) -> str:
    parent = span.parent_span_id
    return "" if parent is None or parent in (NO_SPAN, span.span_id) else f',"parentId":"{parent.hex()}"'


def _name_text(span: Span) -> str:
    return f',"name":{_quoted(span.name.lower())}' if span.name else ""


def _time_text(span: Span) -> str:
    text = ""
    if span.start_ns is not None and span.start_ns >= 1000:
        text = f',"timestamp":{span.start_ns // 1000}'
    if span.duration_ns is None:
        return text
    duration_us = span.duration_ns // 1000
    if span.protocol is not Protocol.ZIPKIN:
        duration_us = max(duration_us, 1)
    return f'{text},"duration":{duration_us}' if duration_us > 0 else text


def _endpoint_text(field: str, endpoint: Endpoint) -> str:
    parts = []
    if endpoint.service:
        parts.append(f'"serviceName":{_quoted(endpoint.service.lower())}')
    if endpoint.ipv4:
        parts.append(f'"ipv4":{_quoted(endpoint.ipv4)}')
    if endpoint.ipv6:
        parts.append(f'"ipv6":{_quoted(endpoint.ipv6)}')
    if endpoint.port:
        parts.append(f'"port":{endpoint.port}')
    return f',"{field}":{{{",".join(parts)}}}' if parts else ""


def _annotations_text(events: tuple[Event, ...]) -> str:
    if not events:
        return ""
    distinct = sorted({(event.time_ns // 1000, annotation_value(event)) for event in events})
    items = ",".join(f'{{"timestamp":{time_us},"value":{_quoted(value)}}}' for time_us, value in distinct)
    return f',"annotations":[{items}]'


def _tags_text(span: Span) -> str:
    tags = tags_of(span)
    if not tags:
        return ""
    items = ",".join([f"{_quoted(key)}:{_quoted(tags[key])}" for key in sorted(tags)])
    return f',"tags":{{{items}}}'


def _link_text(link: DependencyLink) -> str:
    errors = f',"errorCount":{link.error_count}' if link.error_count > 0 else ""
    return f'{{"parent":{_quoted(link.parent)},"child":{_quoted(link.child)},"callCount":{link.call_count}{errors}}}'
