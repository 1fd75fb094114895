"""Traces as broken as they come, for hypothesis."""

from hypothesis import strategies as st

from storage.span import Endpoint, Protocol, Resource, Span, SpanKind
from tests.builders import MS, TODAY_NS, a_span

small = st.integers(1, 4)


@st.composite
def tangled_traces(draw: st.DrawFn) -> list[Span]:
    """Spans of one trace whose ids, parents, kinds, hosts and times collide, some sent twice; names are unique."""
    spans = [
        a_span(
            span=draw(small),
            parent=draw(st.none() | small),
            name=f"span {number}",
            kind=draw(st.sampled_from(SpanKind)),
            shared=draw(st.booleans()),
            protocol=draw(st.sampled_from(Protocol)),
            service=draw(st.sampled_from(["front", "front.default", "back"])),
            start_ns=draw(st.none() | small.map(lambda step: TODAY_NS + step * MS)),
            duration_ns=draw(st.none() | small.map(lambda step: (step - 1) * MS)),
            local=draw(st.sampled_from([Endpoint(), Endpoint(ipv4="10.0.0.1")])),
            resource=draw(st.sampled_from([Resource(), Resource({"host.name": "h"})])),
            attributes=draw(st.sampled_from([{}, {"telemetry.sdk.name": "a"}, {"telemetry.sdk.name": "b"}])),
        )
        for number in range(draw(st.integers(1, 8)))
    ]
    return spans + draw(st.lists(st.sampled_from(spans), max_size=3))
