"""Two collectors and a query server over one database, as processes of their own, and the database restarted."""

import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
import httpx
import pytest

from tests.process.clew_process import Clew
from tests.process.databases import NAMES, Database, running_database
from tests.process.senders import SPANS_PER_POST, Senders, exporting, spans_held, zipkin_spans
from tests.waiting import wait_until


@dataclass(frozen=True)
class Cluster:
    """A database and the processes over it."""

    database: Database
    collectors: list[Clew]
    query: Clew


@pytest.fixture(scope="module", params=NAMES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    name = cast("str", request.param)
    with running_database(name, tmp_path_factory.mktemp(name)) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Started all at once on an empty database: whoever comes first makes the schema."""
    directory = tmp_path_factory.mktemp("cluster")
    parts = [
        Clew(directory / name, CLEW_ROLE=role, CLEW_STORAGE_URL=database.url)
        for name, role in (("one", "collector"), ("two", "collector"), ("query", "query"))
    ]
    with ExitStack() as stack:
        for part in parts:
            stack.push(part.__exit__)
        with ThreadPoolExecutor(len(parts)) as threads:
            list(threads.map(Clew.start, parts))
        yield Cluster(database, parts[:2], parts[2])


def post(clew: Clew, trace_id: str) -> int:
    return httpx.post(f"{clew.url('zipkin')}/api/v2/spans", json=zipkin_spans(trace_id), timeout=60).status_code


def status_of(url: str) -> int:
    return httpx.get(url, timeout=60).status_code


def test_what_either_collector_took_is_read_from_the_query_server_at_once(cluster: Cluster) -> None:
    sent: dict[str, int] = {}
    for collector in cluster.collectors:
        trace = secrets.token_hex(16)
        assert post(collector, trace) == 202
        sent[trace] = SPANS_PER_POST
        with exporting(collector.doors["otlp_grpc"]) as export:
            trace = secrets.token_hex(16)
            sent[trace] = export(trace)

    assert spans_held(cluster.query.url("zipkin"), list(sent)) == sent
    for trace, count in sent.items():
        found = httpx.get(f"{cluster.query.url('jaeger')}/api/traces/{trace}").json()["data"]
        assert [len(one["spans"]) for one in found] == [count]
    assert "sender" in httpx.get(f"{cluster.query.url('jaeger')}/api/services").json()["data"]


def test_one_trace_whose_halves_came_by_two_collectors_reads_back_as_one(cluster: Cluster) -> None:
    trace = secrets.token_hex(16)
    spans = zipkin_spans(trace)
    for collector, half in zip(cluster.collectors, (spans[:2], spans[2:]), strict=True):
        assert httpx.post(f"{collector.url('zipkin')}/api/v2/spans", json=half, timeout=60).status_code == 202

    assert spans_held(cluster.query.url("zipkin"), [trace]) == {trace: SPANS_PER_POST}


def migrate(url: str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "clew", "migrate", *arguments, f"--clew-storage-url={url}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_command_tells_of_the_schema_and_refuses_to_lose_spans(cluster: Cluster) -> None:
    trace = secrets.token_hex(16)
    assert post(cluster.collectors[0], trace) == 202

    status, told = migrate(cluster.database.url, "status")
    refused, why = migrate(cluster.database.url, "down", "base")

    assert (status, told.count("holds")) == (0, 1)
    assert refused == 1
    assert "would lose every span. Nothing was changed" in why
    assert "secret" not in told + why
    assert spans_held(cluster.query.url("zipkin"), [trace]) == {trace: SPANS_PER_POST}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_nothing_acknowledged_is_lost_when_the_database_is_restarted_under_load_and_all_heal(
    cluster: Cluster, how: str
) -> None:
    with ExitStack() as stack:
        senders = [
            stack.enter_context(PersistentSenders(clew.doors["zipkin"], clew.doors["otlp_grpc"]))
            for clew in cluster.collectors
        ]
        wait_until(lambda: all(len(one.acknowledged) > 20 for one in senders), "some traces are acknowledged")
        getattr(cluster.database, how)()
        wait_until(lambda: status_of(cluster.query.url("admin")) == 503, "the query server is not ready")
        refusal = httpx.get(f"{cluster.query.url('zipkin')}/api/v2/services", timeout=60)
        assert refusal.status_code == 503
        assert refusal.text
        assert "secret" not in refusal.text
        cluster.database.start()
        before = [len(one.acknowledged) for one in senders]
        wait_until(
            lambda: all(len(one.acknowledged) > count + 20 for one, count in zip(senders, before, strict=True)),
            "collectors take spans again by themselves",
            timeout_s=60,
        )
    for clew in (*cluster.collectors, cluster.query):
        wait_until(lambda clew=clew: status_of(clew.url("admin")) == 200, "it is ready again")  # type: ignore[misc]
    acknowledged = {trace: count for one in senders for trace, count in one.acknowledged.items()}
    held = spans_held(cluster.query.url("zipkin"), list(acknowledged))
    # A sender that was told "no" or nothing may have been stored all the same; what it was told "yes" must be there.
    assert {trace: count for trace, count in acknowledged.items() if held.get(trace, 0) < count} == {}


class PersistentSenders(Senders):
    """Senders that go on after a refusal."""

    def _post_for_ever(self, address: str) -> None:
        with httpx.Client(base_url=f"http://{address}", timeout=60) as client:
            for _ in self._rounds():
                trace_id = secrets.token_hex(16)
                answer = client.post("/api/v2/spans", json=zipkin_spans(trace_id))
                if answer.status_code == 202:
                    self.acknowledged[trace_id] = SPANS_PER_POST
                else:
                    assert answer.status_code == 503, answer.text
                    time.sleep(0.05)

    def _export_for_ever(self, address: str) -> None:
        with exporting(address) as export:
            for _ in self._rounds():
                trace_id = secrets.token_hex(16)
                try:
                    self.acknowledged[trace_id] = export(trace_id)
                except grpc.RpcError:
                    time.sleep(0.05)


def test_what_the_queue_cannot_hold_while_the_database_is_away_is_refused_at_once(
    database: Database, tmp_path: Path
) -> None:
    with Clew(tmp_path, CLEW_STORAGE_URL=database.url, CLEW_QUEUE_BYTES="65536") as clew:
        assert post(clew, secrets.token_hex(16)) == 202
        database.stop()
        try:
            waiting = [threading.Thread(target=post, args=(clew, secrets.token_hex(16))) for _ in range(200)]
            for thread in waiting:
                thread.start()
            wait_until(lambda: 'reason="queue_full"' in figures_of(clew), "some are refused")
        finally:
            database.start()
        for thread in waiting:
            thread.join()
        wait_until(lambda: post(clew, secrets.token_hex(16)) == 202, "spans are taken again")


def figures_of(clew: Clew) -> str:
    return httpx.get(f"{clew.url('metrics')}/metrics").text
