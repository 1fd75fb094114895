"""The tree of one trace. Source: Zipkin's SpanNode."""

from collections.abc import Iterable

from storage.ids import SpanId
from storage.linking.link_span import NOWHERE, LinkSpan, LocalEndpoint
from storage.linking.merge import merge


class Node:
    """A place in the tree. `span` is None only in the stand-in root of a trace whose root was not reported."""

    __slots__ = ("children", "span")

    def __init__(self, span: LinkSpan | None) -> None:
        self.span = span
        self.children: list[Node] = []


def tree_of(spans: Iterable[LinkSpan]) -> Node:
    """The root of the tree that these spans of one trace, merged first, form.

    A shared span stands below the other half of its id. Any other stands below the shared half of its parent's id at
    the same endpoint (or at any, when it has no endpoint), else, when its endpoint is a service without an address,
    below the first shared half of that service, else below the unshared one. The first span without a parent is the
    root; further ones, and those whose parent was not reported, stand below the root, which is a stand-in when every
    span has a parent. Siblings are ordered by start, an absent one first. Every merged span has one place, and is
    reached from the root unless its ancestors form a circle.

    The service without an address is not in Zipkin's rules, whose tracers know where they run. An OpenTelemetry SDK
    does not say, and behind a sidecar that shares its client's id the application's spans would stand below the
    client: the sidecar and the application would each count the one call.
    """
    nodes = [(Node(span), span) for span in merge(spans)]
    parents = _Parents(nodes)
    root = next((node for node, span in nodes if span.parent_span_id is None and not span.shared), None) or Node(None)
    for node, span in nodes:
        if node is not root:
            (parents.of(span) or root).children.append(node)
    for node, _ in nodes:
        node.children.sort(key=_start_ns)
    root.children.sort(key=_start_ns)
    return root


class _Parents:
    """Finds a span's parent among the nodes of one trace; the first in merge order where several claim one key."""

    def __init__(self, nodes: list[tuple[Node, LinkSpan]]) -> None:
        self._unshared: dict[SpanId, Node] = {}
        self._shared: dict[tuple[SpanId, LocalEndpoint], Node] = {}
        self._shared_of_service: dict[tuple[SpanId, LocalEndpoint], Node] = {}
        for node, span in nodes:
            if span.shared:
                self._shared.setdefault((span.span_id, span.local), node)
                self._shared.setdefault((span.span_id, NOWHERE), node)
                self._shared_of_service.setdefault((span.span_id, LocalEndpoint(span.service)), node)
            else:
                self._unshared.setdefault(span.span_id, node)

    def of(self, span: LinkSpan) -> Node | None:
        if span.shared:
            return self._unshared.get(span.span_id)
        if span.parent_span_id is None:
            return None
        place = (span.parent_span_id, span.local)
        return self._shared.get(place) or self._shared_of_service.get(place) or self._unshared.get(span.parent_span_id)


def _start_ns(node: Node) -> int:
    return node.span.start_ns or 0 if node.span else 0
