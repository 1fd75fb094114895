"""The requests of Jaeger's Monitor tab, as its UI sends them, against the real command over its real store."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.process.clew_process import Clew

CALLS = 30


@pytest.fixture(scope="module")
def clew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clew]:
    """30 calls of the shop within the last minutes, every third in error, of 1 to 30 ms."""
    begin_us = int((time.time() - 90) * 1e6)
    spans = [
        {
            "traceId": f"{number:016x}",
            "id": f"{number:016x}",
            "name": "buy" if number % 2 else "look",
            "kind": "SERVER",
            "timestamp": begin_us + number * 1000,
            "duration": number * 1000,
            "localEndpoint": {"serviceName": "shop"},
            "tags": {} if number % 3 else {"error": "500"},
        }
        for number in range(1, CALLS + 1)
    ]
    with Clew(tmp_path_factory.mktemp("monitor")) as running:
        httpx.post(f"{running.url('zipkin')}/api/v2/spans", json=spans).raise_for_status()
        yield running


def family(clew: Clew, what: str, *, quantile: float = 0.95, **more: Any) -> Any:
    """What the UI gets; it sends the quantile of its latencies with every request."""
    query: dict[str, Any] = {
        "service": "shop",
        "endTs": int(time.time() * 1000),
        "lookback": 3_600_000,
        "quantile": quantile,
        "ratePer": 600_000,
        "spanKind": "server",
        "step": 60_000,
    }
    answer = httpx.get(f"{clew.url('jaeger')}/api/metrics/{what}", params=query | more)
    assert answer.status_code == 200
    return answer.json()


def latest(metric: Any) -> float:
    value = metric["metricPoints"][-1]["gaugeValue"]["doubleValue"]
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(("quantile", "milliseconds"), [(0.5, 15.5), (0.75, 22.75), (0.95, 28.55)])
def test_the_graph_of_latencies_is_in_milliseconds(clew: Clew, quantile: float, milliseconds: float) -> None:
    (metric,) = family(clew, "latencies", quantile=quantile)["metrics"]

    assert metric["labels"][0]["value"] == "shop"
    assert len(metric["metricPoints"]) == 61
    assert latest(metric) == pytest.approx(milliseconds, rel=1 / 64)
    assert metric["metricPoints"][0]["gaugeValue"]["doubleValue"] == "NaN"


def test_the_graph_of_requests_is_in_calls_a_second(clew: Clew) -> None:
    (metric,) = family(clew, "calls")["metrics"]

    assert latest(metric) == CALLS / 600


def test_the_graph_of_errors_is_a_share_of_the_calls(clew: Clew) -> None:
    (metric,) = family(clew, "errors")["metrics"]

    assert latest(metric) == pytest.approx(1 / 3)


@pytest.mark.parametrize("what", ["latencies", "calls", "errors"])
def test_the_table_of_operations_has_a_row_for_each(clew: Clew, what: str) -> None:
    """Its UI sends groupByOperation=true and takes the name from the label `operation`."""
    metrics = family(clew, what, groupByOperation="true")["metrics"]

    names = [label["value"] for metric in metrics for label in metric["labels"] if label["name"] == "operation"]
    assert names == ["buy", "look"]
