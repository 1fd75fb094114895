"""The service graph of calls that were counted and added up: what a store reads from its sums, made into values."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.latency_buckets import BUCKETS, Histogram
from storage.linking.graph_rows import NAMED_SERVICE, UNKNOWN
from storage.linking.row_index import Ints
from storage.requests import GraphEdge, GraphNode, NodeKey, NodeKind, ServiceGraph

_KINDS = len(NodeKind)


class _Counts(NamedTuple):
    """Sums of calls, by rising key."""

    key: Ints
    calls: Ints
    errors: Ints


def graph_of_counts(calls: pa.Table) -> ServiceGraph:
    """The graph of GRAPH_CALLS. Rows of one pair add up, and of one pair and bucket, errors in whichever they stand.

    What adds up to no calls is not in the graph.

    They are added up by numbers, which rise as nodes do: 10 CPU ms for 100,000 rows, of which Arrow's grouping by texts
    took 100.
    """
    if not calls.num_rows:
        return ServiceGraph()
    names, parent, child = _numbered_names(calls)
    parent_kind, child_kind = _ints(calls, "parent_kind"), _ints(calls, "child_kind")
    nodes = len(names) * _KINDS
    pair = _numbered_nodes(parent, parent_kind) * nodes + _numbered_nodes(child, child_kind)
    told = (parent_kind != NAMED_SERVICE) * 2 + (child_kind != NAMED_SERVICE)
    errors = _ints(calls, "errors")
    counts, latency = _ints(calls, "calls"), _ints(calls, "latency")
    rows = _added(pair * 4 + told, counts, errors)
    reporting = np.concatenate((rows.key[rows.key & 2 > 0] // 4 // nodes, rows.key[rows.key & 1 > 0] // 4 % nodes))
    instrumented = frozenset(np.unique(reporting).tolist())
    numbers = np.unique(np.divmod(rows.key // 4, nodes)).tolist()
    keys = {number: NodeKey(names[number // _KINDS], NodeKind(number % _KINDS)) for number in numbers}
    known = latency != UNKNOWN
    buckets = _added((pair * BUCKETS + latency)[known], counts[known], errors[known])
    return ServiceGraph(
        tuple(GraphNode(key, key.kind is NodeKind.SERVICE and number in instrumented) for number, key in keys.items()),
        _edges(_added(rows.key // 4, rows.calls, rows.errors), buckets, keys, nodes),
    )


def _numbered_names(calls: pa.Table) -> tuple[Sequence[str], Ints, Ints]:
    """All names in order, and of each row the number of the parent's and of the child's."""
    ends = pa.chunked_array([*calls["parent"].chunks, *calls["child"].chunks], pa.string()).combine_chunks()
    encoded = ends.dictionary_encode()
    found = encoded.dictionary.to_pylist()
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(found), np.int64)
    rank[order] = np.arange(len(found))
    numbers = rank[encoded.indices.to_numpy()]
    return [found[place] for place in order], numbers[: calls.num_rows], numbers[calls.num_rows :]


def _numbered_nodes(name: Ints, kind: Ints) -> Ints:
    numbers: Ints = name * _KINDS + np.where(kind == NAMED_SERVICE, int(NodeKind.SERVICE), kind)
    return numbers


def _added(key: Ints, calls: Ints, errors: Ints) -> _Counts:
    order = np.argsort(key, kind="stable")
    key = key[order]
    firsts = _firsts(key)
    if not firsts.size:
        return _Counts(key, calls, errors)
    added = np.add.reduceat(calls[order], firsts)
    some = added != 0
    return _Counts(key[firsts][some], added[some], np.add.reduceat(errors[order], firsts)[some])


def _edges(pairs: _Counts, buckets: _Counts, keys: Mapping[int, NodeKey], nodes: int) -> tuple[GraphEdge, ...]:
    """A pair's key: the parent's number times `nodes`, and the child's. A bucket's: that times BUCKETS, plus it."""
    of_pair, bucket = np.divmod(buckets.key, BUCKETS)
    columns = (
        *np.divmod(pairs.key, nodes),
        pairs.calls,
        pairs.errors,
        np.searchsorted(of_pair, pairs.key),
        np.searchsorted(of_pair, pairs.key, side="right"),
    )
    return tuple(
        GraphEdge(
            keys[parent],
            keys[child],
            calls,
            errors,
            Histogram(bucket[begin:end], buckets.calls[begin:end]),
        )
        for parent, child, calls, errors, begin, end in zip(*(each.tolist() for each in columns), strict=True)
    )


def _firsts(rising: Ints) -> Ints:
    """Where each of the distinct values begins."""
    return np.flatnonzero(np.diff(rising, prepend=rising[:1] - 1))


def _ints(calls: pa.Table, name: str) -> Ints:
    values: Ints = calls[name].combine_chunks().to_numpy().astype(np.int64, copy=False)
    return values
