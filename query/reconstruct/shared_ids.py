"""One id for one span: Zipkin lets the two halves of a call share an id, everything downstream needs them apart.

Source: Jaeger's span id uniquifier (a SERVER span whose id a CLIENT span has too), and Zipkin's tree rule for which
half a child belongs to (SpanNode.Builder: the half of the child's own endpoint).
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from query.reconstruct.kinship import Hosts, encloses, service_affinity
from query.reconstruct.trace import TraceSpan
from storage.ids import SpanId
from storage.span import Span
from storage.trace_summary import server_halves

_MOST_COMPARED = 16
"""Of more halves of one id, as broken tracers send them, the first are compared: else a trace could take for ever."""


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
    halves, hosts = _halves_by_id(spans, now_ids), Hosts()
    separated = list(spans)
    for index, shown in enumerate(spans):
        child = shown.span
        if index in now_ids:
            separated[index] = _moved(shown, now_ids[index], child.span_id)
        elif child.parent_span_id in halves:
            half = _half_of(child, halves[child.parent_span_id], spans, now_ids, hosts)
            if half in now_ids:
                separated[index] = _moved(shown, child.span_id, now_ids[half])
    return separated


def _fresh_ids(spans: Sequence[TraceSpan]) -> Iterator[SpanId]:
    # Ids of absent parents count as used: their orphans must not become children of a renamed span.
    used = {shown.span.span_id for shown in spans} | {shown.span.parent_span_id for shown in spans}
    numbers = (SpanId(number.to_bytes(8, "big")) for number in count(1))
    return (number for number in numbers if number not in used)


def _halves_by_id(spans: Sequence[TraceSpan], now_ids: Mapping[int, SpanId]) -> dict[SpanId | None, list[int]]:
    """Where the spans of each shared id are, as many as are compared."""
    halves: dict[SpanId | None, list[int]] = {spans[index].span.span_id: [] for index in now_ids}
    for index, shown in enumerate(spans):
        same_id = halves.get(shown.span.span_id)
        if same_id is not None and len(same_id) < _MOST_COMPARED:
            same_id.append(index)
    return halves


def _half_of(
    child: Span, halves: Sequence[int], spans: Sequence[TraceSpan], serving: Container[int], hosts: Hosts
) -> int:
    affinities = [service_affinity(spans[half].span, child) for half in halves]
    best = max(affinities)
    kin = [half for half, affinity in zip(halves, affinities, strict=True) if affinity == best]
    if len(kin) == 1:
        return kin[0]
    # Hosts are costly to compare, and mostly the service has told already.
    own = hosts.of(child)

    def closeness(half: int) -> tuple[bool, bool, bool]:
        span = spans[half].span
        return not own.isdisjoint(hosts.of(span)), half in serving, encloses(span, child)

    return max(kin, key=closeness)


def _moved(shown: TraceSpan, span_id: SpanId, parent: SpanId) -> TraceSpan:
    return replace(shown, span=replace(shown.span, span_id=span_id, parent_span_id=parent))
