"""What was reported of one span becomes one span: repeats, pieces, and the same span by two protocols.

Source of the rule for pieces: Zipkin's Trace.merge, whose decisions the dependency linker has already
(`storage.linking.merge`). Only Zipkin's tracers report a span in pieces. What OTLP and Jaeger report is whole, so two
such reports of one id that differ are two spans whose tracers chose the same id. Nor are two pieces one span when each
has a start and a duration of its own: a call that was tried twice under one id stays two, where Zipkin shows one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

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
    reports: dict[SpanId, list[TraceSpan]] = {}
    for span in spans:
        if span.span_id in repeated:
            reports.setdefault(span.span_id, []).append(TraceSpan(span))
    joined = {span_id: iter(list(_joined(same_id))) for span_id, same_id in reports.items()}
    return [one for span in spans for one in _next_of(joined, span)]


def _next_of(joined: dict[SpanId, Iterator[TraceSpan]], span: Span) -> Iterable[TraceSpan]:
    """The span itself when its id is its own; else what was made of that id's reports, all at the first of them."""
    if span.span_id not in joined:
        return (TraceSpan(span),)
    return joined[span.span_id]


def _joined(same_id: Sequence[TraceSpan]) -> list[TraceSpan]:
    distinct = _without_repeats(same_id)
    zipkin = [one for one in distinct if one.span.protocol is Protocol.ZIPKIN]
    whole = [one for one in distinct if one.span.protocol is not Protocol.ZIPKIN]
    return _across_protocols([*whole, *_from_pieces(zipkin)])


def _without_repeats(same_id: Sequence[TraceSpan]) -> list[TraceSpan]:
    alike = Counter(likeness(one.span) for one in same_id)
    kept: list[TraceSpan] = []
    places: dict[str, int] = {}
    for one in same_id:
        content = content_of(one.span) if alike[likeness(one.span)] > 1 else ""
        if content and content in places:
            at = places[content]
            kept[at] = replace(kept[at], reports=kept[at].reports + one.reports)
        else:
            places[content] = len(kept)
            kept.append(one)
    return kept


def _from_pieces(pieces: Sequence[TraceSpan]) -> Iterator[TraceSpan]:
    for decided, positions in merged_pieces([link_span_of(one.span) for one in pieces]):
        for same in _told_apart([pieces[at] for at in positions]):
            span = joined_pieces([piece.span for piece in same])
            # What is shared stays so: the linker takes the flag from a CLIENT, for it has no use for it there.
            span = replace(span, shared=span.shared or decided.shared, parent_span_id=decided.parent_span_id)
            yield TraceSpan(span, reports=sum(piece.reports for piece in same))


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
