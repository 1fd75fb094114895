"""How long a span was busy itself: its duration without the time in which it waited for its children."""

from collections.abc import Iterable

from query.reconstruct.waiting import Waits


def self_times_ns(waits: Waits) -> list[int | None]:
    """By position, from 0 to the span's duration; None for a span without a start, about which nothing is known.

    Time in which several children ran counts once, and of a child that began before or outlived its parent only the
    part within the parent. Children that nobody waits for take nothing away. Source: Jaeger's UI (trace statistics).
    """
    times: list[int | None] = []
    for at, window in enumerate(waits.windows):
        if window is None:
            times.append(None)
        else:
            waited_ns = _covered_ns(sorted(waits.parts_within(at, window))) if waits.awaited[at] else 0
            times.append(window[1] - window[0] - waited_ns)
    return times


def _covered_ns(parts: Iterable[tuple[int, int, int]]) -> int:
    """How much time the parts, by start, cover together."""
    covered_ns = 0
    until_ns: int | None = None
    for start_ns, end_ns, _ in parts:
        begin_ns = start_ns if until_ns is None or start_ns > until_ns else until_ns
        if begin_ns < end_ns:
            covered_ns += end_ns - begin_ns
            until_ns = end_ns
    return covered_ns
