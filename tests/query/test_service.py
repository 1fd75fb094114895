"""The way to the store: off the event loop, limited in time, and never blocked by a read that nobody waits for."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from query.errors import QueryTimeout
from query.service import QueryService
from query.settings import QuerySettings
from storage.contract import SpanReader
from storage.duckdb.store import DuckDBStore
from storage.errors import StoreUnavailable

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    with DuckDBStore(tmp_path / "spans.duckdb", 64 * 2**20, 0, ()) as opened:
        yield opened


def endless(store: DuckDBStore, ended: threading.Event) -> None:
    try:
        store._instance.read(lambda cursor: cursor.execute(ENDLESS).fetchall())
    except StoreUnavailable:
        ended.set()
        raise


async def test_a_read_runs_in_a_thread_of_its_own(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({}))

    assert await service.read(lambda reader: threading.get_ident()) != threading.get_ident()
    service.close()


async def test_a_read_raises_what_its_question_raises(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({}))

    def question(reader: SpanReader) -> None:
        raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable, match="gone"):
        await service.read(question)
    service.close()


async def test_reads_that_take_too_long_are_interrupted_and_free_their_threads(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({"QUERY_TIMEOUT": "100ms"}), threads=1)
    ended = threading.Event()

    for _ in range(2):
        with pytest.raises(QueryTimeout, match="QUERY_TIMEOUT"):
            await service.read(lambda reader: endless(store, ended))

    assert await asyncio.to_thread(ended.wait, 30)
    deadline = time.monotonic() + 30
    while True:
        try:
            assert await service.read(lambda reader: reader.services()) == []
            break
        except QueryTimeout:
            assert time.monotonic() < deadline
    service.close()


async def test_a_read_whose_caller_leaves_is_interrupted(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({"QUERY_TIMEOUT": "0"}), threads=1)
    begun, ended = threading.Event(), threading.Event()

    def question(reader: SpanReader) -> None:
        begun.set()
        endless(store, ended)

    asking = asyncio.create_task(service.read(question))
    await asyncio.to_thread(begun.wait, 30)
    asking.cancel()

    assert await asyncio.to_thread(ended.wait, 30)
    service.close()


async def test_a_stream_computes_no_more_than_is_asked_for(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({}))
    computed: list[int] = []

    def question(reader: SpanReader) -> Iterator[int]:
        for number in range(100):
            computed.append(threading.get_ident())
            yield number

    answers = service.stream(question, at_once=3)

    assert [await anext(answers) for _ in range(4)] == [0, 1, 2, 3]
    assert len(computed) == 6
    assert threading.get_ident() not in computed
    service.close()


async def test_a_stream_ends_with_its_answers(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({}))

    assert [answer async for answer in service.stream(lambda reader: iter("abcde"), at_once=2)] == list("abcde")
    assert [answer async for answer in service.stream(lambda reader: iter(""))] == []
    service.close()


async def test_a_stream_raises_what_its_question_raises_after_the_answers_before(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({}))

    def question(reader: SpanReader) -> Iterator[int]:
        yield 1
        raise StoreUnavailable("gone")

    answers = service.stream(question)

    assert await anext(answers) == 1
    with pytest.raises(StoreUnavailable, match="gone"):
        await anext(answers)
    service.close()


async def test_a_stream_whose_caller_leaves_is_interrupted(store: DuckDBStore) -> None:
    service = QueryService(store, QuerySettings.model_validate({"QUERY_TIMEOUT": "0"}), threads=1)
    begun, ended = threading.Event(), threading.Event()

    def question(reader: SpanReader) -> Iterator[int]:
        yield 1
        begun.set()
        endless(store, ended)

    async def read_on() -> None:
        async for _ in service.stream(question):
            pass

    asking = asyncio.create_task(read_on())
    await asyncio.to_thread(begun.wait, 30)
    asking.cancel()

    assert await asyncio.to_thread(ended.wait, 30)
    service.close()
