"""Clock skew between hosts: a child cannot start before the call that caused it, so its clock must be off.

Source: Jaeger v2's clock skew adjuster, with the address of a Zipkin endpoint as a host key (as Jaeger v1 had it).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from query.reconstruct.go_text import duration_text
from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import first_positions
from storage.attributes import Attributes, text_of
from storage.ids import SpanId
from storage.span import Endpoint, Span

_DUPLICATE = "duplicate span IDs; skipping clock skew adjustment"


class _Skew(NamedTuple):
    """How far the clock of a host is off: what must be added to its times."""

    host: str
    delta_ns: int


def correct_clock_skew(spans: Sequence[TraceSpan], max_delta_ns: int) -> list[TraceSpan]:
    """The spans in their order; those whose clock is off by at most `max_delta_ns` moved, with their events.

    Every move is noted as a warning, and so is a larger one that was not made; `max_delta_ns` 0 makes none. A span
    whose id came before and a span whose parent is not here get a warning each; the latter is taken for a root.
    A span without a start says nothing about clocks and is never moved.
    """
    adjusted = list(spans)
    roots, parents = _family(adjusted)
    suspects = _suspects(adjusted, parents)
    if not suspects:
        return adjusted
    children: dict[int, list[int]] = {}
    for child, above in enumerate(parents):
        if above is not None:
            children.setdefault(above, []).append(child)
    keys = _HostKeys()
    skews = {root: _Skew(keys.of(adjusted[root].span), 0) for root in roots}
    waiting = list(roots)
    while waiting:
        index = waiting.pop()
        # A span is judged by its parent as that is now, moved or not.
        parent, skew = adjusted[index].span, skews.pop(index)
        for child in children.get(index, ()):
            if skew.delta_ns == 0 and child not in suspects:
                continue
            span = adjusted[child].span
            host = keys.of(span)
            own = skew if host and host == skew.host else _Skew(host, _delta_ns(span, parent))
            if own.delta_ns:
                adjusted[child] = _adjusted(adjusted[child], own.delta_ns, max_delta_ns)
            if child in children:
                skews[child] = own
                waiting.append(child)
    return adjusted


def host_key(span: Span) -> str:
    """What tells the span's host from others: host.id, the first host.ip, host.name, or its Zipkin address; else ""."""
    told = _key_of_resource(span.resource.attributes)
    return _address(span.local) if told is None else told


class _HostKeys:
    """`host_key` of spans that share their resources."""

    def __init__(self) -> None:
        # By the resource's id(): the spans hold it.
        self._told: dict[int, str | None] = {}

    def of(self, span: Span) -> str:
        resource = span.resource
        try:
            told = self._told[id(resource)]
        except KeyError:
            told = self._told[id(resource)] = _key_of_resource(resource.attributes)
        return _address(span.local) if told is None else told


def _key_of_resource(resource: Attributes) -> str | None:
    if "host.id" in resource:
        return text_of(resource["host.id"])
    addresses = resource.get("host.ip")
    if isinstance(addresses, str):
        return addresses
    if isinstance(addresses, list) and addresses:
        return text_of(addresses[0])
    if "host.name" in resource:
        return text_of(resource["host.name"])
    return None


def _address(local: Endpoint) -> str:
    address = local.ipv4 or local.ipv6 or ""
    return "" if address.startswith("127.") or address == "::1" else address


def _family(spans: list[TraceSpan]) -> tuple[list[int], list[int | None]]:
    """The roots, and of each other span its parent, None of roots; only of the first spans of each id.

    The others are warned in `spans`, and so are those whose parent is not here: the latter are roots.
    """
    positions = first_positions(spans)
    parents = [positions.get(shown.span.parent_span_id) for shown in spans]
    roots: list[int] = []
    for index in _apart(spans, positions, parents):
        shown = spans[index]
        parent = shown.span.parent_span_id
        if positions[shown.span.span_id] != index:
            spans[index] = shown.warned(_DUPLICATE)
            parents[index] = None
        elif parent is None:
            roots.append(index)
        elif parents[index] is None:
            warning = f"parent span ID={parent.hex()} is not in the trace; skipping clock skew adjustment"
            spans[index] = shown.warned(warning)
            roots.append(index)
    return roots, parents


def _apart(
    spans: Sequence[TraceSpan], positions: Mapping[SpanId | None, int], parents: Sequence[int | None]
) -> Sequence[int]:
    """All spans where some share an id, else those without a parent here."""
    if len(positions) < len(spans):
        return range(len(spans))
    return [index for index, parent in enumerate(parents) if parent is None]


def _suspects(spans: Sequence[TraceSpan], parents: Sequence[int | None]) -> set[int]:
    """All spans to look at unless one above them was off: those that do not fit their parents, and those above them.

    In most traces there are none, and in most of the others few.
    """
    found: set[int] = set()
    bare = [shown.span for shown in spans]
    starts, durations = [span.start_ns for span in bare], [span.duration_ns or 0 for span in bare]
    for child, parent in enumerate(parents):
        if parent is None:
            continue
        start_ns, parent_start_ns, duration_ns = starts[child], starts[parent], durations[child]
        if start_ns is None or parent_start_ns is None:
            continue
        if start_ns >= parent_start_ns and start_ns + duration_ns <= parent_start_ns + durations[parent]:
            continue  # within its parent, as nearly all are
        if _delta_ns(bare[child], bare[parent]):
            at: int | None = child
            while at is not None and at not in found:
                found.add(at)
                at = parents[at]
    return found


def _delta_ns(child: Span, parent: Span) -> int:
    start_ns, parent_start_ns = child.start_ns, parent.start_ns
    if start_ns is None or parent_start_ns is None:
        return 0
    child_ns, parent_ns = child.duration_ns or 0, parent.duration_ns or 0
    if child_ns > parent_ns:
        # Asynchronous, or the parent gave up waiting: all that is certain is that the child did not start first.
        return max(0, parent_start_ns - start_ns)
    if parent_start_ns <= start_ns and start_ns + child_ns <= parent_start_ns + parent_ns:
        return 0
    # Request and response are taken to have travelled equally long.
    return parent_start_ns + (parent_ns - child_ns) // 2 - start_ns


def _adjusted(shown: TraceSpan, delta_ns: int, max_delta_ns: int) -> TraceSpan:
    if delta_ns == 0 or shown.span.start_ns is None:
        return shown
    if abs(delta_ns) > max_delta_ns:
        return shown.warned(_not_applied(delta_ns, max_delta_ns))
    return moved(shown, delta_ns)


@lru_cache(1024)
def _not_applied(delta_ns: int, max_delta_ns: int) -> str:
    calculated = f"not applying calculated delta of {duration_text(delta_ns)}"
    if max_delta_ns == 0:
        return f"clock skew adjustment disabled; {calculated}"
    return f"max clock skew adjustment delta of {duration_text(max_delta_ns)} exceeded; {calculated}"


def moved(shown: TraceSpan, delta_ns: int) -> TraceSpan:
    """The span and its events later by `delta_ns`, with a warning that says so. An absent start stays absent."""
    span = shown.span
    start_ns = None if span.start_ns is None else span.start_ns + delta_ns
    events = tuple(replace(event, time_ns=event.time_ns + delta_ns) for event in span.events)
    later = replace(shown, span=replace(span, start_ns=start_ns, events=events))
    return later.warned(f"This span's timestamps were adjusted by {duration_text(delta_ns)}")
