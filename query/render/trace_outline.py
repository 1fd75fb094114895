"""One reconstructed trace as columns of numbers: all that its picture needs, and nothing of what spans carry.

A browser draws 50,000 spans from this in the time in which it would only parse their document, which has fifteen times
the bytes. The shape is told by `query.api.clew_docs`.
"""

from collections.abc import Mapping, Sequence
from enum import IntFlag

from query.reconstruct.reconstruction import Reconstruction
from query.reconstruct.sidecars import is_sidecar
from query.render.clew_trace import places_in_document, summary_json
from query.render.otlp_json import JsonObject
from storage.span import StatusCode


class SpanFlag(IntFlag):
    """What is so of a span, one bit each."""

    ERROR = 1
    SIDECAR = 2
    JOINED = 4
    """It was made of several reports."""
    EVENTS = 8
    LINKS = 16


def trace_outline(found: Reconstruction) -> JsonObject:
    """The outline; times are ns from the start of the trace, null where a span has none."""
    start_ns = found.summary.listed.start_ns or 0
    places = places_in_document(found)
    services, names = _Numbers(), _Numbers()
    times_ns = found.path.times_ns()
    warnings: list[JsonObject] = []
    # One tuple a span: whatever is done once a span is done 50,000 times.
    rows: list[tuple[object, ...]] = []
    for place, at in enumerate(found.tree.order):
        shown, parent = found.trace.spans[at], found.tree.parents[at]
        span = shown.span
        if shown.warnings:
            warnings.append({"span": place, "texts": shown.warnings})
        rows.append(
            (
                span.span_id.hex(),
                -1 if parent is None else places[parent],
                services[span.service or ""],
                names[span.name or ""],
                int(span.kind),
                None if span.start_ns is None else span.start_ns - start_ns,
                span.duration_ns,
                found.self_times_ns[at],
                times_ns.get(at, 0) if at in found.path.spans else None,
                int(span.protocol),
                (SpanFlag.ERROR.value if span.status_code is StatusCode.ERROR else 0)
                | (SpanFlag.SIDECAR.value if is_sidecar(span) else 0)
                | (SpanFlag.JOINED.value if shown.reports > 1 else 0)
                | (SpanFlag.EVENTS.value if span.events else 0)
                | (SpanFlag.LINKS.value if span.links else 0),
            )
        )
    return {
        "traceId": found.trace.trace_id.hex(),
        "summary": summary_json(found),
        "services": services.listed,
        "names": names.listed,
        "spans": dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)),
        "roots": [{"span": places[at], "reason": why.name.lower()} for at, why in found.tree.roots.items()],
        "warnings": warnings,
        "criticalPath": _sections(found, places, start_ns),
    }


_COLUMNS = (
    "spanId",
    "parent",
    "service",
    "name",
    "kind",
    "start",
    "duration",
    "selfTime",
    "criticalPathTime",
    "protocol",
    "flags",
)


def _sections(found: Reconstruction, places: Sequence[int], start_ns: int) -> Mapping[str, list[int]]:
    sections = found.path.sections
    return {
        "span": [places[section.position] for section in sections],
        "start": [section.start_ns - start_ns for section in sections],
        "end": [section.end_ns - start_ns for section in sections],
    }


class _Numbers(dict[str, int]):
    """Numbers of texts in the order in which they are first asked for."""

    @property
    def listed(self) -> list[str]:
        return [*self]

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number
