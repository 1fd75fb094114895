"""Which report's word counts, field by field, when several tell of one span."""

from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

from msgspec.structs import replace

from query.reconstruct.zipkin_as_otel import as_otel
from storage.attributes import Attributes
from storage.span import Endpoint, Event, Span, StatusCode

_Value = TypeVar("_Value")
_UNKNOWN_NAME = "unknown"


def joined_pieces(pieces: Sequence[Span]) -> Span:
    """One Zipkin span of its pieces, at least one, the winning one first.

    The earlier piece's values win, field by field and endpoint field by endpoint field, but a later piece's tags; a
    name `unknown` is none. Annotations are all there, by time and text, equal ones once. A flag or an error in any
    piece counts. Source: Zipkin's Span.Builder.merge, and its UI's span cleaner for the name.
    """
    return reduce(_joined, pieces)


def joined_protocols(kept: Span, other: Span) -> Span:
    """A span that came by two protocols: everything is `kept`'s, and what only the other one told is added to it."""
    told = as_otel(other)
    return replace(
        kept,
        duration_ns=_first(kept.duration_ns, told.duration_ns),
        attributes={**told.attributes, **kept.attributes},
        events=kept.events or told.events,
        shared=kept.shared or told.shared,
        debug=kept.debug or told.debug,
        local=_endpoint(kept.local, told.local),
        remote=_endpoint(kept.remote, told.remote),
    )


def _joined(kept: Span, piece: Span) -> Span:
    return replace(
        kept,
        name=_first(_told(kept.name), _told(piece.name)),
        kind=kept.kind or piece.kind,
        start_ns=_first(kept.start_ns, piece.start_ns),
        duration_ns=_first(kept.duration_ns, piece.duration_ns),
        service=_first(kept.service, piece.service),
        status_code=max(kept.status_code, piece.status_code, key=_gravity),
        attributes=_tags(kept.attributes, piece.attributes),
        events=_annotations((*kept.events, *piece.events)),
        debug=kept.debug or piece.debug,
        local=_endpoint(kept.local, piece.local),
        remote=_endpoint(kept.remote, piece.remote),
    )


def _tags(kept: Attributes, piece: Attributes) -> Attributes:
    return {**kept, **piece} if piece else kept


def _annotations(events: Sequence[Event]) -> tuple[Event, ...]:
    # A Zipkin annotation is its time and its text: it has no attributes that could tell two apart.
    distinct = {(event.time_ns, event.name): event for event in events}
    return tuple(distinct[key] for key in sorted(distinct))


def _endpoint(kept: Endpoint, other: Endpoint) -> Endpoint:
    return Endpoint(
        _first(kept.service, other.service),
        _first(kept.ipv4, other.ipv4),
        _first(kept.ipv6, other.ipv6),
        _first(kept.port, other.port),
    )


def _told(name: str | None) -> str | None:
    return None if name == _UNKNOWN_NAME else name


def _gravity(status: StatusCode) -> bool:
    return status is StatusCode.ERROR


def _first(kept: _Value | None, other: _Value | None) -> _Value | None:
    return other if kept is None else kept
