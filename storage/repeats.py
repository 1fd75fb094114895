"""Spans that say exactly what another says: senders repeat themselves, and no store merges what it is given."""

from collections import Counter
from collections.abc import Iterable, Sequence

from storage.attributes import Attributes, encode
from storage.ids import SpanId
from storage.span import Event, Link, Span


def distinct(spans: Sequence[Span]) -> list[Span]:
    """Without spans that say exactly what another says; of equal ones the first stays.

    Spans that share an id but differ in anything else all stay: two halves of a call, or a reused id.
    Source: Jaeger's span hash deduper; here contents are compared, not a 64-bit hash of them.
    """
    repeated = repeated_ids(spans)
    if not repeated:
        return list(spans)
    alike = Counter(likeness(span) for span in spans if span.span_id in repeated)
    seen: set[str] = set()
    kept: list[Span] = []
    for span in spans:
        if span.span_id in repeated and alike[likeness(span)] > 1:
            content = content_of(span)
            if content in seen:
                continue
            seen.add(content)
        kept.append(span)
    return kept


def likeness(span: Span) -> tuple[object, ...]:
    """What spans must have in common to be equal, and can be compared by at a fraction of what their content costs."""
    return span.span_id, span.kind, span.shared, span.start_ns, span.duration_ns, span.protocol, span.service, span.name


def repeated_ids(spans: Iterable[Span]) -> set[SpanId]:
    """The ids that more than one of the spans has."""
    seen: set[SpanId] = set()
    repeated: set[SpanId] = set()
    for span in spans:
        (repeated if span.span_id in seen else seen).add(span.span_id)
    return repeated


def content_of(span: Span) -> str:
    """Text that two spans share exactly when all their values and types are equal, but for the order of attributes."""
    return repr(
        (
            (span.trace_id, span.span_id, span.parent_span_id, span.trace_state, span.flags),
            (span.start_ns, span.duration_ns, span.service, span.name, span.kind, span.protocol),
            (span.status_code, span.status_message, span.debug, span.shared, span.local, span.remote),
            _text(span.attributes),
            [_event(event) for event in span.events],
            [_link(link) for link in span.links],
            (_text(span.resource.attributes), span.resource.dropped_attributes, span.resource.schema_url),
            (span.scope.name, span.scope.version, _text(span.scope.attributes)),
            (span.scope.dropped_attributes, span.scope.schema_url),
            (span.dropped_attributes, span.dropped_events, span.dropped_links),
        )
    )


def _text(attributes: Attributes) -> str:
    return encode(dict(sorted(attributes.items()))) if attributes else "{}"


def _event(event: Event) -> tuple[object, ...]:
    return event.time_ns, event.name, _text(event.attributes), event.dropped_attributes


def _link(link: Link) -> tuple[object, ...]:
    return (
        link.trace_id,
        link.span_id,
        link.trace_state,
        _text(link.attributes),
        link.dropped_attributes,
        link.flags,
    )
