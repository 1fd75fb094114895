"""A store's whole life at random: writes, retention, reopening; after each step it answers as the reference store."""

from random import Random

import pytest

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.factory import open_store
from storage.memory import MemoryStore
from storage.requests import RetentionPolicy, TraceQuery
from storage.settings import StorageSettings
from storage.span import Span
from tests.builders import HOUR, SECOND, TODAY_NS, exactly
from tests.contract.test_agreement import random_query, random_span
from tests.contract.test_dependencies_agreement import random_trace

AUTOCOMPLETE_KEYS = ("http.host", "http.status_code")


def random_spans(draw: Random) -> list[Span]:
    spans = [random_span(draw, number, moment) for moment, number in enumerate(draw.sample(range(1, 301), 300))]
    spans += [span for trace in range(1001, 1041) for span in random_trace(draw, trace)]
    draw.shuffle(spans)
    return spans


def answers(store: SpanStore, query: TraceQuery, window: tuple[int, int]) -> list[object]:
    return [
        exactly(store.find_traces(query, strict=True)),
        exactly(store.find_traces(query, strict=False)),
        store.find_trace_summaries(query, strict=True),
        store.find_trace_summaries(query, strict=False),
        store.dependencies(*window),
        store.services(),
        [store.operations(service, ignore_case=True) for service in ("FRONTEND", "backend", "")],
        [store.remote_services(service) for service in ("frontend", "Frontend", "backend")],
        store.tag_values("http.status_code"),
        store.statistics().spans,
        store.statistics().oldest_received_ns,
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_store_answers_as_the_reference_does_all_its_life(durable_settings: StorageSettings, seed: int) -> None:
    draw = Random(seed)
    spans = random_spans(draw)
    reference: SpanStore = MemoryStore(len(spans), AUTOCOMPLETE_KEYS)
    now_ns = TODAY_NS
    while spans:
        with open_store(durable_settings) as store:
            for _ in range(draw.randrange(1, 6)):
                arriving, spans = spans[:40], spans[40:]
                now_ns += draw.randrange(2 * HOUR)
                for each in (store, reference):
                    each.write(SpanBatch.of(arriving, now_ns))
                if draw.random() < 0.5:
                    policy = RetentionPolicy(draw.choice([None, 10 * HOUR, 5 * HOUR]), max_bytes=None)
                    assert store.maintain(policy, now_ns) == reference.maintain(policy, now_ns)
                first_s = draw.randrange(1050)
                window = (TODAY_NS + first_s * SECOND, TODAY_NS + (first_s + draw.choice([5, 60, 1000])) * SECOND)
                query = random_query(draw)
                assert answers(store, query, window) == answers(reference, query, window)
