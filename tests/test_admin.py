"""The ports for operators: 14269 as Jaeger v1 answers, 13133 and 8888 as v2 does."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.types import ASGIApp

from clew import VERSION
from clew.admin import Health, admin_app, metrics_app, status_app
from collector.budget import ByteBudget
from collector.ledger import Ledger
from collector.metrics import CollectorMetrics

START = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)


class Clocks:
    """A wall clock and a monotonic one that go when told."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def health(self) -> Health:
        return Health(lambda: START + self.passed, lambda: int(self.passed.total_seconds() * 10**9))


async def get(app: ASGIApp, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://clew") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/", "/health", "/anything/else"])
async def test_14269_says_not_available_on_every_path_until_ready(path: str) -> None:
    answer = await get(admin_app(Health()), path)

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": ""}


async def test_14269_says_since_when_it_is_available() -> None:
    clocks = Clocks()
    health = clocks.health()
    health.ready()
    clocks.passed = timedelta(minutes=1, seconds=2, milliseconds=300)

    answer = await get(admin_app(health), "/")

    assert answer.status_code == 200
    assert answer.json() == {"status": "Server available", "upSince": "2026-01-02T03:04:05.600000Z", "uptime": "1m2.3s"}


async def test_14269_says_not_available_again_when_stopping() -> None:
    health = Health()
    health.ready()
    health.stopping()

    assert (await get(admin_app(health), "/")).status_code == 503


async def test_14269_tells_the_version() -> None:
    answer = await get(admin_app(Health()), "/version")

    assert answer.json() == {"gitCommit": "", "gitVersion": VERSION, "buildDate": ""}


async def test_14269_has_no_pages_about_a_go_runtime() -> None:
    assert (await get(admin_app(Health()), "/debug/pprof/heap")).status_code == 404


async def test_13133_gives_the_status_of_the_opentelemetry_collectors_health_check() -> None:
    clocks = Clocks()
    health = clocks.health()
    clocks.passed = timedelta(seconds=2)
    starting = await get(status_app(health), "/status")
    health.ready()
    running = await get(status_app(health), "/status")
    health.stopping()
    stopping = await get(status_app(health), "/status")

    assert (starting.status_code, starting.json()["status"]) == (503, "StatusStarting")
    assert (stopping.status_code, stopping.json()["status"]) == (503, "StatusStopping")
    assert running.status_code == 200
    assert running.text == (
        '{"start_time":"2026-01-02T03:04:05.600000Z","healthy":true,'
        '"status":"StatusOK","status_time":"2026-01-02T03:04:07.600000Z"}'
    )


async def test_13133_and_8888_know_no_other_path() -> None:
    assert (await get(status_app(Health()), "/")).status_code == 404
    assert (await get(metrics_app(Health()), "/")).status_code == 404


async def test_metrics_are_unavailable_until_there_are_any_and_then_the_same_on_14269_and_8888() -> None:
    health = Health()
    assert (await get(metrics_app(health), "/metrics")).status_code == 503

    health.metrics = CollectorMetrics(Ledger(), ByteBudget(1), VERSION)
    for app in (admin_app(health), metrics_app(health)):
        answer = await get(app, "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "clew_build_info" in answer.text
