import asyncio
import random
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import CollectorError
from collector.ledger import NO_SERVICE, OTHER_SERVICES, Account, Books, Door, Ledger
from storage.errors import StoreFull, StoreUnavailable
from storage.ids import TraceId
from tests.collector.rig import SECOND_NS, Rig, spans_of


def assert_sums_agree(books: Books) -> None:
    """received = rejected + accepted at each door; accepted = stored + dropped + pending in each account."""
    rejected: Counter[Door] = Counter()
    accepted: Counter[Door] = Counter()
    for (door, _), spans in books.rejected.items():
        rejected[door] += spans
    for account, spans in books.accepted.items():
        accepted[account.door] += spans
        dropped = sum(n for (at, _), n in books.dropped.items() if at == account)
        assert spans == books.stored.get(account, 0) + dropped + books.pending.get(account, 0)
        assert books.pending.get(account, 0) >= 0
    for door in Door:
        assert books.received.get(door, 0) == rejected[door] + accepted[door]


def test_tally_counts_spans_by_service_and_debug() -> None:
    columns = spans_of("shop", 2)
    columns.extend(spans_of("stock", 1, debug=True))
    columns.extend(spans_of(None, 1))
    assert Ledger().tally(Door.ZIPKIN_HTTP, columns) == {
        Account(Door.ZIPKIN_HTTP, "shop"): 2,
        Account(Door.ZIPKIN_HTTP, "stock", debug=True): 1,
        Account(Door.ZIPKIN_HTTP, NO_SERVICE): 1,
    }


def test_tally_of_one_service_is_one_account() -> None:
    assert Ledger().tally(Door.OTLP_GRPC, spans_of("shop", 512)) == {Account(Door.OTLP_GRPC, "shop"): 512}


def test_tally_of_no_spans_is_empty() -> None:
    assert Ledger().tally(Door.OTLP_GRPC, spans_of("shop", 0)) == {}


def test_absent_and_empty_service_share_an_account() -> None:
    columns = spans_of(None, 1)
    columns.extend(spans_of("", 1))
    assert Ledger().tally(Door.OTLP_GRPC, columns) == {Account(Door.OTLP_GRPC, NO_SERVICE): 2}


def test_services_beyond_the_bound_share_one_account_and_known_ones_keep_theirs() -> None:
    ledger = Ledger(max_services=2)
    names = [
        next(iter(ledger.tally(Door.OTLP_GRPC, spans_of(service, 1)))).service
        for service in ("a", "b", "c", "d", "a", "b")
    ]
    assert names == ["a", "b", OTHER_SERVICES, OTHER_SERVICES, "a", "b"]


def test_services_beyond_the_bound_in_one_payload_are_summed() -> None:
    columns = spans_of("a", 1)
    columns.extend(spans_of("b", 1))
    columns.extend(spans_of("c", 1))
    assert Ledger(max_services=0).tally(Door.OTLP_GRPC, columns) == {Account(Door.OTLP_GRPC, OTHER_SERVICES): 3}


def test_a_service_name_that_is_no_label_counts_under_the_others() -> None:
    assert Ledger().tally(Door.OTLP_GRPC, spans_of("x" * 1000, 1)) == {Account(Door.OTLP_GRPC, OTHER_SERVICES): 1}


def test_messages_are_counted_with_their_bytes_and_the_last_ones_size() -> None:
    ledger = Ledger()
    ledger.message(Door.ZIPKIN_HTTP, 100)
    ledger.message(Door.ZIPKIN_HTTP, 50)
    books = ledger.books()
    assert books.messages == {Door.ZIPKIN_HTTP: 2}
    assert books.message_bytes == {Door.ZIPKIN_HTTP: 150}
    assert books.last_message_bytes == {Door.ZIPKIN_HTTP: 50}


@pytest.mark.parametrize(("read", "messages"), [(True, 1), (False, 1)])
def test_a_refused_message_counts_once_whether_it_was_read_or_not(read: bool, messages: int) -> None:
    ledger = Ledger()
    if read:
        ledger.message(Door.ZIPKIN_HTTP, 100)
    ledger.refuse_message(Door.ZIPKIN_HTTP, "malformed", read=read)
    books = ledger.books()
    assert books.messages == {Door.ZIPKIN_HTTP: messages}
    assert books.messages_refused == {(Door.ZIPKIN_HTTP, "malformed"): 1}


moves = st.lists(
    st.tuples(
        st.sampled_from(list(Door)),
        st.sampled_from(["a", "b", "c", None]),
        st.integers(1, 9),
        st.integers(0, 3),
        st.integers(0, 4),
        st.sampled_from(["stored", "dropped", "left pending", "turned away"]),
    )
)


@settings(deadline=None)
@given(moves)
def test_sums_agree_after_every_move(payloads: list[tuple[Door, str | None, int, int, int, str]]) -> None:
    ledger = Ledger(max_services=2)
    for door, service, taken, sampled_out, rejected, outcome in payloads:
        bad = {"bad_id": rejected} if rejected else {}
        if outcome == "turned away":
            ledger.turn_away(door, taken, "queue_full", bad)
        else:
            tally = ledger.tally(door, spans_of(service, taken))
            ledger.admit(door, tally, ledger.tally(door, spans_of(service, sampled_out)), bad)
            assert_sums_agree(ledger.books())
            if outcome == "stored":
                ledger.settle_stored([tally])
            elif outcome == "dropped":
                ledger.settle_dropped([tally], "store_full")
        assert_sums_agree(ledger.books())
    assert sum(ledger.books().received.values()) == sum(
        taken + rejected + (sampled_out if outcome != "turned away" else 0)
        for _, _, taken, sampled_out, rejected, outcome in payloads
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
async def test_sums_agree_at_every_moment_while_payloads_come_and_the_store_fails(seed: int) -> None:
    chance = random.Random(seed)
    failures = [StoreFull("full"), StoreUnavailable("gone"), ZeroDivisionError()]
    seen: list[Books] = []
    async with Rig(queue_bytes=20_000, sample_rate=0.5, max_commit_rows=20) as rig:
        rig.store.failures.extend(chance.choice(failures) for _ in range(10))
        watching = threading.Event()
        watcher = threading.Thread(target=lambda: _watch(rig, watching, seen))
        watcher.start()

        async def send(count: int) -> int:
            await asyncio.sleep(0)
            try:
                columns = spans_of(chance.choice("abc"), count, trace=TraceId(chance.randbytes(16)))
                # Without bytes of its own it cannot be refused before it is decoded, when its spans are not known.
                await rig.submit(columns, chance.choice(list(Door)), size_bytes=0)
            except CollectorError:
                return 0
            return count

        counts = [chance.randint(1, 9) for _ in range(100)]
        outcomes = await asyncio.gather(*(send(count) for count in counts))
        await rig.pipeline.stop(30 * SECOND_NS)
        watching.set()
        watcher.join()
        last = rig.ledger.books()
        for books in (*seen, last):
            assert_sums_agree(books)
        assert sum(last.received.values()) == sum(counts)
        assert sum(last.pending.values()) == 0
        assert sum(last.stored.values()) == rig.store.spans
        sampled = sum(n for (_, reason), n in last.dropped.items() if reason == "sampled")
        assert rig.store.spans <= sum(outcomes) <= rig.store.spans + sampled


def _watch(rig: Rig, done: threading.Event, seen: list[Books]) -> None:
    while not done.wait(0.001):
        seen.append(rig.ledger.books())
