"""What was reported of one span becomes one span: repeats, pieces, and the same span by two protocols.

Source of the rule for pieces: Zipkin's Trace.merge, whose decisions the dependency linker has already
(`storage.linking.merge`). Only Zipkin's tracers report a span in pieces. What OTLP and Jaeger report is whole, so two
such reports of one id that differ are two spans whose tracers chose the same id. Nor are two pieces one span when each
has a start and a duration of its own: a call that was tried twice under one id stays two, where Zipkin shows one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from query.reconstruct.report_fields import joined_pieces, joined_protocols
from query.reconstruct.trace import TraceSpan
from storage.ids import SpanId
from storage.linking.link_span import link_span_of
from storage.linking.merge import merged_pieces
from storage.repeats import content_of, likeness, repeated_ids
from storage.span import Protocol, Span, SpanKind

_CLOCK_TICK_NS = 1_000
"""Zipkin and Jaeger tell times in microseconds, to which the same start is cut, or rounded."""
_RICHEST_FIRST = (Protocol.OTLP, Protocol.JAEGER, Protocol.ZIPKIN)
_UNTOLD_KINDS = (SpanKind.UNSPECIFIED, SpanKind.INTERNAL)


def join_reports(spans: Sequence[Span]) -> list[TraceSpan]:
    """One span for all reports of it, at the place of its first report; `reports` adds up to how many were given.

    spans: of one trace, in canonical order. Reports that are equal are one span. So are Zipkin's pieces: one id, one
    `shared` flag, and endpoints that do not contradict each other. So is a span that came by two protocols: one id,
    parent, kind, service and name, and one start to the microsecond. A Zipkin SERVER half is `shared` when its CLIENT
    half is there, and has its parent when it names none.
    """
    repeated = repeated_ids(spans)
    if not repeated:
        return [TraceSpan(span) for span in spans]
    reports: dict[SpanId, list[Span]] = {}
    for span in spans:
        if span.span_id in repeated:
            reports.setdefault(span.span_id, []).append(span)
    shown: list[TraceSpan] = []
    for span in spans:
        if span.span_id not in repeated:
            shown.append(TraceSpan(span))
        elif same_id := reports.pop(span.span_id, None):
            # All that was made of an id's reports stands at the first of them.
            shown += _joined(same_id)
    return shown


def _joined(same_id: Sequence[Span]) -> Sequence[TraceSpan]:
    distinct = _without_repeats(same_id)
    if len(distinct) == 1:
        return distinct
    zipkin = [one for one in distinct if one.span.protocol is Protocol.ZIPKIN]
    whole = [one for one in distinct if one.span.protocol is not Protocol.ZIPKIN]
    joined = [*whole, *_from_pieces(zipkin)]
    return _across_protocols(joined) if whole else joined


def _without_repeats(same_id: Sequence[Span]) -> list[TraceSpan]:
    likenesses = [likeness(span) for span in same_id]
    if len(set(likenesses)) == len(same_id):
        return [TraceSpan(span) for span in same_id]
    alike = Counter(likenesses)
    kept: list[TraceSpan] = []
    places: dict[bytes, int] = {}
    for span, its_likeness in zip(same_id, likenesses, strict=True):
        content = content_of(span) if alike[its_likeness] > 1 else b""
        if content and content in places:
            at = places[content]
            kept[at] = TraceSpan(kept[at].span, reports=kept[at].reports + 1)
        else:
            places[content] = len(kept)
            kept.append(TraceSpan(span))
    return kept


def _from_pieces(pieces: Sequence[TraceSpan]) -> Iterator[TraceSpan]:
    if len(pieces) == 2 and _is_shared(pieces[0].span) != _is_shared(pieces[1].span):
        # As below, at a tenth of the cost: what nearly every call between two of Zipkin's tracers looks like.
        yield from _halves(*sorted(pieces, key=lambda piece: _is_shared(piece.span)))
        return
    for decided, positions in merged_pieces([link_span_of(one.span, with_peer=False) for one in pieces]):
        for same in _told_apart([pieces[at] for at in positions]):
            span = joined_pieces([piece.span for piece in same])
            # What is shared stays so: the linker takes the flag from a CLIENT, for it has no use for it there.
            span = replace(span, shared=span.shared or decided.shared, parent_span_id=decided.parent_span_id)
            yield TraceSpan(span, reports=sum(piece.reports for piece in same))


def _halves(own: TraceSpan, shared: TraceSpan) -> Iterator[TraceSpan]:
    """Two spans, the shared one with the parent of the other when it names none."""
    parent = _parent(own.span)
    yield _with_parent(own, parent)
    yield _with_parent(shared, _parent(shared.span) or parent)


def _is_shared(span: Span) -> bool:
    return span.shared and span.kind is not SpanKind.CLIENT


def _parent(span: Span) -> SpanId | None:
    return None if span.parent_span_id == span.span_id else span.parent_span_id


def _with_parent(shown: TraceSpan, parent: SpanId | None) -> TraceSpan:
    if shown.span.parent_span_id == parent:
        return shown
    return replace(shown, span=replace(shown.span, parent_span_id=parent))


def _told_apart(pieces: Sequence[TraceSpan]) -> list[list[TraceSpan]]:
    """The pieces by span: each start that came with a duration is a span of its own, the others belong to the first."""
    starts = list(dict.fromkeys(one.span.start_ns for one in pieces if _is_whole(one.span)))
    if len(starts) < 2:
        return [list(pieces)]
    spans: dict[int | None, list[TraceSpan]] = {start_ns: [] for start_ns in starts}
    for piece in pieces:
        spans[piece.span.start_ns if _is_whole(piece.span) else starts[0]].append(piece)
    return list(spans.values())


def _is_whole(span: Span) -> bool:
    return span.start_ns is not None and span.duration_ns is not None


def _across_protocols(reported: Sequence[TraceSpan]) -> list[TraceSpan]:
    if len({one.span.protocol for one in reported}) == 1:
        return list(reported)
    kept: list[TraceSpan] = []
    firsts: dict[tuple[object, ...], int] = {}
    for one in sorted(reported, key=lambda one: _RICHEST_FIRST.index(one.span.protocol)):
        at = next((at for key in _keys_elsewhere(one.span) if (at := firsts.get(key)) is not None), None)
        if at is None:
            firsts.setdefault(_key(one.span, one.span.protocol), len(kept))
            kept.append(one)
        else:
            reports = kept[at].reports + one.reports
            kept[at] = TraceSpan(joined_protocols(kept[at].span, one.span), reports=reports)
    return kept


def _keys_elsewhere(span: Span) -> Iterator[tuple[object, ...]]:
    """What the same span has for its key by a richer protocol: exporters cut a start to its tick, or round it."""
    if span.start_ns is not None:
        for protocol in _RICHEST_FIRST[: _RICHEST_FIRST.index(span.protocol)]:
            yield from (_key(span, protocol, later_ticks) for later_ticks in (0, -1))


def _key(span: Span, protocol: Protocol, later_ticks: int = 0) -> tuple[object, ...]:
    tick = None if span.start_ns is None else span.start_ns // _CLOCK_TICK_NS + later_ticks
    return protocol, tick, *_identity(span)


def _identity(span: Span) -> tuple[object, ...]:
    kind = None if span.kind in _UNTOLD_KINDS else span.kind
    return span.parent_span_id, kind, (span.service or "").lower(), (span.name or "").lower()
