"""What the page tells of the doors: the ledger's books now, and what they were a minute ago."""

import asyncio
from itertools import count

import pytest

from clew import door_watch
from clew.door_watch import DoorWatch
from collector.ledger import Account, Books, Door, Ledger
from query.api.clew_doors import DoorActivity, SpanCounts
from tests.builders import SECOND

SHOP = Account(Door.OTLP_HTTP, "shop")


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def watch(ledger: Ledger, clock: Clock) -> DoorWatch:
    return DoorWatch(ledger.books, lambda: {"otlp_http": "0.0.0.0:4318", "zipkin": "0.0.0.0:9411"}, clock)


def seen(watch: DoorWatch, door: Door) -> DoorActivity:
    return next(one for one in watch.report().doors if one.name == door)


def store(ledger: Ledger, spans: int) -> None:
    ledger.admit(SHOP.door, {SHOP: spans}, {}, {})
    ledger.settle_stored([{SHOP: spans}])


def test_every_door_is_told_with_the_address_it_listens_on(watch: DoorWatch) -> None:
    addresses = {door.name: (door.door, door.address) for door in watch.report().doors}

    assert list(addresses) == list(Door)
    assert addresses["zipkin_grpc"] == ("zipkin", "0.0.0.0:9411")
    assert addresses["otlp_http"] == ("otlp_http", "0.0.0.0:4318")
    assert addresses["otlp_grpc"] == ("otlp_grpc", None)


def test_what_became_of_each_span_is_told_with_its_reason(ledger: Ledger, watch: DoorWatch) -> None:
    other = Account(Door.OTLP_HTTP, "cart")
    ledger.admit(SHOP.door, {SHOP: 4, other: 3}, {SHOP: 2}, {"invalid_span_id": 1})
    ledger.settle_stored([{SHOP: 4}])
    ledger.settle_dropped([{other: 2}], "store_full")
    ledger.refuse_message(SHOP.door, "too_large")

    door = seen(watch, Door.OTLP_HTTP)

    assert door.total == door.recent == SpanCounts(received=10, accepted=9, stored=4, rejected=1, dropped=4)
    assert (door.pending, door.rejected) == (1, {"invalid_span_id": 1})
    assert (door.dropped, door.refused_payloads) == ({"sampled": 2, "store_full": 2}, {"too_large": 1})


def test_what_is_older_than_a_minute_is_not_recent(ledger: Ledger, watch: DoorWatch, clock: Clock) -> None:
    store(ledger, 5)
    for _ in range(20):
        clock.now_ns += 5 * SECOND
        watch.look()
    store(ledger, 2)
    clock.now_ns += 2 * SECOND

    door = seen(watch, Door.OTLP_HTTP)

    assert (door.total.stored, door.recent.stored) == (7, 2)
    assert watch.report().recent_ns == 62 * SECOND


def test_until_a_minute_has_gone_all_is_recent(ledger: Ledger, watch: DoorWatch, clock: Clock) -> None:
    store(ledger, 5)
    clock.now_ns += 30 * SECOND
    watch.look()

    assert (seen(watch, Door.OTLP_HTTP).recent.stored, watch.report().recent_ns) == (5, 30 * SECOND)


async def test_it_looks_again_and_again_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_watch, "_LOOK_EVERY_S", 0.0)
    looked, third_look = count(1), asyncio.Event()

    def books() -> Books:
        if next(looked) == 3:
            third_look.set()
        return Ledger().books()

    async with asyncio.timeout(30), DoorWatch(books, dict).looking():
        await third_look.wait()
    before = next(looked)
    await asyncio.sleep(0)

    assert next(looked) == before + 1
