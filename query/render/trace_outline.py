"""One reconstructed trace as columns of numbers: all that its picture needs, and nothing of what spans carry.

A browser draws 50,000 spans from this in the time in which it would only parse their document, which has fifteen times
the bytes. The shape is told by `query.api.clew_docs`.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag

from query.reconstruct.reconstruction import Reconstruction
from query.reconstruct.sidecars import is_sidecar
from query.reconstruct.trace import TraceSpan
from query.render.clew_trace import places_in_document, summary_json
from query.render.jaeger_envelope import to_bytes
from storage.span import Span, StatusCode


class SpanFlag(IntFlag):
    """What is so of a span, one bit each."""

    ERROR = 1
    SIDECAR = 2
    JOINED = 4
    """It was made of several reports."""
    EVENTS = 8
    LINKS = 16


# As plain numbers, for Python 3.11 takes 0.4 us to find a flag and its value.
_ERROR, _SIDECAR, _JOINED, _EVENTS, _LINKS = (flag.value for flag in SpanFlag)
_ERROR_STATUS = StatusCode.ERROR
_SHOWN_AT_ONCE = 5_000
"""From so many spans on a reader sees the tree before times are reckoned; of fewer that takes a few milliseconds."""


def trace_outline(found: Reconstruction) -> Iterator[bytes]:
    """The outline in pieces: its tree, a line break, and how the time was spent. Rows can be shown after the first.

    An empty piece says that those before it should not wait for the next.
    Times are ns from the start of the trace, null where a span has none. Span ids are one text, 16 digits a span: a
    list of 50,000 texts takes longer to parse than all other columns.
    """
    start_ns = found.summary.listed.start_ns or 0
    order, places = found.tree.order, places_in_document(found)
    services, names = _Numbers(), _Numbers()
    shown = [found.trace.spans[at] for at in order]
    spans = [one.span for one in shown]
    yield _member("{", "traceId", found.trace.trace_id.hex())
    yield _member(",", "summary", summary_json(found))
    # A column after another: whatever is done once a span is done 50,000 times.
    yield b',"spans":'
    yield _member("{", "spanId", b"".join([span.span_id for span in spans]).hex())
    yield _member(",", "parent", _parents(found, places))
    yield _member(",", "service", [services[span.service or ""] for span in spans])
    yield _member(",", "name", [names[span.name or ""] for span in spans])
    yield _member(",", "kind", [span.kind for span in spans])
    yield _member(",", "start", [None if (from_ns := span.start_ns) is None else from_ns - start_ns for span in spans])
    yield _member(",", "duration", [span.duration_ns for span in spans])
    yield _member(",", "protocol", [span.protocol for span in spans])
    yield _member(",", "flags", _flags(shown, spans)) + b"}"
    yield _member(",", "services", services.listed)
    yield _member(",", "names", names.listed)
    roots = found.tree.roots
    yield _member(",", "roots", [{"span": places[at], "reason": why.name.lower()} for at, why in roots.items()])
    yield _member(
        ",", "warnings", [{"span": at, "texts": one.warnings} for at, one in enumerate(shown) if one.warnings]
    )
    if len(order) >= _SHOWN_AT_ONCE:
        yield b""
    yield b'\n,"timing":'
    yield _member("{", "selfTime", [*map(found.self_times_ns.__getitem__, order)])
    yield _member(",", "criticalPathTime", _critical_path_times(found))
    yield _member(",", "criticalPath", _sections(found, places, start_ns)) + b"}}"


def _member(before: str, name: str, value: object) -> bytes:
    return f'{before}"{name}":'.encode() + to_bytes(value)


def _parents(found: Reconstruction, places: Sequence[int]) -> list[int]:
    parents = map(found.tree.parents.__getitem__, found.tree.order)
    return [-1 if parent is None else places[parent] for parent in parents]


def _critical_path_times(found: Reconstruction) -> list[int | None]:
    times_ns: dict[int, int | None] = dict.fromkeys(found.path.spans, 0)
    times_ns.update(found.path.times_ns())
    return [*map(times_ns.get, found.tree.order)]


def _flags(shown: Sequence[TraceSpan], spans: Sequence[Span]) -> list[int]:
    """Flags by place. Each is looked for in all spans, for most have none."""
    flags = [_ERROR if span.status_code is _ERROR_STATUS else 0 for span in spans]
    for flag, places in (
        (_SIDECAR, [place for place, span in enumerate(spans) if is_sidecar(span)]),
        (_JOINED, [place for place, one in enumerate(shown) if one.reports > 1]),
        (_EVENTS, [place for place, span in enumerate(spans) if span.events]),
        (_LINKS, [place for place, span in enumerate(spans) if span.links]),
    ):
        for place in places:
            flags[place] |= flag
    return flags


def _sections(found: Reconstruction, places: Sequence[int], start_ns: int) -> Mapping[str, list[int]]:
    sections = found.path.sections
    return {
        "span": [places[at] for at, _, _ in sections],
        "start": [from_ns - start_ns for _, from_ns, _ in sections],
        "end": [until_ns - start_ns for _, _, until_ns in sections],
    }


class _Numbers(dict[str, int]):
    """Numbers of texts in the order in which they are first asked for."""

    @property
    def listed(self) -> list[str]:
        return [*self]

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number
