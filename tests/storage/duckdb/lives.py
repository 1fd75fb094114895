"""The lives of stores, in which what upkeep keeps has to stay true: spans come, go and are repeated."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, NamedTuple, TypeVar

from hypothesis import strategies as st

from storage.batch import SpanBatch
from storage.duckdb.store import DuckDBStore
from storage.requests import RetentionPolicy
from storage.span import Span
from tests.builders import HOUR, SECOND
from tests.storage.duckdb.conftest import MEMORY_LIMIT_BYTES

MINUTE = 60 * SECOND
KEEP_EVERYTHING = RetentionPolicy(None, None)
HOUR_STARTS_NS = 490_000 * HOUR

MOMENTS = st.builds(
    lambda whole_ns, off_ns: HOUR_STARTS_NS + whole_ns + off_ns,
    st.sampled_from([-HOUR, -MINUTE, 0, MINUTE, 2 * MINUTE, 59 * MINUTE, HOUR, 2 * HOUR, 26 * HOUR]),
    st.sampled_from([-1, 0, 0, 1, SECOND - 1, SECOND, 30 * SECOND]),
)
"""About the hour at HOUR_STARTS_NS and the next day's, at bounds of seconds, minutes and hours and beside them."""

Asked = TypeVar("Asked")


class Step(NamedTuple, Generic[Asked]):
    """spans: written in one commit, received at `now`. Then, if so, upkeep, with spans of this age dropped, or the
    oldest few dropped, or the store reopened. And what is asked after it."""

    spans: list[Span]
    maintained: bool
    max_age: int | None
    drop_oldest: int
    reopened: bool
    asked: Asked


def lives(
    spans: st.SearchStrategy[list[Span]], asked: st.SearchStrategy[Asked]
) -> st.SearchStrategy[list[Step[Asked]]]:
    """Steps of some length, each with some of these spans and questions."""
    step: st.SearchStrategy[Step[Asked]] = st.builds(
        Step,
        spans=spans,
        maintained=st.booleans(),
        max_age=st.sampled_from([None, None, 2, 4]),
        drop_oldest=st.sampled_from([0, 0, 0, 1, 5]),
        reopened=st.sampled_from([False, False, True]),
        asked=asked,
    )
    return st.lists(step, min_size=2, max_size=8)


def live(steps: Sequence[Step[Asked]], check: Callable[[DuckDBStore, Asked], None]) -> None:
    """Lead a store through the steps, and check it after each."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clew.duckdb"
        store = DuckDBStore(path, MEMORY_LIMIT_BYTES, 0, ()).__enter__()
        try:
            for now, step in enumerate(steps, 1):
                store.write(SpanBatch.of(step.spans, now))
                if step.maintained:
                    store.maintain(RetentionPolicy(step.max_age, None), now)
                    store._retention._drop_oldest(step.drop_oldest)
                if step.reopened:
                    store.__exit__(None, None, None)
                    store = DuckDBStore(path, MEMORY_LIMIT_BYTES, 0, ()).__enter__()
                check(store, step.asked)
        finally:
            store.__exit__(None, None, None)


def rows_of(store: DuckDBStore, table: str) -> list[tuple[object, ...]]:
    """All rows of a table of the store, sorted."""
    return store._instance.read(lambda cursor: cursor.execute(f"FROM {table} ORDER BY ALL").fetchall())
