"""The requests of Jaeger's Monitor tab, answered from a store's sums as they are from its spans."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from storage.batch import SpanBatch
from storage.duckdb import call_sums, metrics
from storage.duckdb.store import DuckDBStore
from storage.latency_buckets import RELATIVE_ACCURACY
from storage.requests import RetentionPolicy
from storage.span import SpanKind, StatusCode
from tests.builders import DAY, MS, a_span
from tests.query.jaeger.conftest import NOW_NS, Door, OpenDoor

SPANS = 3000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
NOW_MS = NOW_NS // MS
LOOKBACKS_MS = [5 * MINUTE_MS, HOUR_MS, 48 * HOUR_MS]
"""From the shortest to the longest that the tab offers."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """Calls of two days, most of which the sums know."""
    draw = Random(1605)
    spans = [
        a_span(
            number,
            number,
            service=draw.choice(["shop", "web"]),
            name=draw.choice(["buy", "look", "pay"]),
            kind=draw.choice([SpanKind.SERVER, SpanKind.SERVER, SpanKind.CLIENT]),
            start_ns=NOW_NS - int(draw.random() ** 3 * 2 * DAY),
            duration_ns=int(draw.lognormvariate(17, 1)),
            status_code=draw.choice([StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR]),
        )
        for number in range(1, SPANS + 1)
    ]
    with pytest.MonkeyPatch.context() as patched, DuckDBStore(tmp_path_factory.mktemp("s") / "s", 2**28, 0, ()) as held:
        patched.setattr(call_sums, "COUNTED_SPANS", 900)
        for first in range(0, SPANS, 400):
            held.write(SpanBatch.of(spans[first : first + 400], NOW_NS))
            held.maintain(RetentionPolicy(None, None), NOW_NS)
        yield held


@pytest.fixture
def door(open_door: OpenDoor, store: DuckDBStore) -> Door:
    with store._instance.cursor() as cursor:
        ((last,),) = cursor.execute("SELECT max(seq) FROM spans").fetchall()
        assert 0 < call_sums.CountedState.read(cursor).seq < last
    return open_door(reader=store)


def requests_of(lookback_ms: int) -> list[tuple[str, dict[str, Any]]]:
    """What the tab asks for a service: three latencies, calls and errors over time, then the same by operation."""
    common = {
        "service": "shop",
        "endTs": NOW_MS,
        "lookback": lookback_ms,
        "ratePer": 10 * MINUTE_MS,
        "spanKind": "server",
        "step": MINUTE_MS,
        "quantile": 0.95,
    }
    over_time = [("latencies", common | {"quantile": quantile}) for quantile in (0.5, 0.75, 0.95)]
    both = [*over_time, ("calls", common), ("errors", common)]
    table = [(what, common | {"groupByOperation": "true"}) for what in ("latencies", "calls", "errors")]
    return [*both, *table]


def values_of(family: Any) -> list[list[object]]:
    return [[point["gaugeValue"]["doubleValue"] for point in each["metricPoints"]] for each in family["metrics"]]


def without_values(family: Any) -> Any:
    points = [[point["timestamp"] for point in each["metricPoints"]] for each in family["metrics"]]
    return family | {"metrics": [each["labels"] for each in family["metrics"]]}, points


@pytest.mark.parametrize("lookback_ms", LOOKBACKS_MS)
async def test_the_tab_gets_the_same_from_sums_as_from_spans(
    door: Door, monkeypatch: pytest.MonkeyPatch, lookback_ms: int
) -> None:
    for what, parameters in requests_of(lookback_ms):
        monkeypatch.setattr(metrics, "FEW_SPANS", SPANS)
        of_spans = await door.json(f"/api/metrics/{what}", **parameters)
        monkeypatch.setattr(metrics, "FEW_SPANS", -1)
        of_sums = await door.json(f"/api/metrics/{what}", **parameters)

        accuracy = RELATIVE_ACCURACY + 1 / 64 if what == "latencies" else 0
        assert without_values(of_sums) == without_values(of_spans)
        for found, expected in zip(values_of(of_sums), values_of(of_spans), strict=True):
            assert found == [value if value == "NaN" else pytest.approx(value, rel=accuracy) for value in expected]


async def test_a_moment_within_a_minute_gets_what_the_whole_minute_before_it_gets(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "FEW_SPANS", -1)
    for what, parameters in requests_of(HOUR_MS):
        whole = await door.json(f"/api/metrics/{what}", **parameters)
        later = await door.json(f"/api/metrics/{what}", **(parameters | {"endTs": NOW_MS + 59_999}))

        assert values_of(later) == values_of(whole)
        last = later["metrics"][0]["metricPoints"][-1]["timestamp"]
        assert last == "2024-05-05T01:00:59.999Z"
