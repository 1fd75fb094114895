import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from collector.budget import ByteBudget
from collector.decode.zipkin_formats import ZipkinFormat
from collector.errors import CollectorError
from collector.http_requests import uri_of
from collector.ledger import Door, Ledger
from collector.metrics import CollectorMetrics
from collector.pipeline import Commit
from collector.receivers.http_body import BodyLimits
from collector.receivers.zipkin_http import ZipkinHttpReceiver
from storage.errors import StoreFull
from tests.collector.asgi import post
from tests.collector.rig import Rig, decode_words, spans_of

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(metrics: CollectorMetrics) -> Samples:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def at(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def some_metrics(ledger: Ledger | None = None, budget: ByteBudget | None = None) -> CollectorMetrics:
    return CollectorMetrics(ledger or Ledger(), budget or ByteBudget(1000), "1.2.3", host="here")


async def a_busy_rig(rig: Rig) -> CollectorMetrics:
    """Five spans of shop stored, two of stock lost to a full store, three bad, by three doors; one of them debug."""
    metrics = some_metrics(rig.ledger, rig.budget)
    await rig.submit(spans_of("shop", 4), Door.ZIPKIN_HTTP)
    await rig.submit(spans_of("shop", 1, debug=True), Door.ZIPKIN_HTTP)
    rig.store.failures.append(StoreFull("full"))
    with pytest.raises(CollectorError):
        await rig.submit(spans_of("stock", 2), Door.OTLP_GRPC)
    with rig.budget.reservation() as reservation:
        await rig.intake.take(Door.OTLP_HTTP, decode_words, b"0 none 3 bad_id", reservation)
    return metrics


async def test_exposition_has_the_names_of_jaeger_v2_from_the_same_ledger() -> None:
    async with Rig() as rig:
        samples = samples_of(await a_busy_rig(rig))
    accepted, refused = "otelcol_receiver_accepted_spans_total", "otelcol_receiver_refused_spans_total"
    assert at(samples, accepted, receiver="zipkin", transport="http") == 5
    assert at(samples, refused, receiver="zipkin", transport="http") == 0
    assert at(samples, accepted, receiver="otlp", transport="grpc") == 2
    assert at(samples, refused, receiver="otlp", transport="http") == 3
    assert at(samples, "otelcol_exporter_sent_spans_total", exporter="jaeger_storage_exporter") == 5
    assert at(samples, "otelcol_exporter_send_failed_spans_total", exporter="jaeger_storage_exporter") == 2


async def test_exposition_has_every_entry_of_the_ledger() -> None:
    async with Rig() as rig:
        samples = samples_of(await a_busy_rig(rig))
    assert at(samples, "clew_spans_received_total", door="zipkin_http") == 5
    assert at(samples, "clew_spans_accepted_total", door="zipkin_http", service="shop") == 5
    assert at(samples, "clew_spans_stored_total", door="zipkin_http", service="shop") == 5
    assert at(samples, "clew_spans_pending", door="zipkin_http", service="shop") == 0
    assert at(samples, "clew_spans_dropped_total", door="otlp_grpc", service="stock", reason="store_full") == 2
    assert at(samples, "clew_spans_rejected_total", door="otlp_http", reason="bad_id") == 3
    assert at(samples, "clew_messages_total", door="otlp_http") == 1
    assert at(samples, "clew_message_bytes_total", door="otlp_http") == len(b"0 none 3 bad_id")


async def test_exposition_has_the_names_of_jaegers_dashboards() -> None:
    async with Rig() as rig:
        samples = samples_of(await a_busy_rig(rig))
    received = "jaeger_collector_spans_received_total"
    assert at(samples, received, debug="false", format="zipkin", svc="shop", transport="http") == 4
    assert at(samples, received, debug="true", format="zipkin", svc="shop", transport="http") == 1
    assert at(samples, received, debug="false", format="otlp", svc="stock", transport="grpc") == 2
    rejected = "jaeger_collector_spans_rejected_total"
    assert at(samples, rejected, debug="false", format="otlp", svc="__unknown", transport="http") == 3
    saved = "jaeger_collector_spans_saved_by_svc_total"
    assert at(samples, saved, debug="false", result="ok", svc="shop") == 4
    assert at(samples, saved, debug="false", result="err", svc="stock") == 2
    assert at(samples, "jaeger_collector_spans_dropped_total", host="here") == 2
    assert at(samples, "jaeger_collector_queue_length", host="here") == 0
    assert at(samples, "jaeger_collector_spans_serviceNames", host="here") == 2
    assert at(samples, "jaeger_build_info", build_date="", revision="", version="1.2.3") == 1


async def test_spans_that_sampling_leaves_out_are_no_loss_to_jaeger_but_dropped_to_zipkin() -> None:
    async with Rig(sample_rate=0.0) as rig:
        metrics = some_metrics(rig.ledger, rig.budget)
        await rig.submit(spans_of("shop", 4), Door.ZIPKIN_HTTP)
    samples = samples_of(metrics)
    assert at(samples, "jaeger_collector_spans_dropped_total", host="here") == 0
    assert at(samples, "zipkin_collector_spans_dropped_total", transport="http") == 4


async def test_queue_is_shown_in_bytes_and_in_spans_of_the_mean_size() -> None:
    async with Rig(queue_bytes=10_000) as rig:
        metrics = some_metrics(rig.ledger, rig.budget)
        rig.store.hold()
        body = b"4 shop".ljust(2000)
        with rig.budget.reservation() as reservation:
            reservation.grow(len(body))
            taking = asyncio.create_task(rig.intake.take(Door.ZIPKIN_HTTP, decode_words, body, reservation))
            await rig.writes_begun(1)
            samples = samples_of(metrics)
            rig.store.let_go()
            await taking
    assert at(samples, "clew_queue_capacity_bytes") == 10_000
    assert at(samples, "clew_queue_bytes") == 2000 + 4 * 256
    assert at(samples, "jaeger_collector_queue_length", host="here") == 4
    assert at(samples, "jaeger_collector_queue_capacity", host="here") == 20


def test_commits_are_counted_by_their_result_and_timed() -> None:
    metrics = some_metrics()
    metrics.on_commit(Commit(100, 20, duration_ns=30_000_000, oldest_wait_ns=50_000_000, failure=""))
    metrics.on_commit(Commit(1, 1, duration_ns=10_000_000, oldest_wait_ns=10_000_000, failure="store_full"))
    samples = samples_of(metrics)
    assert at(samples, "clew_commits_total", result="ok") == 1
    assert at(samples, "clew_commits_total", result="store_full") == 1
    assert at(samples, "clew_commit_seconds_sum") == pytest.approx(0.04)
    assert at(samples, "clew_commit_oldest_wait_seconds_bucket", le="0.025") == 1
    assert at(samples, "clew_commit_spans_sum") == 101
    assert at(samples, "jaeger_collector_save_latency_count") == 2


def test_spans_that_retention_let_go_are_counted() -> None:
    metrics = some_metrics()
    metrics.on_maintenance(5)
    metrics.on_maintenance(0)
    assert at(samples_of(metrics), "clew_spans_expired_total") == 5


async def test_zipkins_metrics_follow_its_own_test() -> None:
    # zipkin.md 6.5: two posts of 3 spans -> messages +2, bytes +2*len, spans +6, gauges = last; "hello" -> dropped +1
    async with Rig() as rig:
        metrics = some_metrics(rig.ledger, rig.budget)
        receiver = ZipkinHttpReceiver(rig.intake, BodyLimits(1000, 1000), dict.fromkeys(ZipkinFormat, decode_words))
        for body in (b"3 shop", b"3 shop", b"hello"):
            await post(receiver, "/api/v2/spans", body)
    assert metrics.zipkin_metrics() == {
        "counter.zipkin_collector.messages.http": 3.0,
        "counter.zipkin_collector.messages_dropped.http": 1.0,
        "counter.zipkin_collector.bytes.http": 17.0,
        "counter.zipkin_collector.spans.http": 6.0,
        "counter.zipkin_collector.spans_dropped.http": 0.0,
        "gauge.zipkin_collector.message_spans.http": 3.0,
        "gauge.zipkin_collector.message_bytes.http": 5.0,
        "counter.zipkin_collector.messages.grpc": 0.0,
        "counter.zipkin_collector.messages_dropped.grpc": 0.0,
        "counter.zipkin_collector.bytes.grpc": 0.0,
        "counter.zipkin_collector.spans.grpc": 0.0,
        "counter.zipkin_collector.spans_dropped.grpc": 0.0,
        "gauge.zipkin_collector.message_spans.grpc": 0.0,
        "gauge.zipkin_collector.message_bytes.grpc": 0.0,
    }
    samples = samples_of(metrics)
    assert at(samples, "zipkin_collector_messages_total", transport="http") == 3
    assert at(samples, "zipkin_collector_spans_total", transport="http") == 6
    assert at(samples, "zipkin_collector_message_bytes", transport="http") == 5


@pytest.mark.parametrize(
    ("path", "status", "uri"),
    [
        ("/api/v2/spans", 202, "/api/v2/spans"),
        ("/zipkin/api/v2/traces", 200, "/api/v2/traces"),
        ("/api/v2/trace/00000000000000aa", 200, "/api/v2/trace/{traceId}"),
        ("/zipkin/api/v2/trace/bb", 404, "/api/v2/trace/{traceId}"),
        ("/health", 200, None),
        ("/actuator/health", 200, None),
        ("/metrics", 200, None),
        ("/prometheus", 200, None),
        ("/zipkin/index.html", 200, None),
        ("/", 302, "REDIRECTION"),
        ("/favicon.ico", 302, "REDIRECTION"),
        ("/somewhere", 404, "NOT_FOUND"),
        ("/zipkinish", 404, "NOT_FOUND"),
    ],
)
def test_request_is_counted_under_the_uri_of_its_route(path: str, status: int, uri: str | None) -> None:
    # zipkin.md 1.12
    assert uri_of(path, status) == uri


async def test_measured_application_counts_its_answers() -> None:
    metrics = some_metrics()
    measured = metrics.http_requests.measured(PlainTextResponse("fine", status_code=200))
    await post(measured, "/api/v2/services", method="GET")
    await post(measured, "/health", method="GET")
    await post(measured, "/api/v2/services", method="BREW")
    samples = samples_of(metrics)
    count = "http_server_requests_seconds_count"
    assert at(samples, count, method="GET", status="200", uri="/api/v2/services") == 1
    assert at(samples, count, method="UNKNOWN", status="200", uri="/api/v2/services") == 1
    assert sum(value for (name, _), value in samples.items() if name == count) == 2


async def test_measured_application_counts_a_fault_as_500() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    metrics = some_metrics()
    with pytest.raises(ZeroDivisionError):
        await post(metrics.http_requests.measured(broken), "/api/v2/services", method="GET")
    labels = {"method": "GET", "status": "500", "uri": "/api/v2/services"}
    assert at(samples_of(metrics), "http_server_requests_seconds_count", **labels) == 1


async def test_other_scopes_pass_a_measured_application_unseen() -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> dict[str, str]:
        return {}

    async def send(message: object) -> None:
        raise AssertionError(message)

    await some_metrics().http_requests.measured(lifespan)({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan"]
