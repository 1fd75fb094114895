"""Real bodies in, Jaeger's JSON out, compared with files that were checked by hand.

To look at a change: the assertion shows the difference; the file is what the reference says, not what the code does.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.decode import otlp_proto, zipkin_json_v2
from query.reconstruct.assembly import assemble
from query.render.jaeger_envelope import to_bytes
from query.render.jaeger_json import trace_json
from storage.batch import SpanBatch
from storage.ids import SpanId, trace_id_of
from storage.rows import span_of
from storage.span import Resource, Span, SpanKind
from tests.builders import a_span

DATA = Path(__file__).parents[2] / "data"
SHARED_TRACE = trace_id_of("248bae9853f62bb30f581302bf57279d")
SHARED_SPAN = SpanId(bytes.fromhex("0f581302bf57279d"))


def envoy_shared_trace() -> list[Span]:
    """Gateway client and sidecar server under one id, and the sidecar's call to reviews."""
    found = [span for n in range(1, 5) for span in _zipkin(f"envoy-zipkin-json-shared-000{n}.json")]
    return [span for span in found if span.trace_id == SHARED_TRACE]


def otel_trace() -> list[Span]:
    """Seven spans of the Python SDK: all value types, events, a link to the parent, statuses."""
    columns = otlp_proto.decode((DATA / "otelpy-http.bin").read_bytes()).columns
    return _spans(columns.to_batch(received_ns=0))


def mixed_trace() -> list[Span]:
    """The Envoy trace with what the application behind the sidecar would report by OTLP."""
    application = a_span(
        SHARED_TRACE,
        0xA1,
        name="GET /chain",
        service="productpage",
        kind=SpanKind.SERVER,
        start_ns=1_795_229_130_448_100_000,
        duration_ns=46_000_000,
        parent_span_id=SHARED_SPAN,
        resource=Resource({"service.name": "productpage", "k8s.pod.name": "productpage-v1-1"}),
    )
    return [*envoy_shared_trace(), application]


@pytest.mark.parametrize("trace", [envoy_shared_trace, otel_trace, mixed_trace])
def test_a_captured_trace_is_rendered_as_its_file_says(trace: Callable[[], list[Span]]) -> None:
    expected = json.loads((Path(__file__).parent / "golden" / f"jaeger_{trace.__name__}.json").read_bytes())

    assert json.loads(to_bytes(trace_json(assemble(trace())))) == expected


def _zipkin(name: str) -> list[Span]:
    return _spans(zipkin_json_v2.decode((DATA / name).read_bytes()).columns.to_batch(received_ns=0))


def _spans(batch: SpanBatch) -> list[Span]:
    return [span_of(row) for row in batch.rows()]
