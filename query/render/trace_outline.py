"""One reconstructed trace as columns of numbers: all that its picture needs, and nothing of what spans carry.

A browser draws 50,000 spans from this in the time in which it would only parse their document, which has fifteen times
the bytes. The shape is told by `query.api.clew_docs`.
"""

from collections.abc import Mapping, Sequence
from enum import IntFlag

from query.reconstruct.reconstruction import Reconstruction
from query.reconstruct.sidecars import is_sidecar
from query.reconstruct.trace import TraceSpan
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


# As plain numbers, for Python 3.11 takes 0.4 us to find a flag and its value.
_ERROR, _SIDECAR, _JOINED, _EVENTS, _LINKS = (flag.value for flag in SpanFlag)
_ERROR_STATUS = StatusCode.ERROR


def trace_outline(found: Reconstruction) -> JsonObject:
    """The outline; times are ns from the start of the trace, null where a span has none.

    Span ids are one text, 16 digits a span: a list of 50,000 texts takes longer to parse than all other columns.
    """
    start_ns = found.summary.listed.start_ns or 0
    places = places_in_document(found)
    services, names = _Numbers(), _Numbers()
    listed = [found.trace.spans[at] for at in found.tree.order]
    spans = [shown.span for shown in listed]
    # A column after another: whatever is done once a span is done 50,000 times.
    columns = {
        "spanId": b"".join([span.span_id for span in spans]).hex(),
        "parent": _parents(found, places),
        "service": [services[span.service or ""] for span in spans],
        "name": [names[span.name or ""] for span in spans],
        "kind": [span.kind for span in spans],
        "start": [None if span.start_ns is None else span.start_ns - start_ns for span in spans],
        "duration": [span.duration_ns for span in spans],
        "selfTime": [found.self_times_ns[at] for at in found.tree.order],
        "criticalPathTime": _critical_path_times(found),
        "protocol": [span.protocol for span in spans],
        "flags": [_flags(shown) for shown in listed],
    }
    return {
        "traceId": found.trace.trace_id.hex(),
        "summary": summary_json(found),
        "services": services.listed,
        "names": names.listed,
        "spans": columns,
        "roots": [{"span": places[at], "reason": why.name.lower()} for at, why in found.tree.roots.items()],
        "warnings": [{"span": place, "texts": shown.warnings} for place, shown in enumerate(listed) if shown.warnings],
        "criticalPath": _sections(found, places, start_ns),
    }


def _parents(found: Reconstruction, places: Sequence[int]) -> list[int]:
    parents = found.tree.parents
    return [-1 if (parent := parents[at]) is None else places[parent] for at in found.tree.order]


def _critical_path_times(found: Reconstruction) -> list[int | None]:
    times_ns, passed = found.path.times_ns(), found.path.spans
    return [times_ns.get(at, 0) if at in passed else None for at in found.tree.order]


def _flags(shown: TraceSpan) -> int:
    span = shown.span
    flags = 0
    if span.status_code is _ERROR_STATUS:
        flags |= _ERROR
    if is_sidecar(span):
        flags |= _SIDECAR
    if shown.reports > 1:
        flags |= _JOINED
    if span.events:
        flags |= _EVENTS
    if span.links:
        flags |= _LINKS
    return flags


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
