"""GET /api/metrics/*: what Jaeger's Monitor tab reads, and what it refuses (jaeger.md 2)."""

from typing import Any

import pytest

from storage.span import SpanKind, StatusCode
from tests.builders import MS, SECOND, a_span
from tests.query.jaeger.conftest import NOW_NS, Door

MINUTE_MS = 60_000
WINDOW = {"lookback": 2 * MINUTE_MS, "step": MINUTE_MS, "ratePer": MINUTE_MS}
NOW_MS = NOW_NS // MS


def write_call(door: Door, number: int, *, before_s: float, **changes: Any) -> None:
    """A server span of the frontend, 30 ms long, that started so long before now."""
    values = {"kind": SpanKind.SERVER, "start_ns": NOW_NS - int(before_s * SECOND), "duration_ns": 30 * MS}
    door.write(a_span(number, number, **(values | changes)))


def values_of(family: Any) -> list[object]:
    (metric,) = family["metrics"]
    return [point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]]


async def test_calls_are_a_metric_family_of_calls_a_second(door: Door) -> None:
    for number in range(1, 7):
        write_call(door, number, before_s=90)

    assert await door.json("/api/metrics/calls", service="frontend", **WINDOW) == {
        "name": "service_call_rate",
        "type": "GAUGE",
        "help": "calls/sec, grouped by service",
        "metrics": [
            {
                "labels": [{"name": "service_name", "value": "frontend"}],
                "metricPoints": [
                    {"gaugeValue": {"doubleValue": 0.0}, "timestamp": "2024-05-05T00:58:00Z"},
                    {"gaugeValue": {"doubleValue": 0.1}, "timestamp": "2024-05-05T00:59:00Z"},
                    {"gaugeValue": {"doubleValue": 0.0}, "timestamp": "2024-05-05T01:00:00Z"},
                ],
            }
        ],
    }


async def test_latencies_are_milliseconds_with_a_gap_where_nothing_was_called(door: Door) -> None:
    """Its UI calls toFixed on each value and leaves a gap where that fails, as it does on text."""
    write_call(door, 1, before_s=90, duration_ns=30 * MS)
    write_call(door, 2, before_s=80, duration_ns=10 * MS)

    family = await door.json("/api/metrics/latencies", service="frontend", quantile="0.75", **WINDOW)

    assert (family["name"], family["help"]) == ("service_latencies", "0.75th quantile latency, grouped by service")
    assert values_of(family) == ["NaN", 25.0, "NaN"]


async def test_errors_are_a_fraction_of_the_calls(door: Door) -> None:
    write_call(door, 1, before_s=90, status_code=StatusCode.ERROR)
    write_call(door, 2, before_s=80)

    family = await door.json("/api/metrics/errors", service="frontend", **WINDOW)

    assert family["name"] == "service_error_rate"
    assert family["help"] == "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service"
    assert values_of(family) == ["NaN", 0.5, "NaN"]


async def test_calls_without_errors_have_an_error_rate_of_0(door: Door) -> None:
    write_call(door, 1, before_s=30)

    assert values_of(await door.json("/api/metrics/errors", service="frontend", **WINDOW))[-1] == 0


@pytest.mark.parametrize("what", ["latencies", "calls", "errors"])
async def test_a_service_without_calls_has_no_metrics(door: Door, what: str) -> None:
    family = await door.json(f"/api/metrics/{what}", service="nobody", quantile="0.95")

    assert family["metrics"] == []


async def test_operations_are_apart_when_asked(door: Door) -> None:
    write_call(door, 1, before_s=30)
    write_call(door, 2, before_s=30, name="post")

    family = await door.json("/api/metrics/calls", service="frontend", groupByOperation="true", **WINDOW)

    assert (family["name"], family["help"]) == (
        "service_operation_call_rate",
        "calls/sec, grouped by service & operation",
    )
    assert [metric["labels"] for metric in family["metrics"]] == [
        [{"name": "service_name", "value": "frontend"}, {"name": "operation", "value": name}]
        for name in ("get", "post")
    ]


async def test_several_services_and_kinds_are_asked_by_repeating(door: Door) -> None:
    write_call(door, 1, before_s=30)
    write_call(door, 2, before_s=30, service="backend", kind=SpanKind.CLIENT)
    write_call(door, 3, before_s=30, service="backend", kind=SpanKind.INTERNAL)

    family = await door.json("/api/metrics/calls?service=frontend&service=backend&spanKind=server&spanKind=client")

    assert [metric["labels"][0]["value"] for metric in family["metrics"]] == ["backend", "frontend"]


async def test_server_spans_of_the_last_hour_count_by_default(door: Door) -> None:
    write_call(door, 1, before_s=30)
    write_call(door, 2, before_s=30, kind=SpanKind.CLIENT)

    family = await door.json("/api/metrics/calls", service="frontend")

    assert len(values_of(family)) == 3600 // 5 + 1
    assert values_of(family)[-1] == 1 / 600


async def test_moments_begin_at_the_lookback_and_are_rounded_to_milliseconds(door: Door) -> None:
    write_call(door, 1, before_s=2)

    family = await door.json(
        "/api/metrics/calls", service="frontend", endTs=NOW_MS + 7, lookback=2500, step=1000, ratePer=60000
    )

    assert [point["timestamp"] for point in family["metrics"][0]["metricPoints"]] == [
        "2024-05-05T00:59:57.507Z",
        "2024-05-05T00:59:58.507Z",
        "2024-05-05T00:59:59.507Z",
    ]


async def test_rate_per_is_rounded_up_to_whole_steps(door: Door) -> None:
    write_call(door, 1, before_s=115)

    family = await door.json("/api/metrics/calls", service="frontend", lookback=0, step=MINUTE_MS, ratePer=90_000)

    assert values_of(family) == [1 / 120]


async def test_the_least_step_is_a_millisecond(door: Door) -> None:
    assert await door.json("/api/metrics/minstep") == {
        "data": 1,
        "total": 0,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "unable to parse param 'service': please provide at least one service name"),
        ("service=", "unable to parse param 'service': please provide at least one service name"),
        (
            "service=s&groupByOperation=maybe",
            "unable to parse param 'groupByOperation': strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        ("service=s&spanKind=foo", "unable to parse param 'spanKind': unsupported span kind: 'foo'"),
        ("service=s&endTs=x", "unable to parse param 'endTs': strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("service=s&lookback=1h", "unable to parse param 'lookback': strconv.ParseInt: parsing \"1h\": invalid syntax"),
        ("service=s&lookback=-1", "unable to parse param 'lookback': expected at least 0 ms, got -1"),
        ("service=s&step=0", "unable to parse param 'step': expected at least 1 ms, got 0"),
        ("service=s&ratePer=0", "unable to parse param 'ratePer': expected at least 1 ms, got 0"),
        (
            "service=s&step=1",
            "expected at most 11000 steps in lookback and ratePer, got 4200000; pass a larger step",
        ),
    ],
)
async def test_a_wrong_parameter_is_refused(door: Door, query: str, message: str) -> None:
    assert await door.refusal(f"/api/metrics/calls?{query}") == message


@pytest.mark.parametrize(
    ("quantile", "message"),
    [
        (None, 'strconv.ParseFloat: parsing "": invalid syntax'),
        ("half", 'strconv.ParseFloat: parsing "half": invalid syntax'),
        ("1.5", "expected a number from 0 to 1, got 1.5"),
        ("NaN", 'strconv.ParseFloat: parsing "NaN": invalid syntax'),
    ],
)
async def test_latencies_need_a_quantile(door: Door, quantile: str | None, message: str) -> None:
    parameters = {} if quantile is None else {"quantile": quantile}

    refusal = await door.refusal("/api/metrics/latencies", service="s", **parameters)

    assert refusal == f"unable to parse param 'quantile': {message}"


@pytest.mark.parametrize("end", [-(2**63), 0, 2**63 - 1])
@pytest.mark.parametrize("length", [2**63 - 1, 10**12])
async def test_extreme_times_are_answered(door: Door, end: int, length: int) -> None:
    family = await door.json(
        "/api/metrics/latencies",
        service="frontend",
        quantile="1",
        endTs=end,
        lookback=length,
        step=length,
        ratePer=length,
    )

    assert family["metrics"] == []


async def test_an_answer_that_would_be_huge_has_the_most_called_operations_only(door: Door) -> None:
    for number in range(1, 33):
        write_call(door, number, before_s=1, name=f"operation {number % 31}")

    family = await door.json(
        "/api/metrics/calls", service="frontend", groupByOperation="1", lookback=10_000_000, step=1000, ratePer=1000
    )

    assert len(family["metrics"]) == 300_000 // 10_001
    assert "operation 1" in [metric["labels"][1]["value"] for metric in family["metrics"]]
