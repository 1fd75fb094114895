"""An acknowledged span is on disk: kill -9 under load, again and again, and nothing acknowledged is missing."""

import random
import time
from pathlib import Path

import pytest

from tests.process.clew_process import Clew
from tests.process.senders import Senders, spans_held
from tests.waiting import wait_until


def kill_under_load(directory: Path, rounds: int) -> None:
    dice = random.Random(rounds)
    clew = Clew(directory)
    for _ in range(rounds):
        clew.start()
        with Senders(clew.doors["zipkin"], clew.doors["otlp_grpc"]) as senders:
            wait_until(lambda: len(senders.acknowledged) > 10, "some traces are acknowledged")
            time.sleep(dice.uniform(0, 0.7))  # the moment of the kill is what varies
            clew.kill()
        clew.start()
        held = spans_held(clew.url("zipkin"), list(senders.acknowledged))
        clew.kill()
        assert held == senders.acknowledged


def test_every_acknowledged_span_is_there_after_kill_9_under_load(tmp_path: Path) -> None:
    kill_under_load(tmp_path, rounds=5)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_acknowledged_span_is_there_after_50_kills_in_a_row(tmp_path: Path) -> None:
    kill_under_load(tmp_path, rounds=50)


def test_sigterm_under_load_drains_and_exits_0(tmp_path: Path) -> None:
    clew = Clew(tmp_path)
    clew.start()
    with Senders(clew.doors["zipkin"], clew.doors["otlp_grpc"]) as senders:
        wait_until(lambda: len(senders.acknowledged) > 50, "some traces are acknowledged")
        code = clew.stop()

    assert code == 0, clew.log()
    with clew:
        assert spans_held(clew.url("zipkin"), list(senders.acknowledged)) == senders.acknowledged
