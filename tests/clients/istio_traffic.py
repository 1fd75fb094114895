"""What a mesh has stored after a few requests: captured bodies of two Envoys and an application's OTLP, moved to now.

The requests went gateway -> productpage -> reviews. In order: one answered 200, one 404, one 503, two that call
reviews, one whose call meets a dead host, and one whose caller sent a 64-bit context of its own.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.process.clew_process import Clew

DATA = Path(__file__).parents[1] / "data"
GATEWAY = "istio-ingressgateway.istio-system"
PRODUCTPAGE = "productpage.default"
REVIEWS_APPLICATION = "reviews"
APPLICATION_SPAN = "00000000000000a1"


@dataclass(frozen=True, slots=True)
class Traffic:
    """The spans as the Envoys posted them, times moved: by trace id, and by what happened to the request.

    start_us, end_us: when the first began and the last ended. The rest are trace ids; shared: one whose sidecar
    shares span ids with the gateway.
    """

    posted: dict[str, list[dict[str, Any]]]
    start_us: int
    end_us: int
    ok: str
    not_found: str
    failed: str
    chained: str
    dead: str
    foreign: str
    shared: str

    def spans(self, trace_id: str) -> dict[str, dict[str, Any]]:
        """The spans of a trace by id."""
        return {span["id"]: span for span in self.posted[trace_id]}


def send_traffic(clew: Clew, now_ns: int) -> Traffic:
    """Post everything to clew's doors as the clients did, the last of it a minute before now_ns."""
    bodies = [json.loads((DATA / f"envoy-zipkin-json-000{number}.json").read_text()) for number in range(1, 5)]
    (shared,) = {span["traceId"] for span in _shared_spans() if span["tags"].get("guid:x-client-trace-id") == "cli-1"}
    bodies.append([span for span in _shared_spans() if span["traceId"] == shared])
    spans = [span for body in bodies for span in body]
    later_us = now_ns // 1000 - 60_000_000 - max(span["timestamp"] for span in spans)
    for span in spans:
        span["timestamp"] += later_us
        for annotation in span.get("annotations", []):
            annotation["timestamp"] += later_us
    for body in bodies:
        httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=body).raise_for_status()
    posted: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda span: int(span["timestamp"])):
        posted.setdefault(span["traceId"], []).append(span)
    ok, not_found, failed, chained, _, dead, foreign = [trace_id for trace_id in posted if trace_id != shared]
    traffic = Traffic(
        posted,
        min(span["timestamp"] for span in spans),
        max(span["timestamp"] + span["duration"] for span in spans),
        *(ok, not_found, failed, chained, dead, foreign, shared),
    )
    _send_application(clew, traffic)
    return traffic


def _shared_spans() -> list[dict[str, Any]]:
    paths = [DATA / f"envoy-zipkin-json-shared-000{number}.json" for number in range(1, 5)]
    return [span for path in paths for span in json.loads(path.read_text())]


def _send_application(clew: Clew, traffic: Traffic) -> None:
    """The application that reviews' sidecar stands before: its OTLP error status is no `error` attribute."""
    (caller,) = (span for span in traffic.posted[traffic.chained] if span["name"].startswith("reviews"))
    span = Span(
        trace_id=bytes.fromhex(traffic.chained),
        span_id=bytes.fromhex(APPLICATION_SPAN),
        parent_span_id=bytes.fromhex(caller["id"]),
        name="GET /reviews/{id}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=caller["timestamp"] * 1000 + 100_000,
        end_time_unix_nano=caller["timestamp"] * 1000 + 900_000,
        attributes=[
            KeyValue(key="http.response.status_code", value=AnyValue(int_value=500)),
            KeyValue(key="cache.hit", value=AnyValue(bool_value=True)),
        ],
        events=[Span.Event(name="exception", time_unix_nano=caller["timestamp"] * 1000 + 500_000)],
        status=Status(code=Status.STATUS_CODE_ERROR, message="no such review"),
    )
    resource = {"service.name": REVIEWS_APPLICATION, "cluster": "c1", "namespace": "default", "pod": "reviews-v1-1"}
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(
                    attributes=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in resource.items()]
                ),
                scope_spans=[ScopeSpans(spans=[span])],
            )
        ]
    )
    headers = {"content-type": "application/x-protobuf"}
    url = f"{clew.url('otlp_http')}/v1/traces"
    httpx.post(url, content=request.SerializeToString(), headers=headers).raise_for_status()
