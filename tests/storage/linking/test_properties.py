"""What holds for every trace, however broken."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.linking.link_span import NOWHERE, LocalEndpoint, link_span_of
from storage.linking.linker import link_traces
from storage.linking.merge import merge
from storage.linking.tree import Node, tree_of
from storage.span import Span
from tests.storage.linking.traces import TRACES


def links_of(spans: list[Span]) -> object:
    return link_traces([[link_span_of(span) for span in spans]])


def nodes_below(root: Node) -> list[Node]:
    found = [root]
    for node in found:
        found.extend(node.children)
    return found


@settings(deadline=None)
@given(TRACES, st.randoms(use_true_random=False))
def test_links_do_not_depend_on_the_order_of_arrival(spans: list[Span], chance: Random) -> None:
    shuffled = list(spans)
    chance.shuffle(shuffled)
    assert links_of(shuffled) == links_of(spans)


@settings(deadline=None)
@given(TRACES, st.data())
def test_links_do_not_change_when_spans_are_repeated(spans: list[Span], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(spans), max_size=5)) if spans else []
    assert links_of([*spans, *repeated]) == links_of(spans)


@settings(deadline=None)
@given(TRACES)
def test_every_merged_span_has_exactly_one_place_unless_its_ancestors_form_a_circle(spans: list[Span]) -> None:
    merged = merge(link_span_of(span) for span in spans)
    placed = Counter(node.span for node in nodes_below(tree_of(link_span_of(span) for span in spans)) if node.span)
    unplaced = Counter(merged) - placed
    assert placed + unplaced == Counter(merged)
    assert all(span.parent_span_id in {other.span_id for other in unplaced} for span in unplaced if not span.shared)
    assert all(span.span_id in {other.span_id for other in unplaced} for span in unplaced if span.shared)


@settings(deadline=None)
@given(TRACES)
def test_span_stands_below_a_shared_half_of_its_own_endpoint_or_service_only(spans: list[Span]) -> None:
    """An address must be the same in full (reference 5.2); a service without one finds its half wherever that is."""
    root = tree_of(link_span_of(span) for span in spans)
    halves = {(node.span.span_id, node.span.service) for node in nodes_below(root) if node.span and node.span.shared}
    for above in nodes_below(root):
        for child in (node.span for node in above.children if node.span and not node.span.shared):
            if above.span and above.span.shared and above.span.span_id == child.parent_span_id:
                assert child.local in (above.span.local, LocalEndpoint(above.span.service), NOWHERE)
            elif above.span and child.service and child.local == LocalEndpoint(child.service):
                assert (child.parent_span_id, child.service) not in halves


@settings(deadline=None)
@given(TRACES)
def test_links_have_names_and_no_more_errors_than_calls(spans: list[Span]) -> None:
    found = link_traces([[link_span_of(span) for span in spans]])
    assert all(link.parent and link.child and link.call_count >= 1 for link in found)
    assert all(0 <= link.error_count <= link.call_count for link in found)
    assert [(link.parent, link.child) for link in found] == sorted({(link.parent, link.child) for link in found})
