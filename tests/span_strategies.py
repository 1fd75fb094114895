"""Hypothesis strategies: any span the model can hold, so within the types of storage.batch.SPAN_SCHEMA."""

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from storage.attributes import AttributeValue
from storage.ids import SpanId, TraceId
from storage.span import Endpoint, Event, Link, Protocol, Resource, Scope, Span, SpanKind, StatusCode

T = TypeVar("T")

int64s = st.integers(-(2**63), 2**63 - 1)
uint32s = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
trace_ids = st.binary(min_size=16, max_size=16).map(TraceId)
span_ids = st.binary(min_size=8, max_size=8).map(SpanId)


def attribute_values() -> st.SearchStrategy[AttributeValue]:
    scalars = st.one_of(st.none(), st.booleans(), int64s, st.floats(), texts, st.binary(max_size=12))
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )


def made(
    kind: Callable[..., T], /, *parts: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]
) -> st.SearchStrategy[T]:
    """`kind(*parts, **named)`; st.builds would resolve a Struct's annotations, which name each other across modules."""
    return st.tuples(st.tuples(*parts), st.fixed_dictionaries(named)).map(lambda both: kind(*both[0], **both[1]))


attributes = st.dictionaries(texts, attribute_values(), max_size=4)


def events() -> st.SearchStrategy[Event]:
    return made(Event, int64s, texts, attributes, uint32s)


def links() -> st.SearchStrategy[Link]:
    return made(Link, trace_ids, span_ids, texts, attributes, uint32s, uint32s)


def endpoints(*, named: bool) -> st.SearchStrategy[Endpoint]:
    """Endpoints as decoders make them: absent is None, never "" or 0."""
    present = texts.filter(bool)
    return made(
        Endpoint,
        st.none() | present if named else st.none(),
        st.none() | st.ip_addresses(v=4).map(str),
        st.none() | st.ip_addresses(v=6).map(str),
        st.none() | st.integers(1, 65535),
    )


def spans() -> st.SearchStrategy[Span]:
    return made(
        Span,
        trace_id=trace_ids,
        span_id=span_ids,
        parent_span_id=st.none() | span_ids.filter(any),
        name=st.none() | texts,
        kind=st.sampled_from(SpanKind),
        start_ns=st.none() | int64s,
        duration_ns=st.none() | int64s,
        service=st.none() | texts,
        status_code=st.sampled_from(StatusCode),
        status_message=texts,
        protocol=st.sampled_from(Protocol),
        attributes=attributes,
        events=st.lists(events(), max_size=2).map(tuple),
        links=st.lists(links(), max_size=2).map(tuple),
        resource=made(Resource, attributes, uint32s, texts),
        scope=made(Scope, texts, texts, attributes, uint32s, texts),
        trace_state=texts,
        flags=uint32s,
        dropped_attributes=uint32s,
        dropped_events=uint32s,
        dropped_links=uint32s,
        debug=st.booleans(),
        shared=st.booleans(),
        local=endpoints(named=False),
        remote=endpoints(named=True),
    )
