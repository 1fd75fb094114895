import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from collector.maintenance import NICENESS, Maintenance
from storage.contract import SpanStore
from storage.errors import StoreUnavailable
from storage.requests import RetentionPolicy
from tests.collector.store_double import StoreDouble

POLICY = RetentionPolicy(max_age_ns=10**9, max_bytes=None)
HOUR_S = 3600.0


@contextmanager
def running(store: StoreDouble, *, interval_s: float, expired: list[int] | None = None) -> Iterator[Maintenance]:
    rounds = expired if expired is not None else []
    maintenance = Maintenance(
        cast("SpanStore", store),
        POLICY,
        interval_s=interval_s,
        least_gap_s=0,
        on_round=rounds.append,
        wall_clock_ns=lambda: 42,
    )
    maintenance.start()
    try:
        yield maintenance
    finally:
        maintenance.stop()


def test_maintenance_begins_with_a_round_and_hands_over_the_policy_and_the_time() -> None:
    store = StoreDouble()
    with running(store, interval_s=HOUR_S):
        store.wait_for_rounds(1)
    assert store.maintained[0] == (POLICY, 42)


def test_maintenance_goes_on_round_after_round() -> None:
    store = StoreDouble()
    with running(store, interval_s=0.001):
        store.wait_for_rounds(3)


def test_maintenance_comes_earlier_when_it_is_given_a_hint() -> None:
    store = StoreDouble()
    with running(store, interval_s=HOUR_S) as maintenance:
        store.wait_for_rounds(1)
        maintenance.hint()
        store.wait_for_rounds(2)


@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), ZeroDivisionError()])
def test_maintenance_survives_a_failure_of_the_store_and_says_so(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = StoreDouble()
    store.maintenance_failures.append(failure)
    with caplog.at_level(logging.WARNING), running(store, interval_s=0.001):
        store.wait_for_rounds(2)
    assert "store upkeep failed" in caplog.text


def test_maintenance_reports_how_many_spans_were_let_go() -> None:
    store, expired = StoreDouble(), list[int]()
    store.expires_each_round = 7
    with running(store, interval_s=HOUR_S, expired=expired):
        store.wait_for_rounds(1)
    assert expired[0] == 7


def test_maintenance_ends_its_thread_when_it_is_stopped() -> None:
    store = StoreDouble()
    with running(store, interval_s=HOUR_S):
        store.wait_for_rounds(1)
    assert "clew-maintenance" not in {thread.name for thread in threading.enumerate()}


def test_maintenance_may_be_stopped_before_it_was_started() -> None:
    Maintenance(cast("SpanStore", StoreDouble()), POLICY).stop()


def test_rounds_stand_back_behind_the_other_threads() -> None:
    niceness: list[int] = []
    store = StoreDouble()
    maintenance = Maintenance(
        cast("SpanStore", store),
        POLICY,
        on_round=lambda dropped: niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())),
    )
    maintenance.start()
    store.wait_for_rounds(1)
    maintenance.stop()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness[0] == min(own + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own
