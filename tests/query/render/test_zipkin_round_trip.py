"""What reads as Zipkin JSON can be posted again, and reads the same: by the captured clients, and for any span."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.decode.zipkin_json_v2 import decode
from storage.ids import SpanId, TraceId
from storage.rows import span_of
from storage.span import Endpoint, Span, SpanKind
from tests import span_strategies as any_
from tests.query.render.documents import trace_json

BODIES = sorted((Path(__file__).parents[2] / "data").glob("*zipkin*.json"))


def read_back(body: bytes) -> bytes:
    """The JSON that the spans of a posted body read back as."""
    return trace_json([span_of(row) for row in decode(body).columns.to_batch(received_ns=1).rows()])


def as_zipkin_writes(posted: dict[str, Any]) -> dict[str, Any]:
    """A span as a client wrote it, without what Zipkin drops and in its order (reference 2.2)."""
    span = {field: value for field, value in posted.items() if value not in (None, False, {}, [])}
    for field in {"localEndpoint", "remoteEndpoint"} & span.keys():
        span[field] = {key: value for key, value in span[field].items() if value}
    if "annotations" in span:
        span["annotations"] = sorted(span["annotations"], key=lambda found: (found["timestamp"], found["value"]))
    return span | {"name": span["name"].lower()}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.name))
def test_captured_body_reads_back_as_it_was_posted(body: Path) -> None:
    posted = json.loads(body.read_bytes())

    assert json.loads(read_back(body.read_bytes())) == [as_zipkin_writes(span) for span in posted]


def test_captured_bodies_of_envoy_and_both_sdks_are_among_those_read_back() -> None:
    assert {body.name.partition("-")[0] for body in BODIES} >= {"envoy", "otelpy", "otelnode"}


@st.composite
def spans_with_ids(draw: st.DrawFn) -> Span:
    """Any span a decoder can make: ids are not zero, an IPv4 address is not spelt as IPv6, a CLIENT is not shared."""
    span = draw(any_.spans())
    return replace(
        span,
        trace_id=TraceId(span.trace_id[:15] + b"\x01"),
        span_id=SpanId(span.span_id[:7] + b"\x01"),
        shared=span.shared and span.kind is not SpanKind.CLIENT,
        local=replace(span.local, ipv6=None),
        remote=Endpoint(span.remote.service, span.remote.ipv4, "2001:db8::1", span.remote.port),
    )


@given(st.lists(spans_with_ids(), min_size=1, max_size=3))
def test_any_span_reads_the_same_when_its_json_is_posted_again(spans: list[Span]) -> None:
    once = trace_json(spans)

    assert read_back(once) == once


@given(st.lists(any_.spans(), max_size=3))
def test_any_span_is_written_as_json_that_old_javascript_can_evaluate(spans: list[Span]) -> None:
    written = trace_json(spans)

    assert len(json.loads(written)) == len(spans)
    assert not {"\u2028", "\u2029", "\n"} & set(written.decode())
