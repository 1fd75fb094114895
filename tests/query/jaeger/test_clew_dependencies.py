"""GET /api/clew/v1/dependencies: what the service graph looks like over HTTP, and which window is asked."""

from typing import Any

import pytest

from query.render import clew_graph
from storage.span import Span, SpanKind, StatusCode
from tests.builders import DAY, MS, SECOND, TODAY_NS, US, a_span
from tests.query.jaeger.conftest import Door

PATH = "/api/clew/v1/dependencies"
MINUTE = 60 * SECOND
TODAY_US, TODAY_MS = TODAY_NS // US, TODAY_NS // MS


def a_call_to(host: str, trace: int = 1, span: int = 1, **changes: Any) -> Span:
    values: dict[str, Any] = {"kind": SpanKind.CLIENT, "attributes": {"server.address": host}}
    return a_span(trace, span, **(values | changes))


async def test_nodes_have_a_kind_and_edges_calls_errors_and_latencies(door: Door) -> None:
    door.write(
        a_span(1, 1, kind=SpanKind.CLIENT, start_ns=TODAY_NS),
        a_span(1, 2, parent=1, kind=SpanKind.SERVER, service="backend", duration_ns=100 * MS),
        a_span(
            1,
            3,
            parent=2,
            kind=SpanKind.CLIENT,
            service="backend",
            duration_ns=80 * MS,
            status_code=StatusCode.ERROR,
            attributes={"db.system.name": "postgresql", "db.namespace": "orders"},
        ),
    )
    answer = await door.json(PATH, start=TODAY_US, end=TODAY_US)
    assert answer["startTimeUnixNano"] == str(TODAY_NS)
    assert answer["endTimeUnixNano"] == str(TODAY_NS + MINUTE)
    assert answer["nodes"] == [
        {"name": "backend", "kind": "service", "instrumented": True},
        {"name": "frontend", "kind": "service", "instrumented": True},
        {"name": "postgresql/orders", "kind": "database", "instrumented": False},
    ]
    (to_database, to_backend) = answer["edges"]
    assert (to_database["parent"], to_database["child"]) == (0, 2)
    assert (to_database["calls"], to_database["errors"]) == (1, 1)
    assert (to_backend["parent"], to_backend["child"]) == (1, 0)
    assert (to_backend["calls"], to_backend["errors"]) == (1, 0)
    for edge, expected in ((to_database, 80 * MS), (to_backend, 100 * MS)):
        for name in ("p50Nano", "p95Nano", "p99Nano"):
            assert int(edge[name]) == pytest.approx(expected, rel=1 / 32)
    assert answer["edgesLeftOut"] == 0


async def test_quantiles_are_those_of_all_calls_of_an_edge(door: Door) -> None:
    door.write(*(a_call_to("api", number, number, duration_ns=number * MS) for number in range(1, 101)))
    (edge,) = (await door.json(PATH, start=TODAY_US, end=TODAY_US))["edges"]
    for name, expected in {"p50Nano": 50.5, "p95Nano": 95.05, "p99Nano": 99.01}.items():
        assert int(edge[name]) == pytest.approx(expected * MS, rel=1 / 32)


async def test_an_edge_without_known_durations_has_no_quantiles(door: Door) -> None:
    door.write(a_call_to("api", duration_ns=None))
    (edge,) = (await door.json(PATH, start=TODAY_US, end=TODAY_US))["edges"]
    assert edge == {"parent": 1, "child": 0, "calls": 1, "errors": 0}


async def test_only_edges_that_touch_a_service_are_answered_when_it_is_given(door: Door) -> None:
    door.write(a_call_to("api"), a_call_to("mail", 2, 1, service="other"), a_call_to("frontend", 3, 1, service="third"))
    answer = await door.json(PATH, start=TODAY_US, end=TODAY_US, service="FrontEnd")
    assert [node["name"] for node in answer["nodes"]] == ["api", "frontend"]
    assert len(answer["edges"]) == 1


async def test_the_most_called_edges_are_answered_and_the_others_counted(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clew_graph, "MOST_EDGES", 2)
    calls = ["a", "b", "b", "c", "c"]
    door.write(*(a_call_to(host, trace) for trace, host in enumerate(calls, 1)))
    answer = await door.json(PATH, start=TODAY_US, end=TODAY_US)
    assert [node["name"] for node in answer["nodes"]] == ["b", "c", "frontend"]
    assert answer["edgesLeftOut"] == 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"start": TODAY_US, "end": TODAY_US}, True),
        ({"start": TODAY_US - 1, "end": TODAY_US - 1}, False),
        ({"end": TODAY_US + DAY // US}, True),
        ({"end": TODAY_US + (DAY + MINUTE) // US}, False),
        ({"endTs": TODAY_MS + 1000, "lookback": 1000}, True),
        ({"endTs": TODAY_MS - 1, "lookback": 1000}, False),
        ({"endTs": TODAY_MS + DAY // MS}, True),
        ({"endTs": "", "lookback": "", "start": TODAY_US, "end": TODAY_US}, True),
    ],
)
async def test_the_window_is_given_by_its_ends_or_by_its_end_and_length(
    door: Door, asked: dict[str, Any], found: bool
) -> None:
    door.write(a_call_to("api"))
    assert bool((await door.json(PATH, **asked))["edges"]) is found


async def test_without_a_window_the_last_day_is_asked(door: Door) -> None:
    assert (await door.json(PATH))["edges"] == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"start": "x"}, "unable to parse param 'start'"),
        ({"lookback": "1h"}, "unable to parse param 'lookback'"),
        ({"start": 1, "lookback": 5}, "expected 'start' and 'end', or 'endTs' and 'lookback', got some of both"),
        ({"start": 2, "end": 1}, "expected a window that starts before it ends"),
        ({"endTs": 2, "lookback": -5}, "expected a window that starts before it ends"),
    ],
)
async def test_a_wrong_parameter_is_refused_as_jaeger_does(door: Door, asked: dict[str, Any], said: str) -> None:
    response = await door.get(PATH, **asked)
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["msg"]
