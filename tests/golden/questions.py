"""The fixed spans, and every question asked of them. Searches name their times, so that no clock matters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.clients.grpc_calls import ask, stream
from tests.process.clew_process import Clew
from wire import jaeger_query_v2_pb2 as v2
from wire import jaeger_query_v3_pb2 as v3
from wire import jaeger_storage_v2_pb2 as storage_v2

HERE = Path(__file__).parent
ANSWERS = HERE / "answers"

TRACE = "463ac35c9f6413ad48485a3953bb6124"
SHORT_TRACE = "00000000000000aa"
UNKNOWN_TRACE = "ffffffffffffffffffffffffffffffff"
START_S, END_S = 1_795_247_990, 1_795_248_010
_ZIPKIN_WINDOW = f"endTs={END_S}000&lookback=20000"
_JAEGER_WINDOW = f"start={START_S}000000&end={END_S}000000"
_V3_WINDOW = "query.startTimeMin=2026-11-21T07:59:50Z&query.startTimeMax=2026-11-21T08:00:10Z"

HTTP = {
    "zipkin_services": ("zipkin", "/api/v2/services"),
    "zipkin_span_names": ("zipkin", "/api/v2/spans?serviceName=shop.default"),
    "zipkin_remote_services": ("zipkin", "/api/v2/remoteServices?serviceName=shop.default"),
    "zipkin_autocomplete_keys": ("zipkin", "/api/v2/autocompleteKeys"),
    "zipkin_autocomplete_values": ("zipkin", "/api/v2/autocompleteValues?key=http.status_code"),
    "zipkin_trace": ("zipkin", f"/api/v2/trace/{TRACE}"),
    "zipkin_trace_of_a_short_id": ("zipkin", f"/api/v2/trace/{SHORT_TRACE}"),
    "zipkin_trace_unknown": ("zipkin", f"/api/v2/trace/{UNKNOWN_TRACE}"),
    "zipkin_trace_with_a_wrong_id": ("zipkin", "/api/v2/trace/xyz"),
    "zipkin_trace_many": ("zipkin", f"/api/v2/traceMany?traceIds={SHORT_TRACE},{TRACE}"),
    "zipkin_traces": ("zipkin", f"/api/v2/traces?serviceName=orders&{_ZIPKIN_WINDOW}"),
    "zipkin_traces_none": ("zipkin", f"/api/v2/traces?serviceName=nobody&{_ZIPKIN_WINDOW}"),
    "zipkin_traces_without_end": ("zipkin", "/api/v2/traces?endTs=0&lookback=1"),
    "zipkin_dependencies": ("zipkin", f"/api/v2/dependencies?{_ZIPKIN_WINDOW}"),
    "jaeger_services": ("jaeger", "/api/services"),
    "jaeger_operations_of_a_service": ("jaeger", "/api/services/shop.default/operations"),
    "jaeger_operations_of_nobody": ("jaeger", "/api/services/nobody/operations"),
    "jaeger_operations": ("jaeger", "/api/operations?service=shop"),
    "jaeger_operations_without_a_service": ("jaeger", "/api/operations"),
    "jaeger_trace": ("jaeger", f"/api/traces/{TRACE}"),
    "jaeger_trace_raw": ("jaeger", f"/api/traces/{TRACE}?raw=true"),
    "jaeger_trace_of_a_short_id": ("jaeger", "/api/traces/aa"),
    "jaeger_trace_unknown": ("jaeger", f"/api/traces/{UNKNOWN_TRACE}"),
    "jaeger_trace_with_a_wrong_id": ("jaeger", "/api/traces/xyz"),
    "jaeger_search": ("jaeger", f"/api/traces?service=orders&{_JAEGER_WINDOW}"),
    "jaeger_search_none": ("jaeger", f"/api/traces?service=nobody&{_JAEGER_WINDOW}"),
    "jaeger_search_by_ids": ("jaeger", f"/api/traces?traceID={SHORT_TRACE}&traceID={UNKNOWN_TRACE}"),
    "jaeger_search_without_a_service": ("jaeger", f"/api/traces?{_JAEGER_WINDOW}"),
    "jaeger_dependencies": ("jaeger", f"/api/dependencies?endTs={END_S}000&lookback=20000"),
    "jaeger_call_rates": ("jaeger", f"/api/metrics/calls?service=shop&endTs={END_S}000&lookback=20000&step=10000"),
    "jaeger_latencies_without_a_quantile": ("jaeger", "/api/metrics/latencies?service=shop"),
    "jaeger_unknown_path": ("jaeger", "/api/nothing"),
    "v3_services": ("jaeger", "/api/v3/services"),
    "v3_operations": ("jaeger", "/api/v3/operations?service=shop"),
    "v3_trace": ("jaeger", f"/api/v3/traces/{TRACE}"),
    "v3_trace_unknown": ("jaeger", f"/api/v3/traces/{UNKNOWN_TRACE}"),
    "v3_search": ("jaeger", f"/api/v3/traces?query.serviceName=orders&{_V3_WINDOW}"),
    "v3_search_without_times": ("jaeger", "/api/v3/traces?query.serviceName=orders"),
    "v3_summaries": ("jaeger", f"/api/v3/trace-summaries?{_V3_WINDOW}"),
    "v3_summaries_none": ("jaeger", f"/api/v3/trace-summaries?query.serviceName=nobody&{_V3_WINDOW}"),
}
"""Answer's name -> the door and the path asked by GET."""


@dataclass(frozen=True, slots=True)
class Call:
    """A gRPC question, and the message it is answered with."""

    door: str
    method: str
    request: Message
    reply: type[Message]
    is_stream: bool = True


_STARTS, _ENDS = Timestamp(seconds=START_S), Timestamp(seconds=END_S)
_V2, _V3 = "jaeger.api_v2.QueryService", "jaeger.api_v3.QueryService"
GRPC = {
    "grpc_v2_trace": Call(
        "jaeger_grpc", f"{_V2}/GetTrace", v2.GetTraceRequest(trace_id=bytes.fromhex(TRACE)), v2.SpansResponseChunk
    ),
    "grpc_v2_operations": Call(
        "jaeger_grpc",
        f"{_V2}/GetOperations",
        v2.GetOperationsRequest(service="shop.default"),
        v2.GetOperationsResponse,
        is_stream=False,
    ),
    "grpc_v2_dependencies": Call(
        "jaeger_grpc",
        f"{_V2}/GetDependencies",
        v2.GetDependenciesRequest(start_time=_STARTS, end_time=_ENDS),
        v2.GetDependenciesResponse,
        is_stream=False,
    ),
    "grpc_v3_trace": Call("jaeger_grpc", f"{_V3}/GetTrace", v3.GetTraceRequest(trace_id=TRACE), TracesData),
    "grpc_v3_summaries": Call(
        "jaeger_grpc",
        f"{_V3}/FindTraceSummaries",
        v3.FindTraceSummariesRequest(
            query=v3.TraceQueryParameters(start_time_min=_STARTS, start_time_max=_ENDS, search_depth=10)
        ),
        v3.FindTraceSummariesResponse,
    ),
    "grpc_storage_trace": Call(
        "remote_storage",
        "jaeger.storage.v2.TraceReader/GetTraces",
        storage_v2.GetTracesRequest(query=[storage_v2.GetTraceParams(trace_id=bytes.fromhex(TRACE))]),
        TracesData,
    ),
    "grpc_storage_capabilities": Call(
        "remote_storage",
        "jaeger.storage.v2.Capabilities/GetCapabilities",
        storage_v2.GetCapabilitiesRequest(),
        storage_v2.GetCapabilitiesResponse,
        is_stream=False,
    ),
}
"""Answer's name -> the call."""

SETTINGS = {"AUTOCOMPLETE_KEYS": "http.status_code"}


def send_spans(clew: Clew) -> None:
    """Post the fixed spans, the root last, as meshes do."""
    json_type = {"content-type": "application/json"}
    for name, url in (
        ("application.otlp.json", f"{clew.url('otlp_http')}/v1/traces"),
        ("odd.zipkin.json", f"{clew.url('zipkin')}/api/v2/spans"),
        ("mesh.zipkin.json", f"{clew.url('zipkin')}/api/v2/spans"),
    ):
        body = (HERE / "spans" / name).read_bytes()
        httpx.post(url, content=body, headers=json_type).raise_for_status()


def answers(clew: Clew) -> Iterator[tuple[str, str]]:
    """Every answer's name and text."""
    for name in HTTP:
        yield name, http_answer(clew, name)
    for name in GRPC:
        yield name, grpc_answer(clew, name)


def http_answer(clew: Clew, name: str) -> str:
    """The answer to a question of HTTP: request, status, type and body, members of the body in their order."""
    door, path = HTTP[name]
    answer = httpx.get(clew.url(door) + path)
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    content_type = answer.headers.get("content-type")
    return _text({"GET": path, "door": door, "status": answer.status_code, "content-type": content_type, "body": body})


def grpc_answer(clew: Clew, name: str) -> str:
    """The answer to a question of gRPC: the messages in protobuf's JSON (ids are base64 in it)."""
    call = GRPC[name]
    caller = stream if call.is_stream else ask
    replies = caller(clew.doors[call.door], call.method, call.request, call.reply)
    messages = replies if isinstance(replies, list) else [replies]
    request = MessageToDict(call.request)
    return _text({"call": call.method, "request": request, "messages": [MessageToDict(one) for one in messages]})


def _text(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
