import asyncio
import logging
import time

import pytest

from collector.errors import NotStored, Overloaded, StoreUnreachable
from collector.ledger import Door
from collector.pipeline import Commit
from storage.errors import StoreFull, StoreUnavailable
from tests.collector.rig import SECOND_NS, Rig, spans_of, until


async def test_submit_returns_only_after_the_write_returned() -> None:
    async with Rig() as rig:
        rig.store.hold()
        submitting = asyncio.create_task(rig.submit(spans_of("shop", 5)))
        await rig.writes_begun(1)
        assert not submitting.done()
        rig.store.let_go()
        await submitting
        assert rig.store.spans == 5


async def test_pipeline_gathers_what_comes_during_a_commit_into_the_next_one() -> None:
    async with Rig() as rig:
        rig.store.hold()
        first = asyncio.create_task(rig.submit(spans_of("shop", 1)))
        await rig.writes_begun(1)
        others = [asyncio.create_task(rig.submit(spans_of("shop", 2))) for _ in range(10)]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 21)
        rig.store.let_go()
        await asyncio.gather(first, *others)
        assert [len(batch) for batch in rig.store.batches] == [1, 20]


async def test_pipeline_splits_what_is_more_than_one_commit_may_have() -> None:
    async with Rig(max_commit_rows=8) as rig:
        rig.store.hold()
        first = asyncio.create_task(rig.submit(spans_of("shop", 1)))
        await rig.writes_begun(1)
        others = [asyncio.create_task(rig.submit(spans_of("shop", 3))) for _ in range(4)]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 13)
        rig.store.let_go()
        await asyncio.gather(first, *others)
        assert [len(batch) for batch in rig.store.batches] == [1, 6, 6]


async def test_pipeline_keeps_the_order_of_the_payloads_and_their_sparse_values_in_one_batch() -> None:
    async with Rig() as rig:
        rig.store.hold()
        first = asyncio.create_task(rig.submit(spans_of("shop", 1)))
        await rig.writes_begun(1)
        others = [asyncio.create_task(rig.submit(spans_of(s, 1, debug=s == "b"))) for s in ("a", "b", "c")]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 4)
        rig.store.let_go()
        await asyncio.gather(first, *others)
        records = rig.store.batches[1].records
        assert records.column("service").to_pylist() == ["a", "b", "c"]
        assert records.column("debug").to_pylist() == [False, True, False]


async def test_pipeline_stamps_the_spans_with_the_time_of_their_commit() -> None:
    before_ns = time.time_ns()
    async with Rig() as rig:
        await rig.submit(spans_of("shop", 1))
        (received_ns,) = rig.store.batches[0].records.column("received_ns").to_pylist()
    assert before_ns <= received_ns <= time.time_ns()


async def test_pipeline_leaves_the_interval_between_two_commits_under_load() -> None:
    # An interval longer than the test: the second commit can only come from stopping.
    async with Rig(commit_interval_ns=3600 * SECOND_NS) as rig:
        await rig.submit(spans_of("shop", 1))
        others = [asyncio.create_task(rig.submit(spans_of("shop", 1))) for _ in range(3)]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 3)
        assert rig.store.writes_begun == 1
        await rig.pipeline.stop(30 * SECOND_NS)
        await asyncio.gather(*others)
        assert [len(batch) for batch in rig.store.batches] == [1, 3]


async def test_pipeline_commits_a_whole_commit_before_the_interval_is_over() -> None:
    async with Rig(commit_interval_ns=3600 * SECOND_NS, max_commit_rows=4) as rig:
        await rig.submit(spans_of("shop", 1))
        await asyncio.gather(rig.submit(spans_of("shop", 2)), rig.submit(spans_of("shop", 2)))
        assert [len(batch) for batch in rig.store.batches] == [1, 4]


async def test_pipeline_holds_the_bytes_of_a_payload_until_its_commit_ended() -> None:
    async with Rig() as rig:
        rig.store.hold()
        submitting = asyncio.create_task(rig.submit(spans_of("shop", 1), size_bytes=1000))
        await rig.writes_begun(1)
        assert rig.budget.used_bytes >= 1000
        rig.store.let_go()
        await submitting
        assert rig.budget.used_bytes == 0


async def test_spans_of_a_cancelled_submitter_are_stored_and_their_bytes_given_back() -> None:
    async with Rig() as rig:
        rig.store.hold()
        submitting = asyncio.create_task(rig.submit(spans_of("shop", 5)))
        await rig.writes_begun(1)
        submitting.cancel()
        await asyncio.gather(submitting, return_exceptions=True)
        assert rig.budget.used_bytes > 0
        rig.store.let_go()
        await until(lambda: rig.budget.used_bytes == 0)
        assert rig.store.spans == 5


async def test_all_waiting_submitters_are_told_the_words_of_a_full_store() -> None:
    hints: list[bool] = []
    async with Rig(on_full=lambda: hints.append(True)) as rig:
        rig.store.failures.append(StoreFull("3 bytes free, 256 MiB wanted"))
        with pytest.raises(Overloaded, match="3 bytes free") as caught:
            await rig.submit(spans_of("shop", 5))
        assert caught.value.retry_after_s > 0
        assert rig.store.writes_begun == 1
        assert hints == [True]


async def test_pipeline_stores_again_when_a_full_store_has_room() -> None:
    async with Rig() as rig:
        rig.store.failures.append(StoreFull("full"))
        with pytest.raises(Overloaded):
            await rig.submit(spans_of("shop", 5))
        await rig.submit(spans_of("shop", 5))
        assert rig.store.spans == 5


async def test_pipeline_tries_an_unavailable_store_again_and_acknowledges_when_it_answers() -> None:
    async with Rig(backoffs_s=(0, 0)) as rig:
        rig.store.failures.extend([StoreUnavailable("gone"), StoreUnavailable("gone")])
        await rig.submit(spans_of("shop", 5))
        assert rig.store.writes_begun == 3
        assert rig.store.spans == 5


async def test_submitters_are_told_when_the_store_stays_unavailable_after_the_last_attempt() -> None:
    async with Rig(backoffs_s=(0, 0)) as rig:
        rig.store.fails_always = StoreUnavailable("connection refused")
        with pytest.raises(StoreUnreachable, match="cannot write 5 spans: connection refused"):
            await rig.submit(spans_of("shop", 5))
        assert rig.store.writes_begun == 3


async def test_pipeline_survives_an_unexpected_fault_of_the_store() -> None:
    async with Rig() as rig:
        rig.store.failures.append(ZeroDivisionError("inside the driver: secret"))
        with pytest.raises(NotStored, match="ZeroDivisionError") as caught:
            await rig.submit(spans_of("shop", 5))
        assert "secret" not in str(caught.value)
        await rig.submit(spans_of("shop", 2))
        assert rig.store.spans == 2


async def test_pipeline_survives_a_fault_of_its_observer() -> None:
    def broken(commit: Commit) -> None:
        raise ZeroDivisionError

    async with Rig(on_commit=broken) as rig:
        await rig.submit(spans_of("shop", 1))
        await rig.submit(spans_of("shop", 1))
        assert sum(rig.ledger.books().stored.values()) == 2


async def test_a_payload_that_no_batch_can_hold_does_not_take_its_neighbours_with_it() -> None:
    async with Rig() as rig:
        rig.store.hold()
        first = asyncio.create_task(rig.submit(spans_of("shop", 1)))
        await rig.writes_begun(1)
        spoilt = spans_of("evil", 3)
        spoilt.name[1] = "half a surrogate pair: \ud800"
        tasks = [asyncio.create_task(rig.submit(c)) for c in (spans_of("a", 2), spoilt, spans_of("b", 2))]
        await until(lambda: sum(rig.ledger.books().pending.values()) == 8)
        rig.store.let_go()
        outcomes = await asyncio.gather(first, *tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None), type(None), NotStored, type(None)]
        assert rig.store.spans == 5


async def test_pipeline_survives_a_payload_that_no_batch_can_hold_and_comes_alone() -> None:
    async with Rig() as rig:
        spoilt = spans_of("evil", 1)
        spoilt.name[0] = "\ud800"
        with pytest.raises(NotStored):
            await rig.submit(spoilt)
        await rig.submit(spans_of("shop", 1))
        assert rig.store.spans == 1


async def test_stop_stores_everything_that_was_taken() -> None:
    async with Rig() as rig:
        rig.store.hold()
        tasks = [asyncio.create_task(rig.submit(spans_of("shop", 2))) for _ in range(20)]
        await rig.writes_begun(1)
        await until(lambda: sum(rig.ledger.books().pending.values()) == 40)
        stopping = asyncio.create_task(rig.pipeline.stop(30 * SECOND_NS))
        await until(lambda: rig.pipeline.stopping)
        rig.store.let_go()
        assert await stopping
        await asyncio.gather(*tasks)
        assert rig.store.spans == 40


async def test_pipeline_takes_nothing_while_it_stops() -> None:
    async with Rig() as rig:
        await rig.pipeline.stop(30 * SECOND_NS)
        with pytest.raises(Overloaded, match="shutting down"):
            await rig.submit(spans_of("shop", 3))
        assert rig.ledger.books().rejected == {(Door.OTLP_HTTP, "stopping"): 3}


async def test_stop_gives_up_when_the_store_does_not_return_in_time(caplog: pytest.LogCaptureFixture) -> None:
    async with Rig() as rig:
        rig.store.hold()
        first = asyncio.create_task(rig.submit(spans_of("shop", 2)))
        await rig.writes_begun(1)
        second = asyncio.create_task(rig.submit(spans_of("shop", 3)))
        await until(lambda: sum(rig.ledger.books().pending.values()) == 5)
        with caplog.at_level(logging.WARNING):
            assert not await rig.pipeline.stop(0)
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        books = rig.ledger.books()
        assert [type(outcome) for outcome in outcomes] == [Overloaded, Overloaded]
        assert {reason: spans for (_, reason), spans in books.dropped.items()} == {"drain_timeout": 5}
        assert sum(books.pending.values()) == 0
        assert rig.budget.used_bytes == 0
        assert "cannot store 5 spans (drain_timeout)" in caplog.text


async def test_stop_ends_the_wait_between_attempts_when_its_time_is_over() -> None:
    async with Rig(backoffs_s=(3600.0,)) as rig:
        rig.store.fails_always = StoreUnavailable("gone")
        submitting = asyncio.create_task(rig.submit(spans_of("shop", 2)))
        await rig.writes_begun(1)
        assert not await rig.pipeline.stop(0)
        with pytest.raises(Overloaded):
            await submitting
        await asyncio.to_thread(rig.pipeline.join)


async def test_pipeline_reports_each_commit_with_its_spans_payloads_and_failure() -> None:
    commits: list[Commit] = []
    async with Rig(on_commit=commits.append) as rig:
        await rig.submit(spans_of("shop", 3))
        rig.store.failures.append(StoreFull("full"))
        with pytest.raises(Overloaded):
            await rig.submit(spans_of("shop", 2))
        await until(lambda: len(commits) == 2)
    assert [(commit.spans, commit.payloads, commit.failure) for commit in commits] == [(3, 1, ""), (2, 1, "store_full")]
    assert all(0 < commit.duration_ns <= commit.oldest_wait_ns for commit in commits)
