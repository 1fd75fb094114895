"""Protobuf and JSON requests of one plain span, to be bent by a test."""

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE_ID = bytes(range(1, 17))
SPAN_ID = bytes(range(1, 9))
START_NS = 1_795_229_678_746_000_000


def request(spans: int = 1) -> Any:
    """An export request of plain spans with one resource and one scope, all named by their index."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "lib"
    for index in range(spans):
        scope_spans.spans.add(
            trace_id=TRACE_ID,
            span_id=SPAN_ID,
            name=str(index),
            start_time_unix_nano=START_NS,
            end_time_unix_nano=START_NS + 1000,
        )
    return message


def span_of(message: Any, index: int = 0) -> Any:
    """One span of such a request."""
    return message.resource_spans[0].scope_spans[0].spans[index]


def json_request(*spans: dict[str, Any], **around: Any) -> bytes:
    """A JSON export request of these spans: each a plain span with these members instead."""
    plain = {
        "traceId": TRACE_ID.hex(),
        "spanId": SPAN_ID.hex(),
        "name": "GET",
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 1000),
    }
    group = {"scopeSpans": [{"spans": [plain | span for span in spans]}]} | around
    return json.dumps({"resourceSpans": [group]}).encode()
