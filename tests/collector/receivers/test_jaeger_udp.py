"""Ports 6831 and 6832: nobody hears an answer, so the books must."""

import logging

import pytest

from collector.ledger import Door
from collector.loss_log import LossLog
from collector.receivers.jaeger_udp import MAX_PACKET_BYTES, MAX_WAITING_PACKETS, JaegerUdpReceiver
from storage.errors import StoreUnavailable
from tests.collector.rig import Rig, decode_words, until

DOOR = Door.JAEGER_UDP_COMPACT


def a_receiver(rig: Rig) -> JaegerUdpReceiver:
    return JaegerUdpReceiver(rig.intake, DOOR, decode_words, LossLog(lambda: 0))


async def test_the_spans_of_a_packet_are_stored() -> None:
    async with Rig() as rig:
        receiver = a_receiver(rig)
        receiver.receive(b"5 shop")
        await receiver.drain(30)
        assert rig.store.spans == 5
        assert rig.budget.used_bytes == 0


async def test_many_packets_wait_for_one_commit() -> None:
    async with Rig() as rig:
        rig.store.hold()
        receiver = a_receiver(rig)
        receiver.receive(b"1 shop")
        await rig.writes_begun(1)
        for _ in range(100):
            receiver.receive(b"2 shop")
        await until(lambda: sum(rig.ledger.books().pending.values()) == 201)
        rig.store.let_go()
        await receiver.drain(30)
        assert [len(batch) for batch in rig.store.batches] == [1, 200]


async def test_garbage_is_counted_and_harms_no_neighbour() -> None:
    async with Rig() as rig:
        receiver = a_receiver(rig)
        for packet in (b"what is this", b"5 shop", b"\xff\x00", b"crash"):
            receiver.receive(packet)
        await receiver.drain(30)
        assert rig.store.spans == 5
        assert rig.ledger.books().messages_refused == {(DOOR, "malformed"): 2, (DOOR, "error"): 1}


async def test_a_packet_larger_than_jaegers_is_refused_and_counted() -> None:
    async with Rig() as rig:
        a_receiver(rig).receive(b" " * (MAX_PACKET_BYTES + 1))
        assert rig.ledger.books().messages_refused == {(DOOR, "too_large"): 1}


async def test_packets_beyond_those_that_may_wait_are_dropped_and_counted() -> None:
    async with Rig() as rig:
        rig.store.hold()
        receiver = a_receiver(rig)
        for _ in range(MAX_WAITING_PACKETS + 3):
            receiver.receive(b"1 shop")
        assert rig.ledger.books().messages_refused == {(DOOR, "queue_full"): 3}
        rig.store.let_go()
        await receiver.drain(30)
        assert rig.store.spans == MAX_WAITING_PACKETS


async def test_packets_that_find_no_room_in_the_queue_are_dropped_and_counted() -> None:
    async with Rig(queue_bytes=2000) as rig:
        receiver = a_receiver(rig)
        with rig.budget.reservation() as others:
            others.grow(1999)
            receiver.receive(b"5 shop")
            await receiver.drain(30)
        assert rig.ledger.books().messages_refused == {(DOOR, "queue_full"): 1}


async def test_spans_that_the_store_does_not_take_are_dropped_and_counted() -> None:
    async with Rig() as rig:
        rig.store.fails_always = StoreUnavailable("gone")
        receiver = a_receiver(rig)
        receiver.receive(b"5 shop")
        await receiver.drain(30)
        assert sum(rig.ledger.books().dropped.values()) == 5
        assert rig.budget.used_bytes == 0


async def test_losses_are_logged_once_an_interval_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    times_ns = iter((0, 1, 2, 10 * 10**9))
    async with Rig() as rig:
        receiver = JaegerUdpReceiver(rig.intake, DOOR, decode_words, LossLog(lambda: next(times_ns)))
        with caplog.at_level(logging.WARNING):
            for _ in range(4):
                receiver.receive(bytes(MAX_PACKET_BYTES + 1))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "cannot store 1 UDP packets (jaeger_udp_compact, PayloadTooLarge)",
        "cannot store 3 UDP packets (jaeger_udp_compact, PayloadTooLarge)",
    ]
