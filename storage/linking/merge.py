"""Clean the spans of one trace: pieces of one span become one, shared spans get what their client half knows.

Source: Zipkin's Trace.merge, and the UI's twin of it for the lone shared root. Unlike theirs the order is total, so
the result does not depend on the order in which spans arrived.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from storage.linking.link_span import NOWHERE, LinkSpan, LocalEndpoint
from storage.span import SpanKind

_Value = TypeVar("_Value")


def merge(spans: Iterable[LinkSpan]) -> list[LinkSpan]:
    """The spans of one trace without pieces and duplicates, ordered by id, the client half before the shared halves.

    Adjacent pieces with one id, one shared flag and endpoints that do not contradict each other are one span: the
    earlier piece's values win, an error in any piece is an error. Two servers of one id stay two.
    """
    return _with_root_unshared([span for span, _ in merged_pieces(list(spans))])


def merged_pieces(spans: Sequence[LinkSpan]) -> list[tuple[LinkSpan, list[int]]]:
    """As `merge`, each with the positions in `spans` of the pieces it was made of, the winning one first.

    The pieces may be all of one trace or all of one span id. A lone shared root stays shared.
    """
    kept: list[LinkSpan] = []
    pieces: list[list[int]] = []
    for at in sorted(range(len(spans)), key=lambda at: _merge_order(spans[at])):
        if kept and _is_same_span(kept[-1], spans[at]):
            kept[-1] = _joined(kept[-1], spans[at])
            pieces[-1].append(at)
        else:
            kept.append(spans[at])
            pieces.append([at])
    return list(zip(_with_halves_matched(kept), pieces, strict=True))


def _merge_order(span: LinkSpan) -> tuple[object, ...]:
    # Zipkin compares up to the endpoint; what follows only makes the order total.
    return (
        span.span_id,
        span.shared,
        not span.shared and span.kind is not SpanKind.CLIENT,
        span.local != NOWHERE,
        *(_none_last(value, "") for value in span.local[:3]),
        _none_last(span.local.port, 0),
        -span.kind,
        _none_last(span.parent_span_id, b""),
        _none_last(span.remote_service, ""),
        _none_last(span.start_ns, 0),
        span.error,
        _none_last(span.duration_ns, 0),
        _none_last(span.peer, ()),
    )


def _none_last(value: object, stand_in: object) -> tuple[bool, object]:
    return (True, stand_in) if value is None else (False, value)


def _is_same_span(kept: LinkSpan, piece: LinkSpan) -> bool:
    if kept.span_id != piece.span_id or kept.shared != piece.shared:
        return False
    return all(mine is None or its is None or mine == its for mine, its in zip(kept.local, piece.local, strict=True))


def _joined(kept: LinkSpan, piece: LinkSpan) -> LinkSpan:
    return LinkSpan(
        span_id=kept.span_id,
        parent_span_id=_first(kept.parent_span_id, piece.parent_span_id),
        kind=kept.kind or piece.kind,
        shared=kept.shared,
        local=LocalEndpoint(
            service=_first(kept.local.service, piece.local.service),
            ipv4=_first(kept.local.ipv4, piece.local.ipv4),
            ipv6=_first(kept.local.ipv6, piece.local.ipv6),
            port=_first(kept.local.port, piece.local.port),
        ),
        remote_service=_first(kept.remote_service, piece.remote_service),
        start_ns=_first(kept.start_ns, piece.start_ns),
        error=kept.error or piece.error,
        duration_ns=_first(kept.duration_ns, piece.duration_ns),
        peer=_first(kept.peer, piece.peer),
    )


def _first(kept: _Value | None, piece: _Value | None) -> _Value | None:
    return piece if kept is None else kept


def _with_halves_matched(kept: list[LinkSpan]) -> list[LinkSpan]:
    """Some servers do not say that they share the client's id, some do not know the parent: the client half tells."""
    for at in range(1, len(kept)):
        before, span = kept[at - 1], kept[at]
        if before.span_id != span.span_id:
            continue
        if before.kind is SpanKind.CLIENT and span.kind is SpanKind.SERVER:
            span = span._replace(shared=True)
        if span.shared and span.parent_span_id is None:
            span = span._replace(parent_span_id=before.parent_span_id)
        kept[at] = span
    return kept


def _with_root_unshared(kept: list[LinkSpan]) -> list[LinkSpan]:
    """An ingress may mark its root as shared with a client nobody reports: then it is no half but the root."""
    parentless = [at for at, span in enumerate(kept) if span.parent_span_id is None]
    if len(parentless) == 1 and kept[parentless[0]].shared:
        kept[parentless[0]] = kept[parentless[0]]._replace(shared=False)
    return kept
