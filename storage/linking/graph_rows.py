"""The calls of plain traces for the service graph: the rules of `graph`, for whole columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from storage.latency_buckets import BUCKETS
from storage.linking.columns import CHILD, PARENT, Kinds, LinkColumns, LonelyCalls, ToldCalls
from storage.linking.peer import PEER_KINDS
from storage.linking.peer_table import Peers
from storage.linking.row_index import Bools, Ints
from storage.linking.rows import Names
from storage.requests import NodeKind
from storage.span import SpanKind

NAMED_SERVICE = len(NodeKind)
"""Stands among the numbers of NodeKind for a SERVICE that did not tell of this call itself."""
UNKNOWN = -1
"""The bucket of a duration that is not known."""
_KINDS = NAMED_SERVICE + 1


class GraphRows(NamedTuple):
    """Calls, one each. parent, child: numbers of names. Kinds: of NodeKind, or NAMED_SERVICE."""

    group: Ints
    parent: Ints
    parent_kind: Ints
    child: Ints
    child_kind: Ints
    latency: Ints
    error: Bools


class CountedGraphRows(NamedTuple):
    """The same, each once and how often. error: whether they failed."""

    rows: GraphRows
    times: Ints


def rows_that_describe(spans: LinkColumns, told: ToldCalls, lonely: LonelyCalls, odd: Ints) -> Ints:
    """The rows whose far ends matter, rising."""
    naming = told.row[(told.named == CHILD) & (spans.kind[told.row] == SpanKind.CLIENT)]
    odd = odd[np.isin(spans.kind[odd], [int(kind) for kind in PEER_KINDS])]
    return np.sort(np.concatenate((naming, lonely.row, odd)))


def told_rows(told: ToldCalls, kind: Kinds, peer: Ints, peers: Peers, latency: Ints) -> GraphRows:
    """`graph` for what spans tell. kind, peer, latency: of each span, the peer as an index into `peers.found`."""
    described = np.array([NAMED_SERVICE if each is None else _naming_kind(each.kind) for each in peers.found])
    named_kind = np.where(_is_messaging(kind[told.row]), int(NodeKind.QUEUE), described[peer[told.row]])
    return GraphRows(
        told.group,
        told.parent.astype(np.int64),
        np.where(told.named == PARENT, named_kind, int(NodeKind.SERVICE)),
        told.child.astype(np.int64),
        np.where(told.named == CHILD, named_kind, int(NodeKind.SERVICE)),
        np.where(told.witnessed, latency[told.row], UNKNOWN),
        told.error,
    )


def lonely_rows(
    lonely: LonelyCalls, spans: LinkColumns, peer: Ints, peers: Peers, names: Names, latency: Ints
) -> GraphRows:
    """`graph` for the spans that tell nothing and may describe a far end; its name is added to the names."""
    kind = spans.kind[lonely.row]
    name_of_peer, kind_of_peer, peer_gives = (
        np.array(column)
        for column in zip(
            *(
                (0, NodeKind.EXTERNAL, False) if each is None else (names.number(each.name), each.kind, each.gives)
                for each in peers.found
            ),
            strict=True,
        )
    )
    far = peer[lonely.row]
    remote = spans.remote[lonely.row]
    name = np.where(remote != 0, remote, name_of_peer[far]).astype(np.int64)
    far_kind = np.where(_is_messaging(kind), int(NodeKind.QUEUE), kind_of_peer[far])
    gives = (kind == SpanKind.CONSUMER) | ((kind == SpanKind.CLIENT) & peer_gives[far])
    service = lonely.service.astype(np.int64)
    own_kind = np.full(len(service), int(NodeKind.SERVICE))
    rows = GraphRows(
        lonely.group,
        np.where(gives, name, service),
        np.where(gives, far_kind, own_kind),
        np.where(gives, service, name),
        np.where(gives, own_kind, far_kind),
        latency[lonely.row],
        spans.error[lonely.row],
    )
    return GraphRows(*(column[name != 0] for column in rows))


def counted_rows(calls: Sequence[GraphRows]) -> CountedGraphRows:
    """All these calls, equal ones once."""
    rows = GraphRows(*(np.concatenate(column) for column in zip(*calls, strict=True)))
    names = int(max(rows.parent.max(initial=0), rows.child.max(initial=0))) + 1
    # Counted by hashing, as `columns.counted`. All in one number would not always fit.
    parents = (rows.group * names + rows.parent) * _KINDS + rows.parent_kind
    pairs = pa.array((parents * names + rows.child) * _KINDS + rows.child_kind).dictionary_encode()
    pair = pairs.indices.to_numpy().astype(np.int64)
    found = pa.array((pair * (BUCKETS + 1) + rows.latency - UNKNOWN) * 2 + rows.error).value_counts()
    pair, rest = np.divmod(found.field("values").to_numpy(), 2 * (BUCKETS + 1))
    latency, error = np.divmod(rest, 2)
    key, child_kind = np.divmod(pairs.dictionary.to_numpy()[pair], _KINDS)
    key, child = np.divmod(key, names)
    key, parent_kind = np.divmod(key, _KINDS)
    group, parent = np.divmod(key, names)
    counted = GraphRows(group, parent, parent_kind, child, child_kind, latency + UNKNOWN, error.astype(np.bool_))
    return CountedGraphRows(counted, found.field("counts").to_numpy())


def _naming_kind(described: NodeKind) -> int:
    return NAMED_SERVICE if described is NodeKind.EXTERNAL else int(described)


def _is_messaging(kind: Kinds) -> Bools:
    messaging: Bools = (kind == SpanKind.PRODUCER) | (kind == SpanKind.CONSUMER)
    return messaging
