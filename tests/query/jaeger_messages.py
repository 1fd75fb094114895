"""Jaeger's protobuf messages as Jaeger's own conversion writes them in JSON, to compare one window with another."""

from typing import Any

from query.render.jaeger_values import key_value
from storage.attributes import AttributeValue
from storage.ids import TraceId, short_hex
from wire import jaeger_model_pb2 as model


def tag_as_json(tag: model.KeyValue) -> dict[str, object]:
    """The tag as Jaeger's own JSON conversion writes it."""
    values: dict[int, AttributeValue] = {
        model.STRING: tag.v_str,
        model.BOOL: tag.v_bool,
        model.INT64: tag.v_int64,
        model.FLOAT64: tag.v_float64,
        model.BINARY: tag.v_binary,
    }
    return key_value(tag.key, values[tag.v_type])


def span_as_json(span: model.Span) -> dict[str, object]:
    """The span as Jaeger's own JSON conversion writes it, its process embedded."""
    return {
        "traceID": short_hex(TraceId(span.trace_id)),
        "spanID": span.span_id.hex(),
        "operationName": span.operation_name,
        "references": [
            {
                "refType": model.SpanRefType.Name(one.ref_type),
                "traceID": short_hex(TraceId(one.trace_id)),
                "spanID": one.span_id.hex(),
            }
            for one in span.references
        ],
        "startTime": span.start_time.ToMicroseconds(),
        "duration": span.duration.ToMicroseconds(),
        "tags": [tag_as_json(tag) for tag in span.tags],
        "logs": [
            {"timestamp": log.timestamp.ToMicroseconds(), "fields": [tag_as_json(field) for field in log.fields]}
            for log in span.logs
        ],
        "warnings": list(span.warnings) or None,
        "process": {"serviceName": span.process.service_name, "tags": [tag_as_json(tag) for tag in span.process.tags]},
    }


def spans_with_processes(trace: Any) -> list[dict[str, object]]:
    """The spans of Jaeger's JSON, each with its process in place of the process's id."""
    return [
        {key: value for key, value in span.items() if key != "processID"}
        | {"process": trace["processes"][span["processID"]]}
        for span in trace["spans"]
    ]
