"""What Jaeger answers with samples: here it is empty or from own spans."""

import pytest

from tests.builders import TODAY_NS, a_span, a_trace_id
from tests.query.jaeger.conftest import NOW_NS, Door


async def test_quality_metrics_are_empty_and_say_so(door: Door) -> None:
    """Its UI maps over all three lists."""
    assert await door.json("/api/quality-metrics", service="frontend") == {
        "traceQualityDocumentationLink": "",
        "bannerText": "clew computes no quality metrics.",
        "scores": [],
        "metrics": [],
        "clients": [],
    }


@pytest.mark.parametrize("path", ["/api/deep-dependencies", "/analytics/v1/dependencies"])
async def test_deep_dependencies_are_the_paths_of_stored_traces(door: Door, path: str) -> None:
    for trace in (1, 2):
        door.write(
            a_span(trace, 1, start_ns=TODAY_NS + trace),
            a_span(trace, 2, parent=1, service="backend", name="query", start_ns=TODAY_NS + trace),
        )

    answer = await door.json(path, service="backend", start=0, end=0)

    assert answer == {
        "dependencies": [
            {
                "path": [
                    {"service": "frontend", "operation": "get"},
                    {"service": "backend", "operation": "query"},
                ],
                "attributes": [{"key": "exemplar_trace_id", "value": a_trace_id(2).hex()}],
            }
        ]
    }


async def test_deep_dependencies_are_bounded_by_operation_and_time(door: Door) -> None:
    door.write(a_span(1, 1))
    late_us = NOW_NS // 1000

    assert len((await door.json("/api/deep-dependencies", service="frontend", operation="get"))["dependencies"]) == 1
    assert (await door.json("/api/deep-dependencies", service="frontend", operation="x"))["dependencies"] == []
    assert (await door.json("/api/deep-dependencies", service="frontend", start=late_us))["dependencies"] == []


async def test_deep_dependencies_of_no_service_are_none(door: Door) -> None:
    assert await door.json("/api/deep-dependencies") == {"dependencies": []}


async def test_a_wrong_bound_is_refused(door: Door) -> None:
    assert "unable to parse param 'start'" in await door.refusal("/api/deep-dependencies", service="s", start="x")
