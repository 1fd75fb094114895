"""A search with a condition on whole traces that only its asker can decide."""

from collections.abc import Sequence

import pytest

from storage.contract import SpanStore
from storage.errors import StoreUnavailable
from storage.span import Span
from tests.builders import BACKEND, FRONTEND, TODAY_NS, a_span
from tests.contract.asking import a_query, number_of
from tests.contract.conftest import Loaded


def a_hundred_traces() -> list[Span]:
    """Trace n has a span of the frontend n ns after TODAY_NS and one of the backend 1000 ns later."""
    return [
        span
        for n in range(1, 101)
        for span in (
            a_span(n, 1, start_ns=TODAY_NS + n),
            a_span(n, 2, parent=1, start_ns=TODAY_NS + 1000 + n, service=BACKEND),
        )
    ]


class Asked:
    """Takes the traces whose number is divisible by `divisor`, and remembers which it was asked for."""

    def __init__(self, divisor: int) -> None:
        self.traces: list[list[Span]] = []
        self._divisor = divisor

    def __call__(self, trace: Sequence[Span]) -> bool:
        self.traces.append(list(trace))
        return number_of(list(trace)) % self._divisor == 0

    @property
    def numbers(self) -> list[int]:
        return [number_of(trace) for trace in self.traces]


@pytest.mark.parametrize("strict", [True, False])
def test_only_accepted_traces_count_towards_the_limit(loaded: Loaded, strict: bool) -> None:
    store = loaded(a_hundred_traces)
    found = store.find_traces_where(a_query(service=FRONTEND, limit=3), Asked(20), strict=strict)
    assert [number_of(trace) for trace in found] == [100, 80, 60]


def test_each_whole_trace_is_decided_once_and_none_after_the_limit(loaded: Loaded) -> None:
    asked = Asked(20)
    loaded(a_hundred_traces).find_traces_where(a_query(limit=3), asked)
    assert asked.numbers == list(range(100, 59, -1))
    assert {len(trace) for trace in asked.traces} == {2}


def test_what_does_not_satisfy_the_query_is_not_decided(loaded: Loaded) -> None:
    asked = Asked(1)
    loaded(a_hundred_traces).find_traces_where(
        a_query(service=FRONTEND, start_min_ns=TODAY_NS + 10, start_max_ns=TODAY_NS + 12), asked
    )
    assert asked.numbers == [12, 11, 10]


def test_refusing_everything_finds_nothing_and_ends(loaded: Loaded) -> None:
    asked = Asked(1000)
    assert loaded(a_hundred_traces).find_traces_where(a_query(limit=1), asked) == []
    assert asked.numbers == list(range(100, 0, -1))


def one_instant() -> list[Span]:
    return [a_span(n, start_ns=TODAY_NS) for n in range(1, 1500)]


def test_more_refused_traces_of_one_instant_than_a_page_holds_do_not_hide_the_accepted_one(loaded: Loaded) -> None:
    found = loaded(one_instant).find_traces_where(a_query(limit=1), Asked(1499))
    assert [number_of(trace) for trace in found] == [1499]


def test_what_the_asker_raises_ends_the_search(loaded: Loaded) -> None:
    def refuse(trace: Sequence[Span]) -> bool:
        raise StoreUnavailable("enough")

    store: SpanStore = loaded(a_hundred_traces)
    with pytest.raises(StoreUnavailable, match="enough"):
        store.find_traces_where(a_query(), refuse)
    assert len(store.find_traces(a_query(limit=5))) == 5
