import logging

import pytest

from collector.loss_log import LossLog


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def test_losses_are_logged_once_an_interval_and_none_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    losses = LossLog(clock, interval_ns=10)
    with caplog.at_level(logging.WARNING):
        losses.report("store_full", 5, "no room")
        losses.report("store_full", 6, "no room")
        clock.now_ns = 9
        losses.report("store_full", 7, "no room")
        clock.now_ns = 10
        losses.report("store_full", 8, "no room")
    assert [record.message for record in caplog.records] == [
        "cannot store 5 spans (store_full): no room",
        "cannot store 21 spans (store_full): no room",
    ]


def test_each_reason_of_a_loss_is_logged_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    losses = LossLog(Clock(), interval_ns=10)
    with caplog.at_level(logging.WARNING):
        losses.report("store_full", 5, "no room")
        losses.report("store_error", 1, "a fault")
    assert len(caplog.records) == 2
