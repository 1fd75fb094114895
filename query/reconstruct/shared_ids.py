"""One id for one span: Zipkin lets the two halves of a call share an id, everything downstream needs them apart.

Source: Jaeger's span id uniquifier (a SERVER span whose id a CLIENT span has too), and Zipkin's tree rule for which
half a child belongs to (SpanNode.Builder: the half of the child's own endpoint).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from msgspec.structs import replace

from query.reconstruct.kinship import encloses, hosts_of, service_affinity
from query.reconstruct.trace import TraceSpan
from storage.ids import SpanId
from storage.span import Span
from storage.trace_summary import server_halves

_MOST_COMPARED = 16
"""Of more halves of one id, as broken tracers send them, the first are compared: else a trace could take for ever."""


@dataclass(frozen=True, slots=True)
class _Half:
    """One of the spans that shared an id, the id it has now, and whether it is the called side."""

    span: Span
    now_id: SpanId
    serves: bool


def separate_shared_ids(spans: Sequence[TraceSpan]) -> list[TraceSpan]:
    """The spans in their order, with server halves under ids of their own.

    A server half is a SERVER span whose id a CLIENT span has too, or a `shared` span whose id one that is not shared
    has. It gets the smallest id that the trace does not use, counting from 1 in the order of `spans`, and its parent
    becomes the shared id. Every other span whose parent was the shared id goes under the half it came from: the one
    of its service, else of its host, else a server half, at best one that was running.
    """
    halves_at = server_halves([shown.span for shown in spans])
    if not halves_at:
        return list(spans)
    fresh_ids = _fresh_ids(spans)
    now_ids = {index: next(fresh_ids) for index in halves_at}
    halves = _halves_by_id(spans, now_ids)
    return [
        _moved(shown, now_ids[index], shown.span.span_id) if index in now_ids else _under_its_half(shown, halves)
        for index, shown in enumerate(spans)
    ]


def _fresh_ids(spans: Sequence[TraceSpan]) -> Iterator[SpanId]:
    # Ids of absent parents count as used: their orphans must not become children of a renamed span.
    used = {shown.span.span_id for shown in spans} | {shown.span.parent_span_id for shown in spans}
    numbers = (SpanId(number.to_bytes(8, "big")) for number in count(1))
    return (number for number in numbers if number not in used)


def _halves_by_id(spans: Sequence[TraceSpan], now_ids: Mapping[int, SpanId]) -> dict[SpanId, list[_Half]]:
    shared = {spans[index].span.span_id for index in now_ids}
    halves: dict[SpanId, list[_Half]] = {span_id: [] for span_id in shared}
    for index, shown in enumerate(spans):
        span = shown.span
        if span.span_id in shared:
            now_id = now_ids.get(index, span.span_id)
            halves[span.span_id].append(_Half(span, now_id, index in now_ids))
    return halves


def _under_its_half(shown: TraceSpan, halves: Mapping[SpanId, Sequence[_Half]]) -> TraceSpan:
    parent = shown.span.parent_span_id
    if parent is None or parent not in halves:
        return shown
    child, candidates = shown.span, halves[parent][:_MOST_COMPARED]
    affinities = [service_affinity(half.span, child) for half in candidates]
    best = max(affinities)
    kin = [half for half, affinity in zip(candidates, affinities, strict=True) if affinity == best]
    return _moved(shown, child.span_id, (kin[0] if len(kin) == 1 else _closest(kin, child)).now_id)


def _closest(halves: Sequence[_Half], child: Span) -> _Half:
    # Hosts are costly to find, and mostly the service has told already.
    hosts = hosts_of(child)

    def closeness(half: _Half) -> tuple[bool, bool, bool]:
        return not hosts.isdisjoint(hosts_of(half.span)), half.serves, encloses(half.span, child)

    return max(halves, key=closeness)


def _moved(shown: TraceSpan, span_id: SpanId, parent: SpanId) -> TraceSpan:
    return replace(shown, span=replace(shown.span, span_id=span_id, parent_span_id=parent))
