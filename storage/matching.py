"""When does one span satisfy a TraceQuery: the executable definition that every store's SQL must agree with.

A TagFilter with a text is satisfied when any attribute of the span, its resource, its scope, one of its events or one
of its links has that key and that text form (`attributes.text_of`); or, for the keys below, by what Jaeger shows as a
tag although it is not stored as one:

    event                       the name of an event (a Zipkin annotation's value)
    error                       "true": the status is ERROR; "false": it is not
    span.kind                   internal, server, client, producer, consumer
    otel.status_code            OK, ERROR
    otel.status_description     the status message, when there is one
    otel.scope.name, otel.scope.version, scope.name, scope.version, w3c.tracestate
    resource.<key>              only a resource attribute

A TagFilter without a text (Zipkin's annotationQuery) is satisfied by a span or resource attribute of that key, by an
event of that name, and for `error` by the status ERROR. A name or text that is empty where Jaeger would show no tag
(status message, scope, trace state) matches nothing, not even "".
"""

from collections.abc import Iterator
from itertools import chain

from storage.attributes import text_of
from storage.requests import TagFilter, TraceQuery
from storage.span import Span, SpanKind, StatusCode

_RESOURCE_PREFIX = "resource."


def satisfies(span: Span, query: TraceQuery) -> bool:
    """Whether this one span meets every condition of the query, bounds as TraceQuery says; `limit` is none of them."""
    return (
        _starts_within(span, query)
        and _lasts_as_asked(span, query)
        and _is_named(span.service, query.service, query.ignore_case)
        and _is_named(span.name, query.operation, query.ignore_case)
        and _is_named(span.remote.service, query.remote_service, query.ignore_case)
        and satisfies_tags(span, query.tags)
    )


def satisfies_tags(span: Span, tags: tuple[TagFilter, ...]) -> bool:
    """Whether this one span satisfies every filter; () is satisfied by any span."""
    return all(_satisfies_tag(span, tag) for tag in tags)


def _starts_within(span: Span, query: TraceQuery) -> bool:
    return span.start_ns is not None and query.start_min_ns <= span.start_ns <= query.start_max_ns


def _lasts_as_asked(span: Span, query: TraceQuery) -> bool:
    duration_ns = span.duration_ns or 0
    return (query.duration_min_ns is None or query.duration_min_ns <= duration_ns) and (
        query.duration_max_ns is None or duration_ns <= query.duration_max_ns
    )


def _is_named(name: str | None, asked: str | None, ignore_case: bool) -> bool:
    if asked is None or name is None:
        return asked is None
    return name.lower() == asked.lower() if ignore_case else name == asked


def _satisfies_tag(span: Span, tag: TagFilter) -> bool:
    if tag.text is None:
        return _is_present(span, tag.key)
    return tag.text in _texts_under(span, tag.key)


def _is_present(span: Span, key: str) -> bool:
    return (
        key in span.attributes
        or key in span.resource.attributes
        or any(event.name == key for event in span.events)
        or (key == "error" and span.status_code is StatusCode.ERROR)
    )


def _texts_under(span: Span, key: str) -> Iterator[str]:
    for attributes in chain(
        (span.attributes, span.resource.attributes, span.scope.attributes),
        (event.attributes for event in span.events),
        (link.attributes for link in span.links),
    ):
        if key in attributes:
            yield text_of(attributes[key])
    yield from _texts_shown_as_tags(span, key)


def _texts_shown_as_tags(span: Span, key: str) -> Iterator[str]:
    match key:
        case "event":
            yield from (event.name for event in span.events)
        case "error":
            yield "true" if span.status_code is StatusCode.ERROR else "false"
        case "span.kind" if span.kind is not SpanKind.UNSPECIFIED:
            yield span.kind.name.lower()
        case "otel.status_code" if span.status_code is not StatusCode.UNSET:
            yield span.status_code.name
        case "otel.status_description" if span.status_message:
            yield span.status_message
        case "otel.scope.name" | "scope.name" if span.scope.name:
            yield span.scope.name
        case "otel.scope.version" | "scope.version" if span.scope.version:
            yield span.scope.version
        case "w3c.tracestate" if span.trace_state:
            yield span.trace_state
        case _ if key.startswith(_RESOURCE_PREFIX):
            inner = key.removeprefix(_RESOURCE_PREFIX)
            if inner in span.resource.attributes:
                yield text_of(span.resource.attributes[inner])
