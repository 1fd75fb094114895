"""What 9411 answers about itself, held to a real Zipkin's answers (zipkin.md 1.9 to 1.12)."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from clew import VERSION
from clew.store_watch import StoreWatch
from clew.zipkin_about import ZipkinAbout
from collector.budget import ByteBudget
from collector.ledger import Ledger
from collector.metrics import CollectorMetrics
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore


class Store(MemoryStore):
    """A memory store that may be made to fail or to hang when it is asked whether it answers."""

    def __init__(self) -> None:
        super().__init__(max_spans=10, autocomplete_keys=())
        self.problem: str | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()

    def check(self) -> None:
        self.may_answer.wait(20)
        if self.problem is not None:
            raise StoreUnavailable(self.problem)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def about(store: Store) -> AsyncIterator[ZipkinAbout]:
    watch = StoreWatch(store, lambda problem: asyncio.sleep(0), patience_s=0.05)
    yield ZipkinAbout(watch, CollectorMetrics(Ledger(), ByteBudget(1), VERSION))
    store.may_answer.set()
    await watch.stop()


async def get(about: ZipkinAbout, path: str) -> Response:
    return await about.endpoints[path]()


async def test_health_is_up_with_the_store_as_its_one_component(about: ZipkinAbout) -> None:
    answer = await get(about, "/health")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert bytes(answer.body).decode() == (
        "{\n"
        '  "status" : "UP",\n'
        '  "zipkin" : {\n'
        '    "status" : "UP",\n'
        '    "details" : {\n'
        '      "memory{}" : {\n'
        '        "status" : "UP"\n'
        "      }\n"
        "    }\n"
        "  }\n"
        "}"
    )


async def test_health_is_down_with_the_error_when_the_store_does_not_answer(about: ZipkinAbout, store: Store) -> None:
    store.problem = "cannot reach it"

    answer = await get(about, "/health")

    assert answer.status_code == 503
    assert '"error" : "StoreUnavailable: cannot reach it"' in bytes(answer.body).decode()


async def test_health_is_down_when_the_store_does_not_answer_in_time(about: ZipkinAbout, store: Store) -> None:
    store.may_answer.clear()

    answer = await get(about, "/health")

    assert answer.status_code == 503
    assert "Timed out computing health status" in bytes(answer.body).decode()


async def test_info_tells_the_version(about: ZipkinAbout) -> None:
    answer = await get(about, "/info")

    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert bytes(answer.body).decode().strip() == f'{{"zipkin":{{"version":"{VERSION}","commit":""}}}}'


@pytest.mark.parametrize("path", ["/health", "/info"])
async def test_the_actuator_has_the_same_body_as_another_type(about: ZipkinAbout, path: str) -> None:
    answer = await get(about, f"/actuator{path}")

    assert answer.headers["content-type"] == "application/vnd.spring-boot.actuator.v2+json; charset=utf-8"
    assert answer.body == (await get(about, path)).body


@pytest.mark.parametrize("path", ["/prometheus", "/actuator/prometheus"])
async def test_prometheus_reads_the_text_format(about: ZipkinAbout, path: str) -> None:
    answer = await get(about, path)

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'zipkin_collector_messages_total{transport="http"} 0.0' in bytes(answer.body).decode()


async def test_there_is_nothing_else(about: ZipkinAbout) -> None:
    assert set(about.endpoints) == {
        "/health",
        "/info",
        "/metrics",
        "/prometheus",
        "/actuator/health",
        "/actuator/info",
        "/actuator/prometheus",
    }
