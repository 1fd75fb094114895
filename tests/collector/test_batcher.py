from dataclasses import dataclass

from collector.batcher import Batcher

MS = 1_000_000


@dataclass(frozen=True)
class Item:
    rows: int = 1
    size_bytes: int = 10


def a_batcher(interval_ns: int = 25 * MS, max_rows: int = 100, max_bytes: int = 1000) -> Batcher[Item]:
    return Batcher(interval_ns, max_rows, max_bytes)


def test_batcher_never_wants_to_commit_when_nothing_waits() -> None:
    assert a_batcher().wait_ns(0) is None


def test_batcher_commits_the_first_item_at_once() -> None:
    batcher = a_batcher()
    batcher.add(Item())
    assert batcher.wait_ns(0) == 0


def test_batcher_commits_at_once_after_it_was_idle_for_an_interval() -> None:
    batcher = a_batcher(interval_ns=25 * MS)
    batcher.take(now_ns=0)
    batcher.add(Item())
    assert batcher.wait_ns(25 * MS) == 0


def test_batcher_waits_for_the_rest_of_the_interval_when_the_last_commit_has_just_begun() -> None:
    batcher = a_batcher(interval_ns=25 * MS)
    batcher.take(now_ns=100 * MS)
    batcher.add(Item())
    assert batcher.wait_ns(110 * MS) == 15 * MS


def test_batcher_does_not_wait_when_a_whole_commit_of_rows_has_gathered() -> None:
    batcher = a_batcher(max_rows=100)
    batcher.take(now_ns=0)
    batcher.add(Item(rows=99))
    assert batcher.wait_ns(0) == 25 * MS
    batcher.add(Item(rows=1))
    assert batcher.wait_ns(0) == 0


def test_batcher_does_not_wait_when_a_whole_commit_of_bytes_has_gathered() -> None:
    batcher = a_batcher(max_bytes=1000)
    batcher.take(now_ns=0)
    batcher.add(Item(size_bytes=1000))
    assert batcher.wait_ns(0) == 0


def test_batcher_takes_no_more_rows_than_one_commit_may_have_and_keeps_the_order() -> None:
    batcher = a_batcher(max_rows=100)
    items = [Item(rows=60), Item(rows=40), Item(rows=1)]
    for item in items:
        batcher.add(item)
    assert batcher.take(0) == items[:2]
    assert batcher.take(0) == items[2:]
    assert batcher.wait_ns(0) is None


def test_batcher_takes_no_more_bytes_than_one_commit_may_have() -> None:
    batcher = a_batcher(max_bytes=1000)
    items = [Item(size_bytes=600), Item(size_bytes=600)]
    for item in items:
        batcher.add(item)
    assert batcher.take(0) == items[:1]


def test_batcher_takes_an_item_that_is_larger_than_a_commit_alone() -> None:
    batcher = a_batcher(max_rows=100)
    batcher.add(Item(rows=5000))
    batcher.add(Item(rows=1))
    assert batcher.take(0) == [Item(rows=5000)]


def test_batcher_forgets_the_weight_of_what_was_taken() -> None:
    batcher = a_batcher(max_rows=100)
    batcher.add(Item(rows=100))
    batcher.take(0)
    assert not batcher.is_full


def test_batcher_is_empty_after_all_was_taken() -> None:
    batcher = a_batcher(max_rows=1)
    batcher.add(Item())
    batcher.add(Item())
    assert batcher.take_all() == [Item(), Item()]
    assert batcher.wait_ns(0) is None
    assert not batcher.is_full
