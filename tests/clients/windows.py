"""One trace through each of clew's windows, in the forms of `tests.clients.seen`, by span id."""

import base64
from collections.abc import Mapping
from typing import Any

import httpx

from tests.clients.seen import JaegerSpan, Typed, Values
from tests.process.clew_process import Clew


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
