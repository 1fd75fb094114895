"""Traces as hypothesis makes them: few ids, services and starts, so that everything that can collide does."""

from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from storage.attributes import AttributeValue
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Protocol, Span, SpanKind, StatusCode

_NAMES = st.sampled_from([None, "", "web", "WEB", "app", "db", "ΣΣ"])
_IPS = st.sampled_from([None, None, "10.0.0.1", "10.0.0.2"])
_ATTRIBUTES: st.SearchStrategy[dict[str, AttributeValue]] = st.sampled_from(
    [
        {},
        {},
        {"error": "", "http.status_code": 500},
        {"error": False},
        {"http.status_code": 200},
        {"not.error": "x", "errors": "y"},
    ]
)


def span_ids(count: int) -> st.SearchStrategy[SpanId]:
    return st.integers(1, count).map(lambda number: SpanId(number.to_bytes(8, "big")))


@st.composite
def spans(draw: st.DrawFn, trace_id: TraceId, *, ids: int = 6, starts: st.SearchStrategy[int | None]) -> Span:
    """One span of that trace. Its parent may be missing, itself, or one that makes a circle."""
    return Span(
        trace_id=trace_id,
        span_id=draw(span_ids(ids)),
        parent_span_id=draw(st.none() | span_ids(ids + 1)),
        kind=draw(st.sampled_from(SpanKind)),
        start_ns=draw(starts),
        service=draw(_NAMES),
        status_code=draw(st.sampled_from(StatusCode)),
        protocol=draw(st.sampled_from(Protocol)),
        attributes=draw(_ATTRIBUTES),
        shared=draw(st.booleans()),
        local=Endpoint(
            None, draw(_IPS), draw(st.sampled_from([None, None, None, "::1"])), draw(st.none() | st.just(80))
        ),
        remote=Endpoint(draw(_NAMES)),
    )


STARTS = st.none() | st.integers(1, 5)

TRACES = st.lists(spans(TraceId(bytes(15) + b"\1"), starts=STARTS), max_size=12)
"""All spans of one trace, in the order they arrived."""


@st.composite
def sane_traces(draw: st.DrawFn, trace_id: TraceId, *, starts: st.SearchStrategy[int | None]) -> list[Span]:
    """A trace as working tracers send it: no id twice but shared ones, no circles, some spans lost on the way."""
    count = draw(st.integers(1, 12))
    found: list[Span] = []
    for number in range(1, count + 1):
        span = draw(spans(trace_id, starts=starts))
        parent = draw(st.integers(0, number - 1))
        changes: dict[str, Any] = {
            "span_id": _id(number),
            "parent_span_id": _id(parent) if parent else None,
            "shared": False,
        }
        found.append(replace(span, **changes))
        if draw(st.integers(0, 3)) == 0:
            half = draw(spans(trace_id, starts=starts))
            found.append(replace(half, **changes | {"shared": True, "kind": SpanKind.SERVER}))
    return [span for span in draw(st.permutations(found)) if draw(st.integers(0, 9))]


def _id(number: int) -> SpanId:
    return SpanId(number.to_bytes(8, "big"))
