"""Senders that remember what was acknowledged, so that it can be asked back."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

SPANS_PER_POST = 5
SPANS_PER_EXPORT = 64


def zipkin_spans(trace_id: str, count: int = SPANS_PER_POST) -> list[dict[str, Any]]:
    """The spans of one trace as Zipkin JSON objects, started now."""
    now_us = time.time_ns() // 1000
    return [
        {
            "traceId": trace_id,
            "id": f"{number + 1:016x}",
            "name": f"step {number}",
            "kind": "SERVER",
            "timestamp": now_us + number,
            "duration": 1000,
            "localEndpoint": {"serviceName": "sender"},
            "tags": {"http.path": f"/{trace_id}/{number}"},
        }
        for number in range(count)
    ]


def otlp_request(trace_id: str, count: int = SPANS_PER_EXPORT) -> ExportTraceServiceRequest:
    """The spans of one trace as an OTLP request, started now."""
    now_ns = time.time_ns()
    spans = [
        Span(
            trace_id=bytes.fromhex(trace_id),
            span_id=(number + 1).to_bytes(8, "big"),
            name=f"step {number}",
            start_time_unix_nano=now_ns + number,
            end_time_unix_nano=now_ns + number + 1000,
        )
        for number in range(count)
    ]
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])


@contextlib.contextmanager
def exporting(otlp_grpc: str) -> Iterator[Callable[[str], int]]:
    """A function that exports one trace over gRPC and gives the number of spans acknowledged."""
    with grpc.insecure_channel(otlp_grpc) as channel:
        stub = TraceServiceStub(channel)  # type: ignore[no-untyped-call]  # generated without annotations

        def export(trace_id: str) -> int:
            answer = stub.Export(otlp_request(trace_id), timeout=10)
            return SPANS_PER_EXPORT - int(answer.partial_success.rejected_spans)

        yield export


class Senders:
    """Threads that send traces without pause until `stop`. `acknowledged`: trace id -> spans."""

    def __init__(self, zipkin: str, otlp_grpc: str, threads: int = 2) -> None:
        self.acknowledged: dict[str, int] = {}
        self._stopped = threading.Event()
        jobs: Sequence[tuple[Callable[[str], None], str]] = [
            (self._post_for_ever, zipkin),
            (self._export_for_ever, otlp_grpc),
        ] * threads
        self._threads = [threading.Thread(target=job, args=(address,)) for job, address in jobs]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _post_for_ever(self, address: str) -> None:
        with httpx.Client(base_url=f"http://{address}", timeout=10) as client:
            for _ in self._rounds():
                trace_id = secrets.token_hex(16)
                try:
                    answer = client.post("/api/v2/spans", json=zipkin_spans(trace_id))
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    self.acknowledged[trace_id] = SPANS_PER_POST

    def _export_for_ever(self, address: str) -> None:
        with exporting(address) as export:
            for _ in self._rounds():
                trace_id = secrets.token_hex(16)
                try:
                    self.acknowledged[trace_id] = export(trace_id)
                except grpc.RpcError as error:
                    if error.code() is grpc.StatusCode.UNAVAILABLE:
                        return

    def _rounds(self) -> Iterator[None]:
        while not self._stopped.is_set():
            yield


def spans_held(zipkin_url: str, trace_ids: Sequence[str]) -> dict[str, int]:
    """Trace id -> number of spans read back, of those traces that are there."""
    held: dict[str, int] = {}
    with httpx.Client(base_url=zipkin_url, timeout=60) as client:
        for start in range(0, len(trace_ids), 100):
            chunk = [*trace_ids[start : start + 100], "1", "2"]  # two more: one id alone is refused by traceMany
            for trace in client.get("/api/v2/traceMany", params={"traceIds": ",".join(chunk)}).json():
                held[trace[0]["traceId"]] = len(trace)
    return held
