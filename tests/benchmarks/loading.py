"""Filling a store with a population through the store's own API, and what to ask of it afterwards."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.batch import SpanBatch
from storage.contract import SpanStore
from storage.factory import open_store
from storage.requests import RetentionPolicy
from tests.benchmarks.population import PLAIN, SPANS_PER_SECOND, Population, Shape, TraceSample
from tests.benchmarks.stores import MeasuredStore
from tests.benchmarks.vocabulary import SERVICES

_SPANS_PER_BATCH = 100_000
_SPANS_PER_COMMIT = 5_000
"""What 50,000 spans/s and a busy disk make of a commit; larger ones would blur where a trace's spans are."""
_SAMPLES = 400
_MAINTAIN_EVERY = 10
_SUMMARY = "population.json"


@dataclass(frozen=True, slots=True)
class Filled:
    """A store that was filled. begins_ns, ends_ns: the span of time its spans lie in."""

    spans: int
    begins_ns: int
    ends_ns: int
    spans_per_s: float
    disk_bytes: int
    samples: tuple[TraceSample, ...]
    services: tuple[str, ...] = SERVICES


def fill(
    store: MeasuredStore, directory: Path, spans: int, progress: Callable[[int], object], shape: Shape = PLAIN
) -> Filled:
    """Write about so many spans that end now into the empty store; what an embedded one has there is reused."""
    summary = directory / _SUMMARY
    if summary.exists():
        found = json.loads(summary.read_text())
        samples = tuple(TraceSample(**sample) for sample in found["samples"])
        return Filled(**found | {"samples": samples, "services": tuple(found.get("services", SERVICES))})
    directory.mkdir(parents=True, exist_ok=True)
    filled = _fill(store, spans, progress, shape)
    if store.name == "duckdb":
        summary.write_text(json.dumps(asdict(filled)))
    return filled


def _fill(measured: MeasuredStore, spans: int, progress: Callable[[int], object], shape: Shape) -> Filled:
    ends_ns = time.time_ns()
    begins_ns = ends_ns - spans * 10**9 // SPANS_PER_SECOND
    population = Population(begins_ns, shape=shape)
    keep = RetentionPolicy(max_age_ns=None, max_bytes=None)
    samples: list[TraceSample] = []
    written, batches, began_s = 0, 0, time.monotonic()
    with open_store(measured.settings) as store:
        while written < spans:
            batch, found = population.batch(min(_SPANS_PER_BATCH, spans - written), received_ns=time.time_ns())
            _write(store, batch)
            written += len(batch)
            batches += 1
            samples += found
            if batches % _MAINTAIN_EVERY == 0:
                store.maintain(keep, time.time_ns())
            progress(written)
        rest = population.rest()
        _write(store, rest)
        written += len(rest)
        store.maintain(keep, time.time_ns())
    took_s = time.monotonic() - began_s
    disk_bytes = measured.disk_bytes()
    kept = samples[:: max(len(samples) // _SAMPLES, 1)]
    return Filled(written, begins_ns, ends_ns, round(written / took_s), disk_bytes, tuple(kept), shape.services)


def _write(store: SpanStore, batch: SpanBatch) -> None:
    for first in range(0, len(batch), _SPANS_PER_COMMIT):
        store.write(SpanBatch(batch.records.slice(first, _SPANS_PER_COMMIT)))
