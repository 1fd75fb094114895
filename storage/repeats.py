"""Spans that say exactly what another says: senders repeat themselves, and no store merges what it is given."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import to_builtins
from msgspec.msgpack import Encoder

from storage.ids import SpanId
from storage.span import Span

_packed = Encoder(order="deterministic").encode


def distinct(spans: Sequence[Span]) -> list[Span]:
    """Without spans that say exactly what another says; of equal ones the first stays.

    Spans that share an id but differ in anything else all stay: two halves of a call, or a reused id.
    Source: Jaeger's span hash deduper; here contents are compared, not a 64-bit hash of them.
    """
    repeated = repeated_ids(spans)
    if not repeated:
        return list(spans)
    alike = Counter(likeness(span) for span in spans if span.span_id in repeated)
    seen: set[bytes] = set()
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
    ids = [span.span_id for span in spans]
    if len(set(ids)) == len(ids):
        return set()
    return {span_id for span_id, spans_with_it in Counter(ids).items() if spans_with_it > 1}


def content_of(span: Span) -> bytes:
    """What two spans share exactly when all their values and types are equal, but for the order of attributes."""
    try:
        return _packed(span)
    except (OverflowError, UnicodeEncodeError):
        # An attribute that is a number beyond 64 bits, or a text with a lone surrogate.
        return repr(_in_order(to_builtins(span, builtin_types=(bytes,)))).encode()


def _in_order(value: object) -> object:
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in sorted(value.items())}
    return [_in_order(item) for item in value] if isinstance(value, list | tuple) else value
