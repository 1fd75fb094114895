"""One trace through each of clew's windows, in the forms of `tests.clients.seen`, by span id."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.clients.grpc_calls import stream
from tests.clients.otlp_messages import json_traces_spans, traces_spans
from tests.clients.seen import JaegerSpan, SeenSpan, Typed, Values
from tests.process.clew_process import Clew
from wire import jaeger_model_pb2 as model
from wire import jaeger_query_v2_pb2 as v2
from wire import jaeger_query_v3_pb2 as v3
from wire import jaeger_storage_v2_pb2 as storage_v2


def zipkin_json(clew: Clew, trace_id: str) -> dict[str, Any]:
    """9411 GET /api/v2/trace: the spans as they are shown, annotations by time."""
    answer = httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{trace_id}")
    assert answer.status_code == 200, answer.text
    spans = answer.json()
    return {span["id"]: span for span in spans}


def jaeger_json(clew: Clew, trace_id: str) -> dict[str, JaegerSpan]:
    """16686 GET /api/traces/{id}."""
    answer = httpx.get(f"{clew.url('jaeger')}/api/traces/{trace_id}")
    assert answer.status_code == 200, answer.text
    (trace,) = answer.json()["data"]
    return {span["spanID"]: _jaeger_json_span(span, trace) for span in trace["spans"]}


def api_v2(clew: Clew, trace_id: str) -> dict[str, JaegerSpan]:
    """16685 jaeger.api_v2.QueryService/GetTrace."""
    request = v2.GetTraceRequest(trace_id=bytes.fromhex(trace_id.rjust(32, "0")))
    chunks = stream(clew.doors["jaeger_grpc"], "jaeger.api_v2.QueryService/GetTrace", request, v2.SpansResponseChunk)
    return {span.span_id.hex(): jaeger_message_span(span) for chunk in chunks for span in chunk.spans}


def api_v3(clew: Clew, trace_id: str) -> dict[str, SeenSpan]:
    """16685 jaeger.api_v3.QueryService/GetTrace."""
    request = v3.GetTraceRequest(trace_id=trace_id)
    chunks = stream(clew.doors["jaeger_grpc"], "jaeger.api_v3.QueryService/GetTrace", request, TracesData)
    return {span.span_id: span for chunk in chunks for span in traces_spans(chunk)}


def otlp_json(clew: Clew, trace_id: str) -> dict[str, SeenSpan]:
    """16686 GET /api/v3/traces/{id}."""
    answer = httpx.get(f"{clew.url('jaeger')}/api/v3/traces/{trace_id}")
    assert answer.status_code == 200, answer.text
    return {span.span_id: span for span in json_traces_spans(answer.json()["result"])}


def remote_storage(clew: Clew, trace_id: str) -> dict[str, SeenSpan]:
    """17271 jaeger.storage.v2.TraceReader/GetTraces."""
    params = storage_v2.GetTraceParams(trace_id=bytes.fromhex(trace_id.rjust(32, "0")))
    request = storage_v2.GetTracesRequest(query=[params])
    chunks = stream(clew.doors["remote_storage"], "jaeger.storage.v2.TraceReader/GetTraces", request, TracesData)
    return {span.span_id: span for chunk in chunks for span in traces_spans(chunk)}


def jaeger_message_span(span: model.Span) -> JaegerSpan:
    """A span of Jaeger's protobuf model; every one carries its own process."""
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    assert not span.warnings
    kinds = model.SpanRefType.Name
    return JaegerSpan(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.operation_name,
        tuple((kinds(one.ref_type), one.trace_id.hex(), one.span_id.hex()) for one in span.references),
        span.start_time.ToNanoseconds(),
        span.duration.ToNanoseconds(),
        jaeger_message_values(span.tags),
        tuple((log.timestamp.ToNanoseconds(), jaeger_message_values(log.fields)) for log in span.logs),
        span.process.service_name,
        jaeger_message_values(span.process.tags),
    )


def jaeger_message_values(pairs: Iterable[model.KeyValue]) -> Values:
    """Tags of Jaeger's protobuf model, by key."""
    values: dict[str, Typed] = {}
    for pair in pairs:
        name, attribute = _MESSAGE_VALUES[pair.v_type]
        if pair.key not in values or name != "bool":
            values[pair.key] = name, getattr(pair, attribute)
    return values


_MESSAGE_VALUES = {
    model.STRING: ("str", "v_str"),
    model.BOOL: ("bool", "v_bool"),
    model.INT64: ("int", "v_int64"),
    model.FLOAT64: ("float", "v_float64"),
    model.BINARY: ("bytes", "v_binary"),
}


def _jaeger_json_span(span: Mapping[str, Any], trace: Mapping[str, Any]) -> JaegerSpan:
    process = trace["processes"][span["processID"]]
    assert span["warnings"] is None, span["warnings"]
    return JaegerSpan(
        span["traceID"].rjust(32, "0"),
        span["spanID"],
        span["operationName"],
        tuple((one["refType"], one["traceID"].rjust(32, "0"), one["spanID"]) for one in span["references"]),
        span["startTime"] * 1000,
        span["duration"] * 1000,
        _jaeger_json_values(span["tags"]),
        tuple((log["timestamp"] * 1000, _jaeger_json_values(log["fields"])) for log in span["logs"]),
        process["serviceName"],
        _jaeger_json_values(process["tags"]),
    )


def _jaeger_json_values(pairs: list[dict[str, Any]]) -> Values:
    values: dict[str, Typed] = {}
    for pair in pairs:
        assert set(pair) == {"key", "type", "value"}
        # A Zipkin error tag and Jaeger's own boolean share a key; the text is what was sent.
        if pair["key"] not in values or pair["type"] != "bool":
            values[pair["key"]] = _jaeger_json_value(pair["type"], pair["value"])
    return values


def _jaeger_json_value(kind: str, value: Any) -> Typed:
    match kind:
        case "string":
            assert isinstance(value, str)
            return "str", value
        case "bool":
            assert isinstance(value, bool)
            return "bool", value
        case "int64":
            # Beyond what JavaScript holds it is text.
            assert isinstance(value, str) == (abs(int(value)) > 2**53 - 1)
            return "int", int(value)
        case "float64":
            return "float", float(value)
        case "binary":
            return "bytes", base64.b64decode(value, validate=True)
        case _:
            raise AssertionError(f"unknown type {kind}")
