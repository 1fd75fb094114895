"""The load generator sends what it says: whole spans, as many as intended, no two alike."""

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode.zipkin_json_v2 import decode
from tests.benchmarks import otlp_payloads, zipkin_payloads
from tests.benchmarks.stamping import stamped

_GATEWAY = "istio-ingressgateway.istio-system"
_NOW_NS = 1_795_000_000_123_456_789


@pytest.mark.parametrize("copies", [1, 200])
def test_zipkin_posts_hold_five_spans_each_with_ids_of_their_own(copies: int) -> None:
    template = zipkin_payloads.templates()[0]
    ids: set[tuple[bytes, bytes]] = set()
    for body in stamped(template, copies, _NOW_NS, np.random.default_rng(1)):
        columns = decode(body).columns
        assert len(columns) == zipkin_payloads.SPANS_PER_POST
        ids |= set(zip(columns.trace_id, columns.span_id, strict=True))
    assert len(ids) == copies * zipkin_payloads.SPANS_PER_POST


def test_zipkin_posts_keep_the_links_between_their_spans() -> None:
    template = zipkin_payloads.templates()[0]
    original = decode(template.payload).columns
    (body,) = stamped(template, 1, _NOW_NS, np.random.default_rng(1))
    copy = decode(body).columns
    for before, after in ((original.trace_id, copy.trace_id), (original.parent_span_id, copy.parent_span_id)):
        assert [before.index(value) for value in before] == [after.index(value) for value in after]
    assert copy.parent_span_id[3] == copy.span_id[4]  # productpage's outbound call, below its inbound one
    assert copy.attributes != original.attributes  # the request ids


def test_zipkin_posts_end_at_the_moment_they_are_made() -> None:
    template = zipkin_payloads.templates()[0]
    (body,) = stamped(template, 1, _NOW_NS, np.random.default_rng(1))
    starts = [start for start in decode(body).columns.start_ns if start is not None]
    assert _NOW_NS - 10**9 < min(starts) <= max(starts) <= _NOW_NS


def test_zipkin_templates_are_of_different_services() -> None:
    services = {decode(template.payload).columns.service[0] for template in zipkin_payloads.templates()}
    assert services == {f"service-{number:03d}.default" for number in range(24)} | {_GATEWAY}


def test_zipkin_requests_are_framed_in_one_chunk() -> None:
    template = zipkin_payloads.templates()[0]
    (request,) = zipkin_payloads.posts(template, 1, _NOW_NS, np.random.default_rng(1))
    head, _, rest = request.partition(b"\r\n\r\n")
    size, _, chunk = rest.partition(b"\r\n")
    assert head.startswith(b"POST /api/v2/spans HTTP/1.1\r\n")
    assert b"transfer-encoding: chunked" in head
    assert chunk[int(size, 16) :] == b"\r\n0\r\n\r\n"
    assert len(decode(chunk[: int(size, 16)]).columns) == zipkin_payloads.SPANS_PER_POST


def test_otlp_requests_hold_512_spans_with_ids_and_times_of_their_own() -> None:
    (template,) = otlp_payloads.templates(1, seed=3)
    payloads = stamped(template, 3, _NOW_NS, np.random.default_rng(1))
    requests = [ExportTraceServiceRequest.FromString(payload) for payload in payloads]
    spans = [span for request in requests for span in request.resource_spans[0].scope_spans[0].spans]
    assert len(spans) == 3 * otlp_payloads.SPANS_PER_REQUEST
    assert len({span.span_id for span in spans}) == len(spans)
    assert len({span.trace_id for span in spans}) == 3 * 52
    assert 8 <= sum(len(span.attributes) for span in spans) / len(spans) <= 11
    assert all(_NOW_NS - 3 * 10**9 < span.start_time_unix_nano < span.end_time_unix_nano <= _NOW_NS for span in spans)


def test_otlp_requests_keep_every_parent_in_its_trace() -> None:
    (template,) = otlp_payloads.templates(1, seed=3)
    (payload,) = stamped(template, 1, _NOW_NS, np.random.default_rng(1))
    spans = ExportTraceServiceRequest.FromString(payload).resource_spans[0].scope_spans[0].spans
    traces = {span.span_id: span.trace_id for span in spans}
    children = [span for span in spans if span.parent_span_id]
    assert len(children) == 512 - 52
    assert all(traces[span.parent_span_id] == span.trace_id for span in children)
