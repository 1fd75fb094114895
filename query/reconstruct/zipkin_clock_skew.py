"""Clock skew as Zipkin corrects it: a server cannot begin before the client that called it, so its clock must be off.

Source: Zipkin's UI (clock-skew.js), which corrects what it draws; its server never did. Unlike Jaeger's rule it looks
only at the two halves of a call, has no limit, and moves no span that does not tell its address.
"""

from collections.abc import Sequence
from typing import NamedTuple

from query.reconstruct.clock_skew import moved
from query.reconstruct.trace import TraceSpan
from query.reconstruct.tree import RootReason, tree_of
from storage.conventions import MISSING_SERVICE_NAME
from storage.span import Endpoint, Span, SpanKind

_SHORTEST_TRIP_NS = 1_000
"""A microsecond, the least that Zipkin can tell: how far client and server are set apart when nothing else is known."""


class _Skew(NamedTuple):
    """How far the clock of the host at this endpoint is ahead."""

    endpoint: Endpoint
    ahead_ns: int


def correct_clock_skew_as_zipkin(spans: Sequence[TraceSpan]) -> list[TraceSpan]:
    """The spans in their order, those whose clock is off moved, with their events and a warning.

    Nothing is moved when the trace has no root or several: only one root can be what the others are measured by.
    Orphans and circles are measured by nothing. The spans are by start and have shared ids separated.
    """
    adjusted = list(spans)
    tree = tree_of(spans)
    roots = tree.roots_for(RootReason.PARENTLESS)
    if len(roots) != 1:
        return adjusted
    waiting: list[tuple[int, _Skew | None]] = [(roots[0], None)]
    while waiting:
        at, inherited = waiting.pop()
        adjusted[at] = _adjusted(adjusted[at], inherited)
        parent = tree.parents[at]
        own = _skew_between(adjusted[parent].span, adjusted[at].span) if parent is not None else None
        adjusted[at] = _adjusted(adjusted[at], own)
        waiting += [(child, own or inherited) for child in tree.children[at]]
    return adjusted


def is_same_address(one: Endpoint, other: Endpoint) -> bool:
    """Whether both tell one IPv6 or one IPv4 address. Two that tell none are not the same."""
    if one.ipv6 and one.ipv6 == other.ipv6:
        return True
    return bool(one.ipv4) and one.ipv4 == other.ipv4


def _skew_between(client: Span, server: Span) -> _Skew | None:
    if client.kind is not SpanKind.CLIENT or server.kind is not SpanKind.SERVER:
        return None
    if not client.start_ns or not server.start_ns or server.start_ns > client.start_ns:
        return None
    if not _has_endpoint(client) or not _has_endpoint(server) or is_same_address(client.local, server.local):
        return None
    ahead_ns = server.start_ns - client.start_ns - _trip_ns(client, server)
    return _Skew(server.local, ahead_ns) if ahead_ns else None


def _trip_ns(client: Span, server: Span) -> int:
    """How long the request travelled: half of what the call took longer than the answer, if that can be told."""
    if not client.duration_ns or not server.duration_ns or client.duration_ns < server.duration_ns:
        return _SHORTEST_TRIP_NS
    return (client.duration_ns - server.duration_ns) // 2


def _has_endpoint(span: Span) -> bool:
    return span.service not in (None, MISSING_SERVICE_NAME) or span.local != Endpoint()


def _adjusted(shown: TraceSpan, skew: _Skew | None) -> TraceSpan:
    if skew is None or not is_same_address(skew.endpoint, shown.span.local):
        return shown
    return moved(shown, -skew.ahead_ns)
