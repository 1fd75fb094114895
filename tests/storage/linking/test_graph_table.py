"""The service graph of a table of spans equals that of the definition, its links those of the linker."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from storage.attributes import Attributes
from storage.ids import TraceId
from storage.linking.graph import MINUTE_NS, graph_of_traces
from storage.linking.graph_change import GRAPH_CHANGE_TABLE, change_of_sums, graph_change_within
from storage.linking.graph_counts import graph_of_counts
from storage.linking.graph_table import GRAPH_CALLS, GRAPH_TABLE, Describe, graph_calls_of_table, sums_of_table
from storage.linking.link_span import link_span_of
from storage.linking.peer import PEER_KEYS, PEER_KINDS, REMOTE_ADDRESS, described_peer
from storage.linking.peer_table import peers_of
from storage.linking.row_index import Ints
from storage.linking.table import calls_by_bucket
from storage.requests import ServiceGraph
from storage.span import Endpoint, Span
from tests.builders import SECOND
from tests.storage.linking.traces import TRACES, sane_traces

WORDS = [
    "a",
    "B",
    "0",
    "true",
    "x://u:p@h:1/p",
    "HTTP://[::1]:80/",
    "x://a@b@c",
    "no url",
    "h:80",
    "[::1]:80",
    "",
    "ΑΣ",
]
ATTRIBUTES: st.SearchStrategy[Attributes] = st.dictionaries(
    st.sampled_from(["error", *(key for key in PEER_KEYS if key != REMOTE_ADDRESS)]),
    st.sampled_from([*WORDS, True, 1, None]),
    max_size=4,
)
DURATIONS = st.none() | st.sampled_from([-1, 0, 1, 1000, 1_000_000, 2**62])


@st.composite
def described_traces(draw: st.DrawFn, number: int = 1) -> list[Span]:
    """A trace, sane or not, whose spans describe far ends and last for some time."""
    trace_id = TraceId(number.to_bytes(16, "big"))
    starts = st.none() | st.sampled_from([1, 2, SECOND, MINUTE_NS, MINUTE_NS + SECOND, 3 * MINUTE_NS])
    spans = draw(TRACES | sane_traces(trace_id, starts=starts))
    return [
        replace(
            span,
            trace_id=trace_id,
            attributes=draw(ATTRIBUTES),
            duration_ns=draw(DURATIONS),
            remote=Endpoint(span.remote.service, draw(st.sampled_from([None, None, "10.0.0.9"]))),
        )
        for span in spans
    ]


def texts_of(span: Span) -> list[str | None]:
    """What a store reads for `peers_of`."""
    values = {**span.attributes, REMOTE_ADDRESS: span.remote.ipv4 or span.remote.ipv6}
    found = ("true" if (value := values.get(key)) is True else value for key in PEER_KEYS)
    return [value if isinstance(value, str) else None for value in found]


def graph_table(traces: list[list[Span]], schema: pa.Schema = GRAPH_TABLE) -> pa.Table:
    """GRAPH_TABLE (or GRAPH_CHANGE_TABLE, in which every span counts after) of these traces."""
    rows = [
        {
            "trace": number,
            "written": at,
            "span_id": int.from_bytes(span.span_id, "big"),
            "parent_span_id": int.from_bytes(span.parent_span_id, "big") if span.parent_span_id else None,
            "start_ns": span.start_ns,
            "kind": int(span.kind),
            "shared": span.shared,
            "service": span.service,
            "local_ipv4": span.local.ipv4,
            "local_ipv6": span.local.ipv6,
            "local_port": span.local.port,
            "remote_service": span.remote.service,
            "error": link_span_of(span).error,
            "duration_ns": span.duration_ns,
            "before": False,
            "after": True,
        }
        for number, spans in enumerate(traces)
        for at, span in enumerate(spans)
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def describing(traces: list[list[Span]]) -> Describe:
    spans = [span for trace in traces for span in trace]

    def describe(rows: Ints) -> pa.ListArray:
        asked = [spans[row] for row in rows.tolist()]
        assert all(span.kind in PEER_KINDS for span in asked)
        return pa.array([texts_of(span) for span in asked], pa.list_(pa.string()))

    return describe


def defined(traces: list[list[Span]]) -> ServiceGraph:
    return graph_of_traces([link_span_of(span) for span in trace] for trace in traces)


@st.composite
def some_traces(draw: st.DrawFn) -> list[list[Span]]:
    traces = [draw(described_traces(number)) for number in range(1, draw(st.integers(1, 4)))]
    return [trace for trace in traces if any(span.start_ns is not None for span in trace)]


@settings(deadline=None)
@given(some_traces())
def test_a_table_gives_the_graph_of_the_definition(traces: list[list[Span]]) -> None:
    calls = graph_calls_of_table(graph_table(traces), -(2**62), 2**62, describing(traces))
    assert calls.schema.equals(GRAPH_CALLS)
    assert graph_of_counts(calls) == defined(traces)


@settings(deadline=None)
@given(some_traces())
def test_sums_have_the_links_by_second_and_the_graph_by_minute(traces: list[list[Span]]) -> None:
    table = graph_table(traces)
    sums = sums_of_table(table, SECOND, describing(traces))
    key = ["bucket", "parent", "child"]
    links = [
        found.group_by(key)
        .aggregate([("calls", "sum"), ("errors", "sum")])
        .sort_by([(name, "ascending") for name in key])
        for found in (sums.links, calls_by_bucket(table, SECOND))
    ]
    assert links[0] == links[1]
    for minute in range(4):
        first_ns = minute * MINUTE_NS
        asked = graph_calls_of_table(table, first_ns, first_ns + MINUTE_NS - 1, describing(traces))
        of_minute = sums.graph.filter(pa.compute.equal(sums.graph["minute"], minute))
        assert graph_of_counts(of_minute) == graph_of_counts(asked)


@settings(deadline=None)
@given(some_traces(), st.data())
def test_changes_add_up_to_what_there_is_now(traces: list[list[Span]], data: st.DataObject) -> None:
    table = graph_table(traces, GRAPH_CHANGE_TABLE)
    before = pa.array(data.draw(st.lists(st.booleans(), min_size=table.num_rows, max_size=table.num_rows)), pa.bool_())
    change = table.set_column(table.schema.get_field_index("before"), "before", before)
    held = table.filter(before)
    kept = [span for trace in traces for span in trace]
    held_spans = [[span for span, is_held in zip(kept, before.to_pylist(), strict=True) if is_held]]
    past = sums_of_table(held.select(GRAPH_TABLE.names), SECOND, describing(held_spans)).graph
    changed = change_of_sums(change, SECOND, describing(traces)).graph
    always = (-(2**62), 2**62)
    assert graph_of_counts(pa.concat_tables([past, changed])) == defined(traces)
    within = graph_change_within(change, always, always, describing(traces))
    assert graph_of_counts(pa.concat_tables([past.select(GRAPH_CALLS.names), within])) == defined(traces)


@given(
    st.lists(st.lists(st.none() | st.sampled_from(WORDS), min_size=len(PEER_KEYS), max_size=len(PEER_KEYS)), max_size=6)
)
def test_many_descriptions_are_read_as_each_alone(rows: list[list[str | None]]) -> None:
    found = peers_of(pa.array(rows, pa.list_(pa.string())))
    described = [described_peer({key: text for key, text in zip(PEER_KEYS, row, strict=True) if text}) for row in rows]
    assert [found.found[number] for number in found.number.tolist()] == described


def test_hosts_of_urls_and_of_authorities_are_reduced_before_they_are_looked_at() -> None:
    urls = [f"https://u:p@api.example.com:443/{number}?q=a@b" for number in range(100)]
    rows = [[urls[number] if key == "url.full" else None for key in PEER_KEYS] for number in range(100)]
    found = peers_of(pa.array(rows, pa.list_(pa.string())))
    assert [peer.name for peer in found.found if peer] == ["api.example.com"]
    assert set(found.number.tolist()) == {1}
