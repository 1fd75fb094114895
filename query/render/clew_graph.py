"""The service graph as clew's own JSON. The shape is told by `query.api.clew_docs`."""

from collections.abc import Sequence

import numpy as np

from query.render.jaeger_values import JsonObject
from storage.latency_buckets import quantiles_ns
from storage.requests import GraphEdge, NodeKey, ServiceGraph

MOST_EDGES = 5000
"""An answer has the most called of them; a service that calls some host by each user's name costs no more."""
_QUANTILES = {"p50Nano": 0.5, "p95Nano": 0.95, "p99Nano": 0.99}


def graph_json(graph: ServiceGraph, start_ns: int, end_ns: int) -> JsonObject:
    """The graph of the time from start_ns until before end_ns."""
    shown = sorted(sorted(graph.edges, key=lambda edge: -edge.calls)[:MOST_EDGES], key=_pair)
    instrumented = {node.key: node.instrumented for node in graph.nodes}
    keys = sorted({key for edge in shown for key in _pair(edge)})
    place = {key: at for at, key in enumerate(keys)}
    return {
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(end_ns),
        "nodes": [{"name": key.name, "kind": key.kind.name.lower(), "instrumented": instrumented[key]} for key in keys],
        "edges": [
            {
                "parent": place[edge.parent],
                "child": place[edge.child],
                "calls": edge.calls,
                "errors": edge.errors,
                **latencies,
            }
            for edge, latencies in zip(shown, _latencies(shown), strict=True)
        ],
        "edgesLeftOut": len(graph.edges) - len(shown),
    }


def _pair(edge: GraphEdge) -> tuple[NodeKey, NodeKey]:
    return edge.parent, edge.child


def _latencies(edges: Sequence[GraphEdge]) -> list[dict[str, str]]:
    """The quantiles of each edge; of one without any known duration none."""
    timed = [edge for edge in edges if len(edge.latencies)]
    found: dict[tuple[NodeKey, NodeKey], dict[str, str]] = {_pair(edge): {} for edge in edges}
    if timed:
        groups = np.repeat(np.arange(len(timed)), [len(edge.latencies) for edge in timed])
        buckets = np.concatenate([edge.latencies.buckets for edge in timed])
        counts = np.concatenate([edge.latencies.counts for edge in timed])
        for name, fraction in _QUANTILES.items():
            for edge, value_ns in zip(timed, quantiles_ns(groups, buckets, counts, fraction).tolist(), strict=True):
                found[_pair(edge)][name] = str(round(value_ns))
    return [found[_pair(edge)] for edge in edges]
