"""Answers that jaeger.api_v3 and jaeger.storage.v2 have in common, as messages of the one or the other.

The two protocols describe them in equal words, under names of their own. Traces are in `otlp_proto`.
"""

from collections.abc import Iterable
from typing import TypeVar

from query.render.jaeger_translation import span_kind_text
from query.render.otlp_groups import unsigned
from storage.requests import DependencyLink, Operation
from storage.span import SpanKind
from storage.trace_summary import TraceSummary
from wire import jaeger_query_v3_pb2 as v3
from wire import jaeger_storage_v2_pb2 as storage_v2

_Operations = TypeVar("_Operations", v3.GetOperationsResponse, storage_v2.GetOperationsResponse)
_Dependencies = TypeVar("_Dependencies", v3.DependenciesResponse, storage_v2.GetDependenciesResponse)
_Summary = TypeVar("_Summary", v3.TraceSummary, storage_v2.TraceSummary)


def with_operations(answer: _Operations, operations: Iterable[Operation]) -> _Operations:
    """The answer with these operations added; a kind in lower case, "" when unspecified."""
    for one in operations:
        answer.operations.add(name=one.name, span_kind=span_kind_text(SpanKind(one.kind)))
    return answer


def with_dependencies(answer: _Dependencies, links: Iterable[DependencyLink]) -> _Dependencies:
    """The answer with these links added."""
    for link in links:
        answer.dependencies.add(parent=link.parent, child=link.child, call_count=link.call_count)
    return answer


def summaries_v3(summaries: Iterable[TraceSummary]) -> v3.FindTraceSummariesResponse:
    """Trace ids are 32 hex digits."""
    return v3.FindTraceSummariesResponse(
        summaries=[_filled(v3.TraceSummary(trace_id=one.trace_id.hex()), one) for one in summaries]
    )


def summaries_storage_v2(summaries: Iterable[TraceSummary]) -> storage_v2.FindTraceSummariesResponse:
    """Trace ids are 16 bytes."""
    return storage_v2.FindTraceSummariesResponse(
        summaries=[_filled(storage_v2.TraceSummary(trace_id=one.trace_id), one) for one in summaries]
    )


def _filled(message: _Summary, summary: TraceSummary) -> _Summary:
    message.root_service_name = summary.root_service
    message.root_operation_name = summary.root_operation
    message.min_start_time_unix_nano = unsigned(summary.start_ns or 0)
    message.max_end_time_unix_nano = unsigned(summary.end_ns or 0)
    message.span_count = summary.spans
    message.error_span_count = summary.errors
    message.orphan_span_count = summary.orphans
    for one in summary.services:
        message.services.add(name=one.name, span_count=one.spans, error_span_count=one.errors)
    return message
