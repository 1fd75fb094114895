import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from clew.grpc_ports import GrpcServer
from collector.app import Collector
from collector.settings import CollectorSettings
from storage.contract import SpanStore
from storage.ids import trace_id_of
from storage.memory import MemoryStore
from storage.requests import RetentionPolicy
from tests.collector.asgi import Answer, post
from tests.collector.rig import until
from tests.collector.store_double import StoreDouble

KEEP = RetentionPolicy(max_age_ns=None, max_bytes=None)
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ZIPKIN_SPANS = json.dumps([{"traceId": "0" * 31 + "1", "id": "2", "localEndpoint": {"serviceName": "by-zipkin"}}])
OTLP_SPANS = json.dumps(
    {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "by-otlp"}}]},
                "scopeSpans": [{"spans": [{"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "3"}]}],
            }
        ]
    }
)


def otlp_request(service: str) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    attribute = group.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    group.scope_spans.add().spans.add(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\3")
    encoded: bytes = request.SerializeToString()
    return encoded


@asynccontextmanager
async def running(store: object, **settings: object) -> AsyncIterator[Collector]:
    collector = Collector(CollectorSettings.model_validate(settings), KEEP, cast("SpanStore", store), "1.2.3")
    collector.start()
    yield collector
    await collector.stop()


async def post_zipkin(collector: Collector) -> Answer:
    return await post(collector.zipkin_spans, "/api/v2/spans", ZIPKIN_SPANS.encode(), content_type="application/json")


async def test_spans_of_both_http_doors_become_one_trace_in_the_store() -> None:
    store = MemoryStore(1000, ())
    async with running(store) as collector:
        assert (await post_zipkin(collector)).status == 202
        otlp = await post(collector.otlp_http, "/v1/traces", OTLP_SPANS.encode(), content_type="application/json")
        assert (otlp.status, otlp.body) == (200, b"{}")
        (trace,) = store.get_traces([trace_id_of("1")])
    assert {span.service for span in trace} == {"by-zipkin", "by-otlp"}


async def test_spans_of_the_grpc_door_are_in_the_store() -> None:
    store = MemoryStore(1000, ())
    request = otlp_request("by-grpc")
    async with running(store) as collector:
        server = GrpcServer(collector.otlp_grpc.handlers(), 2**20, inflate=False)
        port = await server.start("127.0.0.1:0")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT)
            assert await export(request) == b""
        await server.stop(grace_s=30)
        assert store.services() == ["by-grpc"]


async def test_settings_reach_the_doors() -> None:
    async with running(StoreDouble(), http_enabled=False, max_body_bytes=1024) as collector:
        assert (await post_zipkin(collector)).status == 404
        body = bytes(1025)
        assert (await post(collector.otlp_http, "/v1/traces", body, content_type="application/json")).status == 413


async def test_sample_rate_reaches_every_door() -> None:
    store = StoreDouble()
    async with running(store, sample_rate=0.0) as collector:
        assert (await post_zipkin(collector)).status == 202
        assert (
            await post(collector.otlp_http, "/v1/traces", OTLP_SPANS.encode(), content_type="application/json")
        ).status == 200
    assert store.spans == 0


async def test_stop_stores_what_was_taken_and_ends_every_thread() -> None:
    store = StoreDouble()
    collector = Collector(CollectorSettings.model_validate({}), KEEP, cast("SpanStore", store), "1.2.3")
    collector.start()
    await post_zipkin(collector)
    assert await collector.stop()
    assert store.spans == 1
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("clew-")]


async def test_stop_says_when_the_store_did_not_take_everything_in_time() -> None:
    store = StoreDouble()
    store.hold()
    async with running(store, drain_timeout_ns=0) as collector:
        task = asyncio.create_task(post_zipkin(collector))
        await asyncio.to_thread(store.wait_for_writes, 1)
        assert not await collector.stop()
        assert (await task).status == 503
        store.let_go()


async def test_maintenance_runs_with_the_policy_from_start_to_stop() -> None:
    store = StoreDouble()
    async with running(store):
        await until(lambda: len(store.maintained) >= 1)
    assert store.maintained[0][0] == KEEP


async def test_metrics_show_what_came_by_the_doors() -> None:
    async with running(StoreDouble()) as collector:
        await post_zipkin(collector)
        text = collector.metrics.exposition().decode()
    assert 'clew_spans_stored_total{door="zipkin_http",service="by-zipkin"} 1.0' in text
    assert 'http_server_requests_seconds_count{method="POST",status="202",uri="/api/v2/spans"} 1.0' in text
