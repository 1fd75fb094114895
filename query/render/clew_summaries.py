"""Summaries of traces as clew's own JSON. The shape is told by `query.api.clew_docs`."""

from collections.abc import Iterable

from query.render.otlp_json import JsonObject
from storage.trace_summary import TraceSummary


def summaries_json(summaries: Iterable[TraceSummary]) -> JsonObject:
    """{summaries: [...]} in their order; both times are absent when no span has a start."""
    return {"summaries": [_summary(one) for one in summaries]}


def _summary(one: TraceSummary) -> JsonObject:
    times: JsonObject = {}
    if one.start_ns is not None and one.end_ns is not None:
        times = {"startTimeUnixNano": str(one.start_ns), "durationNano": str(one.end_ns - one.start_ns)}
    return {
        "traceId": one.trace_id.hex(),
        "rootService": one.root_service,
        "rootOperation": one.root_operation,
        **times,
        "spanCount": one.spans,
        "errorCount": one.errors,
        "orphanCount": one.orphans,
        "services": [
            {"name": service.name, "spanCount": service.spans, "errorCount": service.errors} for service in one.services
        ],
    }
