"""A store that goes away and comes back: who is told what meanwhile, and that clew heals by itself."""

import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.process.clew_process import Clew
from tests.process.senders import exporting, zipkin_spans
from tests.process.store_on_command import AWAY
from tests.waiting import wait_until

TRACE = "5af7183fb1d4cf5f"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Store:
    """Whether the store of `clew` is away."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def goes_away(self) -> None:
        self._file.touch()

    def comes_back(self) -> None:
        self._file.unlink()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "away")


@pytest.fixture
def prepared(tmp_path: Path) -> Clew:
    return Clew(
        tmp_path,
        module="tests.process.store_on_command",
        CLEW_STORAGE_URL="memory:",
        STORE_AWAY=str(tmp_path / "away"),
    )


@pytest.fixture
def clew(prepared: Clew) -> Iterator[Clew]:
    with prepared as running:
        yield running


def status_of(url: str) -> int:
    return httpx.get(url).status_code


def health_of(clew: Clew, door: str) -> int:
    with grpc.insecure_channel(clew.doors[door]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(), timeout=20).status)


def test_readiness_follows_the_store_on_every_port_and_life_does_not(clew: Clew, store: Store) -> None:
    probes = [clew.url("admin"), f"{clew.url('status')}/status", f"{clew.url('zipkin')}/health"]

    store.goes_away()
    wait_until(lambda: [status_of(url) for url in probes] == [503] * 3, "every probe says 503")
    assert httpx.get(f"{clew.url('status')}/status").json() | {"start_time": "", "status_time": ""} == {
        "start_time": "",
        "healthy": False,
        "status": "StatusRecoverableError",
        "error": f"StoreUnavailable: {AWAY}",
        "status_time": "",
    }
    assert [health_of(clew, door) for door in ("otlp_grpc", "jaeger_grpc", "zipkin")] == [NOT_SERVING] * 3
    assert status_of(f"{clew.url('status')}/live") == 200

    store.comes_back()
    wait_until(lambda: [status_of(url) for url in probes] == [200] * 3, "every probe says 200 again")
    assert [health_of(clew, door) for door in ("otlp_grpc", "jaeger_grpc", "zipkin")] == [SERVING] * 3
    assert httpx.get(clew.url("admin")).json()["status"] == "Server available"


def test_a_grpc_health_watch_on_9411_is_told_of_each_change(clew: Clew, store: Store) -> None:
    with grpc.insecure_channel(clew.doors["zipkin"]) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        statuses = (answer.status for answer in watch)
        assert next(statuses) == SERVING
        store.goes_away()
        assert next(statuses) == NOT_SERVING
        store.comes_back()
        assert next(statuses) == SERVING
        watch.cancel()


def test_reads_are_refused_with_the_reason_and_go_on_by_themselves(clew: Clew, store: Store) -> None:
    store.goes_away()
    zipkin = httpx.get(f"{clew.url('zipkin')}/api/v2/services")
    jaeger = httpx.get(f"{clew.url('jaeger')}/api/services")

    assert (zipkin.status_code, zipkin.text) == (503, AWAY)
    assert (jaeger.status_code, jaeger.json()["errors"]) == (503, [{"code": 503, "msg": AWAY}])
    store.comes_back()
    assert status_of(f"{clew.url('zipkin')}/api/v2/services") == 200


def test_a_post_that_comes_while_the_store_is_away_for_a_moment_is_stored(clew: Clew, store: Store) -> None:
    answers: list[httpx.Response] = []
    store.goes_away()
    post = threading.Thread(
        target=lambda: answers.append(
            httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=zipkin_spans(TRACE), timeout=30)
        )
    )
    post.start()
    wait_until(lambda: "retrying" in clew.log(), "the write is tried again")
    assert answers == []
    store.comes_back()
    post.join()

    assert [answer.status_code for answer in answers] == [202]
    assert len(httpx.get(f"{clew.url('zipkin')}/api/v2/trace/{TRACE}").json()) == 5


def test_posts_are_refused_with_the_reason_when_the_store_stays_away_and_taken_when_it_is_back(
    clew: Clew, store: Store
) -> None:
    store.goes_away()
    refusal = httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=zipkin_spans(TRACE), timeout=60)

    assert refusal.status_code == 503
    assert AWAY in refusal.text
    assert int(refusal.headers["retry-after"]) >= 1
    with pytest.raises(grpc.RpcError) as error, exporting(clew.doors["otlp_grpc"]) as export:
        export("0" * 31 + "1")
    assert error.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    store.comes_back()
    answer = httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=zipkin_spans(TRACE), timeout=60)
    assert answer.status_code == 202


def test_clew_waits_at_its_start_for_a_database_that_is_not_there_yet(
    prepared: Clew, store: Store, tmp_path: Path
) -> None:
    def come_back_when_missed() -> None:
        log = tmp_path / "clew.log"
        wait_until(lambda: log.exists() and f"{AWAY}; trying again" in log.read_text(), "it waits")
        store.comes_back()

    store.goes_away()
    returning = threading.Thread(target=come_back_when_missed)
    returning.start()
    with prepared as clew:
        assert status_of(clew.url("admin")) == 200
    returning.join()
