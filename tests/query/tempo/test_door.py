"""The port itself: what clients ask before they ask for traces, and everything unknown."""

import pytest

from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from tests.builders import BACKEND, FRONTEND, a_zipkin_trace
from tests.query.tempo.conftest import Door, OpenDoor


async def test_echo_is_how_grafana_and_kiali_test_the_connection(door: Door) -> None:
    answer = await door.get("/api/echo")
    assert (answer.status_code, answer.text) == (200, "echo\n")


async def test_the_version_is_that_of_a_tempo_with_this_api(door: Door) -> None:
    assert (await door.json("/api/status/buildinfo"))["version"] == "2.7.0"


async def test_kiali_reads_the_services_as_a_list(door: Door) -> None:
    assert await door.json("/status/services") == []
    door.write(*a_zipkin_trace())
    assert await door.json("/status/services") == [BACKEND, FRONTEND]


async def test_it_is_ready_as_long_as_it_answers(door: Door) -> None:
    assert (await door.get("/ready")).text == "ready\n"


@pytest.mark.parametrize("path", ["/api", "/api/services", "/api/traces", "/api/overrides", "/x/y"])
async def test_an_unknown_path_is_a_404(door: Door, path: str) -> None:
    answer = await door.get(path)
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


@pytest.mark.parametrize("path", ["/api/metrics/query_range", "/api/metrics/query", "/api/metrics/summary"])
async def test_traceql_metrics_are_refused_with_a_word(door: Door, path: str) -> None:
    answer = await door.get(path, q="{} | rate()")
    assert (answer.status_code, "no TraceQL metrics" in answer.text) == (404, True)


async def test_only_reading_is_possible(door: Door) -> None:
    assert (await door.client.post("/api/search")).status_code == 405
    assert (await door.client.head("/api/echo")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_the_documentation_is_a_page_that_needs_no_other_host(door: Door, path: str) -> None:
    answer = await door.get(path)
    assert answer.headers["content-type"].startswith("text/html")
    assert "/api/v2/search/tag/{tag}/values" in answer.text
    assert "/api/search" in (await door.json("/docs/openapi.json"))["paths"]


async def test_a_store_that_cannot_answer_is_a_503_with_its_word(open_door: OpenDoor) -> None:
    class Broken(MemoryStore):
        def services(self) -> list[str]:
            raise StoreUnavailable("the disk is gone")

    answer = await open_door(Broken(10, ())).get("/status/services")
    assert (answer.status_code, answer.text) == (503, "the disk is gone\n")


async def test_a_fault_is_a_500_without_details(open_door: OpenDoor) -> None:
    class Faulty(MemoryStore):
        def services(self) -> list[str]:
            raise RuntimeError("secret")

    answer = await open_door(Faulty(10, ())).get("/status/services")
    assert (answer.status_code, answer.text) == (500, "internal error\n")
