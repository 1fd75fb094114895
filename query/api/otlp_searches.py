"""What a search asks for in the windows that speak OTLP: limits and the meaning of absent bounds, decided once."""

from collections.abc import Iterable, Mapping

from query.api.grpc_times import duration_ns
from query.api.jaeger_search import DEFAULT_LIMIT, LARGEST_LIMIT
from query.errors import BadRequest
from storage.requests import Operation, TagFilter, TraceQuery
from storage.span import SpanKind
from wire import jaeger_query_v3_pb2 as v3
from wire import jaeger_storage_v2_pb2 as storage_v2

NO_FILTER = "structured filters are not supported; search by service, operation, attributes, times and durations"


def depth(asked: int) -> int:
    """How many traces a search may find: 0 and less are the default of 100, as in Jaeger; never more than 1500."""
    return min(asked, LARGEST_LIMIT) if asked > 0 else DEFAULT_LIMIT


def trace_query(
    given: v3.TraceQueryParameters | storage_v2.TraceQueryParameters,
    start_min_ns: int,
    start_max_ns: int,
    texts: Mapping[str, str],
) -> TraceQuery:
    """The search that a gRPC message asks for. texts: the attributes in their text form. BadRequest on a filter."""
    if given.HasField("filter"):
        raise BadRequest(NO_FILTER)
    return TraceQuery(
        start_min_ns=start_min_ns,
        start_max_ns=start_max_ns,
        limit=depth(given.search_depth),
        service=given.service_name or None,
        operation=given.operation_name or None,
        tags=tag_filters(texts),
        duration_min_ns=duration_ns(given, "duration_min"),
        duration_max_ns=duration_ns(given, "duration_max"),
    )


def tag_filters(texts: Mapping[str, str]) -> tuple[TagFilter, ...]:
    """One filter an attribute: its text form must be equal."""
    return tuple(TagFilter(key, text) for key, text in texts.items())


def of_kind(operations: Iterable[Operation], kind: str) -> list[Operation]:
    """Those of the kind with this lower-case name; all when it is empty."""
    wanted = kind.upper()
    return [one for one in operations if not kind or SpanKind(one.kind).name == wanted]
