"""The service graph of calls that were counted and added up: what a store reads from its sums, made into values."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.graph_rows import NAMED_SERVICE, UNKNOWN
from storage.requests import GraphEdge, GraphNode, NodeKey, NodeKind, ServiceGraph

_PAIR = ("parent", "parent_kind", "child", "child_kind")
_SERVICE = int(NodeKind.SERVICE)


def graph_of_counts(calls: pa.Table) -> ServiceGraph:
    """The graph of GRAPH_CALLS. Rows of one pair and bucket add up; what adds up to no calls is not in the graph."""
    summed = _summed(calls)
    if not summed.num_rows:
        return ServiceGraph()
    instrumented = {
        name
        for end in ("parent", "child")
        for name in summed.filter(pc.equal(summed[f"{end}_kind"], _SERVICE))[end].unique().to_pylist()
    }
    for column in ("parent_kind", "child_kind"):
        is_named = pc.equal(summed[column], NAMED_SERVICE)
        kinds = pc.if_else(is_named, pa.scalar(_SERVICE, pa.uint8()), summed[column])
        summed = summed.set_column(summed.schema.get_field_index(column), column, kinds)
    edges = _edges(_summed(summed))
    nodes = sorted({key for edge in edges for key in (edge.parent, edge.child)})
    return ServiceGraph(
        tuple(GraphNode(key, key.kind is NodeKind.SERVICE and key.name in instrumented) for key in nodes), edges
    )


def _summed(calls: pa.Table) -> pa.Table:
    summed = calls.group_by([*_PAIR, "latency"]).aggregate([("calls", "sum"), ("errors", "sum")])
    summed = summed.rename_columns([*_PAIR, "latency", "calls", "errors"])
    return summed.filter(pc.not_equal(summed["calls"], 0))


def _edges(summed: pa.Table) -> tuple[GraphEdge, ...]:
    rows = summed.sort_by([(name, "ascending") for name in (*_PAIR, "latency")]).combine_chunks()
    codes = [rows[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in _PAIR]
    starts = np.flatnonzero(np.any([np.diff(code, prepend=-1) != 0 for code in codes], axis=0))
    latencies, calls, errors = (rows[name].to_pylist() for name in ("latency", "calls", "errors"))
    pairs = rows.select(_PAIR).take(pa.array(starts)).to_pylist()
    edges = []
    for pair, first, end in zip(pairs, starts.tolist(), [*starts.tolist()[1:], rows.num_rows], strict=True):
        known = first + (latencies[first] == UNKNOWN)
        edges.append(
            GraphEdge(
                NodeKey(pair["parent"], NodeKind(pair["parent_kind"])),
                NodeKey(pair["child"], NodeKind(pair["child_kind"])),
                sum(calls[first:end]),
                sum(errors[first:end]),
                tuple(zip(latencies[known:end], calls[known:end], strict=True)),
            )
        )
    return tuple(edges)
