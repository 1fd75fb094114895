"""Answers of Jaeger's /api/v3 as JSON. Source: Jaeger's HTTP gateway, which writes proto3 JSON without defaults."""

from collections.abc import Iterable, Sequence

from query.reconstruct.trace import Trace
from query.render.jaeger_translation import span_kind_text
from query.render.otlp_groups import unsigned
from query.render.otlp_json import JsonObject, traces_data_json
from storage.requests import DependencyLink, Operation
from storage.span import SpanKind
from storage.trace_summary import ServiceSummary, TraceSummary


def services_json(names: Sequence[str]) -> JsonObject:
    """{services: [...]}."""
    return {"services": list(names)}


def operations_json(operations: Sequence[Operation]) -> JsonObject:
    """{operations: [{name, spanKind}]}; an unspecified kind is "internal", as the gateway has it for the UI's sake."""
    return {
        "operations": [
            {"name": one.name, "spanKind": span_kind_text(SpanKind(one.kind)) or "internal"} for one in operations
        ]
    }


def traces_json(traces: Iterable[Trace]) -> JsonObject:
    """{result: {resourceSpans}}: all the traces in one object."""
    return {"result": traces_data_json(traces)}


def summaries_json(summaries: Iterable[TraceSummary]) -> JsonObject:
    """{summaries: [...]}: trace ids of 32 digits, times in epoch ns as strings; what is 0 or "" is left out."""
    return {"summaries": [_summary(summary) for summary in summaries]}


def dependencies_json(links: Sequence[DependencyLink]) -> JsonObject:
    """{dependencies: [{parent, child, callCount}]}, the count as a string, for it is a 64-bit integer."""
    found = [{"parent": link.parent, "child": link.child, "callCount": str(link.call_count)} for link in links]
    return {"dependencies": found}


def failure_json(status: int, message: str) -> JsonObject:
    """What every answer with an error status holds."""
    return {"error": {"httpCode": status, "message": message}}


def _summary(summary: TraceSummary) -> JsonObject:
    return {
        "traceId": summary.trace_id.hex(),
        **_present(
            rootServiceName=summary.root_service,
            rootOperationName=summary.root_operation,
            minStartTimeUnixNano=_unix_nano(summary.start_ns),
            maxEndTimeUnixNano=_unix_nano(summary.end_ns),
            spanCount=summary.spans,
            errorSpanCount=summary.errors,
            orphanSpanCount=summary.orphans,
        ),
        "services": [_service(service) for service in summary.services],
    }


def _service(service: ServiceSummary) -> JsonObject:
    return {"name": service.name, **_present(spanCount=service.spans, errorSpanCount=service.errors)}


def _present(**members: object) -> JsonObject:
    return {name: value for name, value in members.items() if value}


def _unix_nano(time_ns: int | None) -> str:
    return str(unsigned(time_ns)) if time_ns else ""
