"""The same bodies in, the answers of a real Jaeger out: what its /api/v3 gave for two captured traces, span by span.

The files were recorded from Jaeger's own binary (the code of August 2026, memory store, its OTLP and Zipkin receivers).
Not compared: the order of resources and spans, which Jaeger leaves open, and schema URLs, which Jaeger loses.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from query.reconstruct.assembly import assemble
from query.reconstruct.summary import summarize
from query.render.jaeger_v3_json import summaries_json, traces_json
from storage.span import Span
from tests.query.render.test_jaeger_golden import envoy_shared_trace, otel_trace

RECORDED = Path(__file__).parent / "golden"
TRACES = [envoy_shared_trace, otel_trace]


def recorded(trace: Callable[[], list[Span]]) -> Any:
    return json.loads((RECORDED / f"real_jaeger_v3_{trace.__name__}.json").read_bytes())


def as_json(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def span_by_span(answer: Any) -> dict[str, Any]:
    """Span id -> everything that is said of it."""
    return {
        span["spanId"]: {"resource": resource["resource"], "scope": scope["scope"], **span}
        for resource in answer["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }


@pytest.mark.parametrize("trace", TRACES)
def test_a_trace_is_shown_as_a_real_jaeger_shows_it(trace: Callable[[], list[Span]]) -> None:
    shown = span_by_span(as_json(traces_json([assemble(trace())])))

    assert shown == span_by_span(recorded(trace)["trace"])


@pytest.mark.parametrize("trace", TRACES)
def test_a_trace_is_summed_up_as_a_real_jaeger_does(trace: Callable[[], list[Span]]) -> None:
    (summary,) = as_json(summaries_json([summarize(assemble(trace()))]))["summaries"]

    assert summary == recorded(trace)["summary"]
