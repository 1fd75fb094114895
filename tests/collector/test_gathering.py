"""Small payloads taken together: each sender is told what became of its own."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from collector.decode.decoded import Decoded, DecodedTogether
from collector.errors import MalformedPayload, NotStored, Overloaded
from collector.gathering import MAX_BYTES, SMALL_BYTES, Gathering
from collector.ledger import Account, Door
from storage.batch import SpanColumns
from storage.errors import StoreFull
from tests.collector.rig import Rig, decode_words, until

DOOR = Door.ZIPKIN_HTTP


def together(payloads: Sequence[bytes]) -> DecodedTogether:
    """decode_words of all; what begins with a question mark is left out, and `crash together` is a fault."""
    columns, spans_of = SpanColumns(), list[int | None]()
    for payload in payloads:
        if payload.startswith(b"crash"):
            raise RuntimeError("a fault of the decoder")
        if payload.startswith(b"?"):
            spans_of.append(None)
            continue
        decoded = decode_words(payload).columns
        assert isinstance(decoded, SpanColumns)
        spans_of.append(len(decoded))
        columns.extend(decoded)
    return DecodedTogether(columns, spans_of=spans_of)


def alone(payload: bytes) -> Decoded:
    return decode_words(payload.lstrip(b"?"))


class Senders:
    """Payloads sent at once through one Gathering."""

    def __init__(self, rig: Rig, gather_s: float = 0.005) -> None:
        self._rig = rig
        self.groups: list[int] = []
        self.gathering = Gathering(rig.intake, DOOR, alone, self._together, gather_s=gather_s)

    def _together(self, payloads: Sequence[bytes]) -> DecodedTogether:
        self.groups.append(len(payloads))
        return together(payloads)

    async def send(self, body: bytes) -> None:
        with self._rig.intake.reservation() as reservation:
            reservation.grow(len(body))
            await self.gathering.take(body, reservation)

    async def send_all(self, *bodies: bytes) -> list[BaseException | None]:
        return await asyncio.gather(*map(self.send, bodies), return_exceptions=True)


async def test_what_comes_at_once_is_decoded_at_once_and_stored() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        assert await senders.send_all(b"2 shop", b"3 cart", b"1 shop") == [None, None, None]
        assert senders.groups == [3]
        books = rig.ledger.books()
        assert books.stored == {Account(DOOR, "shop"): 3, Account(DOOR, "cart"): 3}
        assert books.messages == {DOOR: 3}
        assert books.message_bytes == {DOOR: 18}
        assert books.last_message_spans == {DOOR: 1}
        assert rig.budget.used_bytes == 0


async def test_what_comes_later_is_a_group_of_its_own() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        await senders.send(b"2 shop")
        await senders.send(b"3 cart")
        assert senders.groups == [1, 1]


async def test_nobody_is_answered_before_the_write_returned() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        rig.store.hold()
        sending = asyncio.gather(senders.send(b"2 shop"), senders.send(b"3 cart"))
        await rig.writes_begun(1)
        assert not sending.done()
        assert rig.budget.used_bytes > 0
        rig.store.let_go()
        await sending
        assert rig.store.spans == 5


async def test_an_odd_payload_is_decoded_alone_and_its_neighbours_are_not_harmed() -> None:
    async with Rig() as rig:
        outcomes = await Senders(rig).send_all(b"2 shop", b"?1 odd", b"?nonsense", b"3 cart")
        assert outcomes[:2] == [None, None]
        assert isinstance(outcomes[2], MalformedPayload)
        assert outcomes[3] is None
        books = rig.ledger.books()
        assert books.messages == {DOOR: 4}
        assert books.messages_refused == {(DOOR, "malformed"): 1}
        assert rig.store.spans == 6
        assert rig.budget.used_bytes == 0


async def test_a_malformed_payload_is_refused_while_its_neighbours_still_wait_for_the_store() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        rig.store.hold()
        waiting = asyncio.create_task(senders.send(b"2 shop"))
        with pytest.raises(MalformedPayload):
            await senders.send(b"?nonsense")
        assert not waiting.done()
        rig.store.let_go()
        await waiting


async def test_a_fault_of_the_decoder_of_many_leaves_them_to_the_other(caplog: pytest.LogCaptureFixture) -> None:
    async with Rig() as rig:
        with caplog.at_level(logging.ERROR):
            outcomes = await Senders(rig).send_all(b"2 shop", b"crash")
        assert outcomes[0] is None
        assert isinstance(outcomes[1], NotStored)
        assert "trying each alone" in caplog.text
        assert rig.store.spans == 2


async def test_when_the_store_is_full_every_sender_is_told() -> None:
    async with Rig() as rig:
        rig.store.fails_always = StoreFull("no room")
        outcomes = await Senders(rig).send_all(b"2 shop", b"3 cart")
        assert all(isinstance(outcome, Overloaded | NotStored) for outcome in outcomes)
        assert sum(rig.ledger.books().dropped.values()) == 5
        assert rig.budget.used_bytes == 0


async def test_when_there_is_no_room_every_sender_is_told_to_come_again() -> None:
    async with Rig(queue_bytes=2000) as rig:
        senders = Senders(rig)
        rig.store.hold()
        first = asyncio.create_task(senders.send(b"3 shop"))
        await rig.writes_begun(1)
        outcomes = await senders.send_all(b"3 shop", b"3 cart")
        assert all(isinstance(outcome, Overloaded) for outcome in outcomes)
        assert rig.ledger.books().rejected == {(DOOR, "queue_full"): 6}
        rig.store.let_go()
        await first
        assert rig.budget.used_bytes == 0


async def test_spans_of_a_sender_that_left_are_stored_all_the_same() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        leaving = asyncio.create_task(senders.send(b"2 shop"))
        staying = asyncio.create_task(senders.send(b"3 cart"))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        assert rig.store.spans == 5
        assert rig.budget.used_bytes == 0


async def test_a_large_payload_is_taken_alone() -> None:
    async with Rig() as rig:
        senders = Senders(rig)
        await senders.send(b"2 shop".ljust(SMALL_BYTES + 1))
        assert senders.groups == []
        assert rig.store.spans == 2


async def test_a_full_group_waits_no_longer() -> None:
    async with Rig() as rig:
        senders = Senders(rig, gather_s=3600)
        bodies = [b"1 shop".ljust(SMALL_BYTES)] * (MAX_BYTES // SMALL_BYTES)
        assert await senders.send_all(*bodies) == [None] * len(bodies)
        assert senders.groups == [len(bodies)]


async def test_a_group_of_odd_payloads_only_admits_nothing_together() -> None:
    async with Rig() as rig:
        assert await Senders(rig).send_all(b"?2 shop", b"?3 cart") == [None, None]
        await until(lambda: rig.store.spans == 5)
        assert rig.ledger.books().last_message_spans[DOOR] in (2, 3)
