"""Clock skew between hosts: a child cannot start before the call that caused it, so its clock must be off.

Source: Jaeger v2's clock skew adjuster, with the address of a Zipkin endpoint as a host key (as Jaeger v1 had it).
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from query.reconstruct.go_text import duration_text
from query.reconstruct.trace import TraceSpan
from storage.attributes import text_of
from storage.ids import SpanId
from storage.span import Span

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
    positions = _positions(adjusted)
    roots, children = _family(adjusted, positions)
    waiting: list[tuple[int, int | None, _Skew]] = [
        (root, None, _Skew(host_key(adjusted[root].span), 0)) for root in roots
    ]
    while waiting:
        index, parent, skew = waiting.pop()
        host = host_key(adjusted[index].span)
        if parent is not None and (not host or host != skew.host):
            skew = _Skew(host, _delta_ns(adjusted[index].span, adjusted[parent].span))
        adjusted[index] = _adjusted(adjusted[index], skew.delta_ns, max_delta_ns)
        waiting += [(child, index, skew) for child in children.get(index, ())]
    return adjusted


def host_key(span: Span) -> str:
    """What tells the span's host from others: host.id, the first host.ip, host.name, or its Zipkin address; else ""."""
    resource = span.resource.attributes
    if "host.id" in resource:
        return text_of(resource["host.id"])
    addresses = resource.get("host.ip")
    if isinstance(addresses, str):
        return addresses
    if isinstance(addresses, list) and addresses:
        return text_of(addresses[0])
    if "host.name" in resource:
        return text_of(resource["host.name"])
    address = span.local.ipv4 or span.local.ipv6 or ""
    return "" if address.startswith("127.") or address == "::1" else address


def _positions(spans: list[TraceSpan]) -> dict[SpanId, int]:
    positions: dict[SpanId, int] = {}
    for index, shown in enumerate(spans):
        if shown.span.span_id in positions:
            spans[index] = shown.warned(_DUPLICATE)
        else:
            positions[shown.span.span_id] = index
    return positions


def _family(spans: list[TraceSpan], positions: dict[SpanId, int]) -> tuple[list[int], dict[int, list[int]]]:
    roots: list[int] = []
    children: dict[int, list[int]] = {}
    for index in positions.values():
        parent = spans[index].span.parent_span_id
        if parent is None:
            roots.append(index)
        elif parent in positions:
            children.setdefault(positions[parent], []).append(index)
        else:
            warning = f"parent span ID={parent.hex()} is not in the trace; skipping clock skew adjustment"
            spans[index] = spans[index].warned(warning)
            roots.append(index)
    return roots, children


def _delta_ns(child: Span, parent: Span) -> int:
    if child.start_ns is None or parent.start_ns is None:
        return 0
    child_ns, parent_ns = child.duration_ns or 0, parent.duration_ns or 0
    if child_ns > parent_ns:
        # Asynchronous, or the parent gave up waiting: all that is certain is that the child did not start first.
        return max(0, parent.start_ns - child.start_ns)
    if parent.start_ns <= child.start_ns and child.start_ns + child_ns <= parent.start_ns + parent_ns:
        return 0
    # Request and response are taken to have travelled equally long.
    return parent.start_ns + (parent_ns - child_ns) // 2 - child.start_ns


def _adjusted(shown: TraceSpan, delta_ns: int, max_delta_ns: int) -> TraceSpan:
    if delta_ns == 0 or shown.span.start_ns is None:
        return shown
    delta = duration_text(delta_ns)
    if max_delta_ns == 0:
        return shown.warned(f"clock skew adjustment disabled; not applying calculated delta of {delta}")
    if abs(delta_ns) > max_delta_ns:
        return shown.warned(
            f"max clock skew adjustment delta of {duration_text(max_delta_ns)} exceeded; "
            f"not applying calculated delta of {delta}"
        )
    return moved(shown, delta_ns)


def moved(shown: TraceSpan, delta_ns: int) -> TraceSpan:
    """The span and its events later by `delta_ns`, with a warning that says so. An absent start stays absent."""
    span = shown.span
    start_ns = None if span.start_ns is None else span.start_ns + delta_ns
    events = tuple(replace(event, time_ns=event.time_ns + delta_ns) for event in span.events)
    later = replace(shown, span=replace(span, start_ns=start_ns, events=events))
    return later.warned(f"This span's timestamps were adjusted by {duration_text(delta_ns)}")
