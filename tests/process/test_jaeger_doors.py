"""Jaeger's doors of the real command, and the real client that is the last of its kind: PyPI's jaeger-client."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from jaeger_client.config import Config

from storage.ids import TraceId
from tests.builders import a_span_id, a_trace_id
from tests.collector.decode.jaeger.messages import Sent, binary_packet, compact_packet, proto_body, thrift_body
from tests.process.clew_process import Clew
from tests.waiting import wait_until
from wire.jaeger_sampling_pb2 import SamplingStrategyParameters, SamplingStrategyResponse

STRATEGIES = {
    "default_strategy": {"type": "probabilistic", "param": 1},
    "service_strategies": [{"service": "limited", "type": "ratelimiting", "param": 7}],
}
GET_STRATEGY = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"


@pytest.fixture(scope="module")
def strategies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strategies") / "strategies.json"
    path.write_text(json.dumps(STRATEGIES))
    return path


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory, strategies: Path) -> Iterator[Clew]:
    with Clew(
        tmp_path_factory.mktemp("jaeger"),
        SAMPLING_STRATEGIES_FILE=str(strategies),
        SAMPLING_STRATEGIES_RELOAD_INTERVAL="50ms",
    ) as running:
        yield running


def a_sent(trace: int) -> Sent:
    return Sent(trace_id=a_trace_id(trace), start_us=time.time_ns() // 1000, tags=[("error", True), ("n", 7)])


def by_http(clew: Clew, sent: Sent) -> None:
    headers = {"content-type": "application/x-thrift"}
    answer = httpx.post(f"{clew.url('jaeger_thrift_http')}/api/traces", content=thrift_body(sent), headers=headers)
    assert (answer.status_code, answer.content) == (202, b"")


def by_grpc(clew: Clew, sent: Sent) -> None:
    with grpc.insecure_channel(clew.doors["jaeger_collector_grpc"]) as channel:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/jaeger.api_v2.CollectorService/PostSpans"
        )
        assert method(proto_body(sent)) == b""


def by_udp(door: str, packet: Callable[[Sent], bytes]) -> Callable[[Clew, Sent], None]:
    def send(clew: Clew, sent: Sent) -> None:
        host, _, port = clew.doors[door].rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"garbage", (host, int(port)))
            sender.sendto(packet(sent), (host, int(port)))

    return send


def shown_trace(clew: Clew, trace_id: str) -> Any:
    """The trace in Jaeger's JSON, once it is there."""
    url = f"{clew.url('jaeger')}/api/traces/{trace_id}"
    wait_until(lambda: httpx.get(url).status_code == 200, f"trace {trace_id} is stored")
    (trace,) = httpx.get(url).json()["data"]
    return trace


@pytest.mark.parametrize(
    ("trace", "send"),
    [
        pytest.param(1, by_http, id="14268"),
        pytest.param(2, by_grpc, id="14250"),
        pytest.param(3, by_udp("jaeger_udp_compact", compact_packet), id="6831"),
        pytest.param(4, by_udp("jaeger_udp_binary", binary_packet), id="6832"),
    ],
)
def test_a_span_that_came_by_a_jaeger_door_reads_back_as_it_was_sent(
    clew: Clew, trace: int, send: Callable[[Clew, Sent], None]
) -> None:
    sent = a_sent(trace)

    send(clew, sent)

    trace_json = shown_trace(clew, TraceId(sent.trace_id).hex())
    (span,) = trace_json["spans"]
    assert (span["spanID"], span["startTime"], span["duration"]) == (a_span_id(1).hex(), sent.start_us, 200)
    assert span["tags"] == [
        {"key": "error", "type": "bool", "value": True},
        {"key": "n", "type": "int64", "value": 7},
    ]
    assert trace_json["processes"]["p1"]["serviceName"] == "frontend"


@pytest.mark.parametrize(
    ("door", "path"), [("jaeger_thrift_http", "/api/sampling"), ("sampling_http", "/sampling"), ("sampling_http", "/")]
)
def test_the_strategies_of_the_file_are_told_by_http(clew: Clew, door: str, path: str) -> None:
    strategy = httpx.get(clew.url(door) + path, params={"service": "limited"}).json()
    assert strategy["strategyType"] == (1 if path == "/" else "RATE_LIMITING")
    assert strategy["rateLimitingSampling"] == {"maxTracesPerSecond": 7}


@pytest.mark.parametrize("door", ["jaeger_collector_grpc", "sampling_grpc"])
def test_the_strategies_of_the_file_are_told_by_grpc(clew: Clew, door: str) -> None:
    with grpc.insecure_channel(clew.doors[door]) as channel:
        method: grpc.UnaryUnaryMultiCallable[SamplingStrategyParameters, SamplingStrategyResponse] = (
            channel.unary_unary(
                GET_STRATEGY, SamplingStrategyParameters.SerializeToString, SamplingStrategyResponse.FromString
            )
        )
        assert method(SamplingStrategyParameters(serviceName="limited")).rateLimitingSampling.maxTracesPerSecond == 7


def test_a_changed_file_is_told_without_a_restart_and_a_broken_one_is_not(clew: Clew, strategies: Path) -> None:
    def told(service: str) -> Any:
        return httpx.get(f"{clew.url('sampling_http')}/sampling", params={"service": service}).json()

    def is_stale() -> bool:
        return "clew_sampling_strategies_stale 1.0" in httpx.get(f"{clew.url('admin')}/metrics").text

    before = strategies.read_text()
    strategies.write_text(json.dumps(STRATEGIES | {"default_strategy": {"type": "probabilistic", "param": 0.5}}))
    wait_until(lambda: told("any").get("probabilisticSampling") == {"samplingRate": 0.5}, "the new strategies")
    strategies.write_text("{")
    wait_until(is_stale, "the broken file was read")
    assert told("any")["probabilisticSampling"] == {"samplingRate": 0.5}
    strategies.write_text(before)
    wait_until(lambda: told("any")["probabilisticSampling"] == {"samplingRate": 1}, "the first strategies again")
    assert not is_stale()


@pytest.fixture
def _loop_of_this_thread() -> Iterator[None]:
    """jaeger-client makes futures of a loop that nobody started."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("_loop_of_this_thread")
def test_jaeger_client_asks_what_to_sample_and_its_spans_read_back(clew: Clew) -> None:
    sampling_host, _, sampling_port = clew.doors["sampling_http"].rpartition(":")
    _, _, reporting_port = clew.doors["jaeger_udp_compact"].rpartition(":")
    agent = {
        "reporting_host": sampling_host,
        "reporting_port": int(reporting_port),
        "sampling_port": int(sampling_port),
    }
    settings = {"local_agent": agent, "sampling_refresh_interval": 0.1, "generate_128bit_trace_id": True}
    tracer = Config(settings, service_name="python-shop").new_tracer()
    # Until it was told so, it samples one trace in a thousand.
    wait_until(lambda: tracer.sampler.is_sampled(2**64 - 1)[0], "the client has asked for its strategy")

    parent = tracer.start_span("parent", tags={"span.kind": "server", "answer": 42, "ratio": 0.5, "ok": True})
    with tracer.start_span("child", child_of=parent) as child:
        child.log_kv({"event": "retry", "attempt": 2})
    parent.finish()
    wait_until(tracer.close().done, "the client has sent its spans")

    trace = shown_trace(clew, f"{parent.trace_id:032x}")
    spans = {span["operationName"]: span for span in trace["spans"]}
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in spans["parent"]["tags"]}
    assert tags["span.kind"] == ("string", "server")
    assert (tags["answer"], tags["ratio"], tags["ok"]) == (("int64", 42), ("float64", 0.5), ("bool", True))
    assert spans["child"]["references"] == [
        {"refType": "CHILD_OF", "traceID": f"{parent.trace_id:032x}", "spanID": f"{parent.span_id:016x}"}
    ]
    (entry,) = spans["child"]["logs"]
    assert [(one["key"], one["value"]) for one in entry["fields"]] == [("event", "retry"), ("attempt", 2)]
    process = trace["processes"]["p1"]
    assert process["serviceName"] == "python-shop"
    assert {"hostname", "ip", "jaeger.version"} <= {tag["key"] for tag in process["tags"]}


@pytest.mark.parametrize(
    ("door", "service"),
    [
        ("jaeger_collector_grpc", "jaeger.api_v2.CollectorService"),
        ("jaeger_collector_grpc", "jaeger.api_v2.SamplingManager"),
        ("sampling_grpc", "jaeger.api_v2.SamplingManager"),
        ("otlp_grpc", "opentelemetry.proto.collector.trace.v1.TraceService"),
    ],
)
def test_every_grpc_door_answers_health_and_reflection(clew: Clew, door: str, service: str) -> None:
    with grpc.insecure_channel(clew.doors[door]) as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        known = ProtoReflectionDescriptorDatabase(channel)
        assert service in known.get_services()
        assert known.FindFileContainingSymbol(service).service[0].name == service.rpartition(".")[2]


def test_garbage_by_udp_is_counted(clew: Clew) -> None:
    by_udp("jaeger_udp_binary", binary_packet)(clew, a_sent(5))
    line = 'clew_messages_refused_total{door="jaeger_udp_binary",reason="malformed"}'
    wait_until(lambda: line in httpx.get(f"{clew.url('admin')}/metrics").text, "the garbage is in the books")


def test_otlps_other_signals_are_refused_with_a_reason(clew: Clew) -> None:
    answer = httpx.post(
        f"{clew.url('otlp_http')}/v1/metrics", content=b"", headers={"content-type": "application/json"}
    )
    assert (answer.status_code, "clew stores traces, not metrics or logs" in answer.text) == (404, True)
