"""A trace as Tempo answers it by id. Source: Tempo's API, and what Kiali and Grafana decode of it.

Tempo's JSON is protobuf's own of the OTLP messages: ids are base64 and enumerations names, which OTLP's JSON forbids.
In its first version `resourceSpans` is called `batches`.
"""

import base64
from collections.abc import Iterator
from typing import Any

from query.reconstruct.trace import Trace
from query.render.otlp_json import JsonObject, traces_data_json
from query.render.otlp_proto import traces_data
from storage.span import SpanKind, StatusCode
from wire.tempo_pb2 import TraceByIDResponse

_ID_KEYS = ("traceId", "spanId", "parentSpanId")


def batches_json(trace: Trace) -> JsonObject:
    """{batches: [{resource, scopeSpans}]}.

    Each batch has one entry of `scopeSpans`: Kiali reads no more than the first.
    """
    return {"batches": list(_batches(trace))}


def trace_by_id_json(trace: Trace) -> JsonObject:
    """{trace: {resourceSpans: [{resource, scopeSpans}]}, metrics}, the second version."""
    return {"trace": {"resourceSpans": list(_batches(trace))}, "metrics": {}}


def trace_bytes(trace: Trace) -> bytes:
    """The protobuf of the first version: Tempo's Trace, which is TracesData by another name."""
    return traces_data([trace]).SerializeToString()


def trace_by_id_bytes(trace: Trace) -> bytes:
    """The protobuf of the second version. Grafana reads `trace` without a look whether it is there."""
    return TraceByIDResponse(trace=traces_data([trace])).SerializeToString()


def _batches(trace: Trace) -> Iterator[JsonObject]:
    # The dictionaries are fresh and ours, so they are changed in place.
    document: Any = traces_data_json([trace])
    for group in document["resourceSpans"]:
        for scope_spans in group["scopeSpans"]:
            for span in scope_spans["spans"]:
                _as_protobuf_has_it(span)
            yield group | {"scopeSpans": [scope_spans]}


def _as_protobuf_has_it(span: dict[str, Any]) -> None:
    for part in (span, *span.get("links", ())):
        for key in _ID_KEYS:
            if key in part:
                part[key] = base64.b64encode(bytes.fromhex(part[key])).decode()
    if "kind" in span:
        span["kind"] = f"SPAN_KIND_{SpanKind(span['kind']).name}"
    if "code" in span["status"]:
        span["status"]["code"] = f"STATUS_CODE_{StatusCode(span['status']['code']).name}"
