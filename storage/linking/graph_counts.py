"""The service graph of calls that were counted and added up: what a store reads from its sums, made into values."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.graph_rows import NAMED_SERVICE, UNKNOWN
from storage.requests import GraphEdge, GraphNode, NodeKey, NodeKind, ServiceGraph

_PAIR = ("parent", "parent_kind", "child", "child_kind")
_BUCKET = (*_PAIR, "latency")
_SERVICE = int(NodeKind.SERVICE)


def graph_of_counts(calls: pa.Table) -> ServiceGraph:
    """The graph of GRAPH_CALLS. Rows of one pair add up, those of one pair and bucket too, and errors of any bucket.

    What adds up to no calls is not in the graph.
    """
    totals = _summed(calls, _PAIR)
    if not totals.num_rows:
        return ServiceGraph()
    instrumented = {
        name
        for end in ("parent", "child")
        for name in totals.filter(pc.equal(totals[f"{end}_kind"], _SERVICE))[end].unique().to_pylist()
    }
    buckets = _with_kinds_of_nodes(_summed(calls.filter(pc.not_equal(calls["latency"], UNKNOWN)), _BUCKET))
    edges = _edges(_summed(_with_kinds_of_nodes(totals), _PAIR), _summed(buckets, _BUCKET))
    nodes = sorted({key for edge in edges for key in (edge.parent, edge.child)})
    return ServiceGraph(
        tuple(GraphNode(key, key.kind is NodeKind.SERVICE and key.name in instrumented) for key in nodes), edges
    )


def _summed(calls: pa.Table, by: Sequence[str]) -> pa.Table:
    summed = calls.group_by(by).aggregate([("calls", "sum"), ("errors", "sum")])
    summed = summed.rename_columns([*by, "calls", "errors"])
    return summed.filter(pc.not_equal(summed["calls"], 0))


def _with_kinds_of_nodes(calls: pa.Table) -> pa.Table:
    for column in ("parent_kind", "child_kind"):
        is_named = pc.equal(calls[column], NAMED_SERVICE)
        kinds = pc.if_else(is_named, pa.scalar(_SERVICE, pa.uint8()), calls[column])
        calls = calls.set_column(calls.schema.get_field_index(column), column, kinds)
    return calls


def _edges(totals: pa.Table, buckets: pa.Table) -> tuple[GraphEdge, ...]:
    sorted_buckets = buckets.sort_by([(name, "ascending") for name in _BUCKET])
    latencies: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    names = (sorted_buckets[name].to_pylist() for name in (*_BUCKET, "calls"))
    for *pair, latency, calls in zip(*names, strict=True):
        latencies.setdefault(tuple(pair), []).append((latency, calls))
    rows = totals.sort_by([(name, "ascending") for name in _PAIR]).select([*_PAIR, "calls", "errors"])
    return tuple(
        GraphEdge(
            NodeKey(parent, NodeKind(parent_kind)),
            NodeKey(child, NodeKind(child_kind)),
            calls,
            errors,
            tuple(latencies.get((parent, parent_kind, child, child_kind), ())),
        )
        for parent, parent_kind, child, child_kind, calls, errors in zip(
            *(column.to_pylist() for column in rows.columns), strict=True
        )
    )
