"""The linker for millions of spans: the rules of `linker`, applied to whole columns instead of to one span at a time.

A trace is plain when no two of its spans have one id and one shared flag. Then nothing needs merging, a parent is
found by its key, and the rules become a few array operations. Traces that are not plain (repeated spans, spans in
pieces, several servers of one id) are named to the caller, who gives them to `linker`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from storage.span import SpanKind

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.uint8]

_NO_KIND, _SERVER, _CLIENT, _PRODUCER, _CONSUMER = (
    np.uint8(kind)
    for kind in (SpanKind.UNSPECIFIED, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
)
_TOP_KIND = np.uint8(255)
_ID_BITS = np.uint64(40)
MAX_TRACES = 1 << 24
"""How many traces one LinkColumns may hold: what is left of a 64-bit key beside the bits of the span id."""


@dataclass(frozen=True, slots=True)
class LinkColumns:
    """The spans of whole traces, a row each, in any order: `LinkSpan` in columns.

    trace: number of the trace, 0 to below MAX_TRACES; all rows of a trace are here. parent_span_id: 0 when absent,
    never span_id. kind: UNSPECIFIED or one of LINKED_KINDS. service, remote: numbers of names, 0 when absent.
    address: equal for equal local addresses (with their ports), 0 when absent.
    """

    trace: Ints
    span_id: Ids
    parent_span_id: Ids
    kind: Kinds
    shared: Bools
    service: Ints
    address: Ints
    remote: Ints
    error: Bools

    def take(self, rows: Ints) -> "LinkColumns":
        """These rows, in this order."""
        return LinkColumns(*(getattr(self, name)[rows] for name in self.__slots__))


class Calls(NamedTuple):
    """Calls between named services, as numbers of names, and how often; one row a (parent, child, error)."""

    parent: Ints
    child: Ints
    error: Bools
    times: Ints


def link_plain_traces(spans: LinkColumns, asked: Bools) -> tuple[Calls, LinkColumns]:
    """The calls that the plain ones of the asked traces show, and all rows of the asked ones that are not plain.

    asked: whether to link a trace, by its number. The rows given back stand together by trace.
    """
    keys = _keys(spans.trace, spans.span_id, spans.shared)
    order = np.argsort(keys)
    keys = keys[order]
    trace = keys >> _ID_BITS
    is_odd = np.zeros(len(asked), np.bool_)
    is_odd[trace[1:][keys[1:] == keys[:-1]]] = True
    plain = (asked & ~is_odd)[trace]
    odd = order[(asked & is_odd)[trace]]
    return _calls(_tree(spans.take(order[plain]), keys[plain])), spans.take(odd)


def _keys(trace: Ints, span_id: Ids, shared: Bools) -> Ids:
    """Sorts rows by trace. Two ids may share a key: such a trace looks as if an id came twice, so it is not plain."""
    mixed = (span_id ^ span_id >> np.uint64(32)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(29)) + shared
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    return trace.astype(np.uint64) << _ID_BITS | mixed >> np.uint64(64) - _ID_BITS


@dataclass(frozen=True, slots=True)
class _Tree:
    """Plain traces with everyone's place. A row number of len(spans) is no row: the top.

    spans: as merged. above: the row above each. root: whether it is its trace's root. reached: False where the rows
    above form a circle.
    """

    spans: LinkColumns
    above: Ints
    root: Bools
    reached: Bools


def _tree(spans: LinkColumns, keys: Ids) -> _Tree:
    """`merge` and `tree_of` for plain traces whose rows are sorted by key."""
    size = len(keys)
    client_half = np.full(size, size)
    shared = np.flatnonzero(spans.shared)
    client_half[shared] = _find(spans, keys, spans.trace[shared], spans.span_id[shared], False)
    spans = _merged(spans, client_half)
    root_of_trace = _roots(spans)
    root_row = root_of_trace[spans.trace]
    root = root_row == np.arange(size)
    above = np.where(spans.shared, client_half, _parents(spans, keys, shared))
    above = np.where(root, size, np.where(above == size, root_row, above))
    reached = _ends(above) == size
    return _Tree(spans, np.where(reached, above, size), root, reached)


def _find(spans: LinkColumns, keys: Ids, trace: Ints, span_id: Ids, shared: bool) -> Ints:
    """The row of each (trace, span_id, shared) asked; len(spans) when there is none."""
    size = len(keys)
    if not size:
        return np.full(len(trace), size)
    at = np.searchsorted(keys, _keys(trace, span_id, np.broadcast_to(np.bool_(shared), trace.shape)))
    at[at == size] = 0
    same = (spans.span_id[at] == span_id) & (spans.trace[at] == trace) & (spans.shared[at] == shared)
    return np.where(same, at, size)


def _merged(spans: LinkColumns, client_half: Ints) -> LinkColumns:
    """Shared halves learn the parent from the client half; a lone shared span without a parent is not shared."""
    parent = spans.parent_span_id.copy()
    heirs = np.flatnonzero(spans.shared & (parent == 0) & (client_half < len(parent)))
    parent[heirs] = parent[client_half[heirs]]
    parentless = parent == 0
    per_trace = np.bincount(spans.trace[parentless], minlength=_trace_count(spans))
    lone = parentless & (per_trace[spans.trace] == 1)
    return replace(spans, parent_span_id=parent, shared=spans.shared & ~lone)


def _roots(spans: LinkColumns) -> Ints:
    """The row of each trace's root: of the spans without a parent that one with the least id."""
    roots = np.flatnonzero((spans.parent_span_id == 0) & ~spans.shared)
    roots = roots[np.lexsort((spans.span_id[roots], spans.trace[roots]))]
    traces, first = np.unique(spans.trace[roots], return_index=True)
    root_of_trace = np.full(_trace_count(spans), len(spans.trace))
    root_of_trace[traces] = roots[first]
    return root_of_trace


def _trace_count(spans: LinkColumns) -> int:
    return int(spans.trace[-1]) + 1 if spans.trace.size else 0


def _parents(spans: LinkColumns, keys: Ids, shared: Ints) -> Ints:
    """Where the span stands that each unshared one names as its parent: the shared half it is within, else the other.

    shared: the rows that carry the shared flag as it was reported, which the keys are made of.
    """
    size = len(keys)
    above = np.full(size, size)
    children = np.flatnonzero(~spans.shared & (spans.parent_span_id != 0))
    above[children] = _find(spans, keys, spans.trace[children], spans.parent_span_id[children], False)
    if shared.size:
        has_shared = np.zeros(_trace_count(spans), np.bool_)
        has_shared[spans.trace[shared]] = True
        children = children[has_shared[spans.trace[children]]]
        half = _find(spans, keys, spans.trace[children], spans.parent_span_id[children], True)
        children, half = children[half < size], half[half < size]
        fits = _is_within(spans, children, half)
        above[children[fits]] = half[fits]
    return above


def _is_within(spans: LinkColumns, children: Ints, half: Ints) -> Bools:
    """Whether each child may stand below this shared half of its parent's id: `tree.tree_of`."""
    service, address = spans.service[children], spans.address[children]
    same_service = service == spans.service[half]
    here = same_service & ((address == 0) | (address == spans.address[half]))
    nowhere = (service == 0) & (address == 0)
    within: Bools = here | nowhere
    return within


def _ends(step: Ints) -> Ints:
    """Where each row comes out when it takes `step` until it stays, by doubling: len(step) is the top and stays.

    A row that never stays (a circle) gives some row of the circle.
    """
    ends = np.append(step, len(step))
    for _ in range(len(ends).bit_length() + 1):
        further = ends[ends]
        if np.array_equal(further, ends):
            break
        ends = further
    return ends[:-1]


def _calls(tree: _Tree) -> Calls:
    """The rules of `linker._calls_at`, for all rows at once."""
    spans, size = tree.spans, len(tree.above)
    kind = _effective_kinds(tree)
    asks_up = (kind == _CLIENT) | (kind == _SERVER)
    row_kind = np.append(spans.kind, _TOP_KIND)
    step = np.where(row_kind[:-1] == _NO_KIND, tree.above, np.arange(size))
    ancestor = np.append(_ends(step), size)[tree.above]
    upper = np.where(asks_up, np.append(spans.service, 0)[ancestor], 0)
    called = (kind == _SERVER) | (kind == _CONSUMER)
    parent = np.where(called, spans.remote, spans.service)
    child = np.where(called, spans.service, spans.remote)
    parent = np.where((upper != 0) & ((kind == _SERVER) | (parent == 0)), upper, parent)
    hears = (upper != 0) & (row_kind[ancestor] == _CLIENT) & (spans.parent_span_id != 0)
    hears &= spans.parent_span_id == np.append(spans.span_id, np.uint64(0))[ancestor]
    error = spans.error | (hears & np.append(spans.error, False)[ancestor])
    found = (kind != _NO_KIND) & (parent != 0) & (child != 0)
    missing = (kind == _CLIENT) & (upper != 0) & (spans.service != 0) & (spans.service != upper)
    return _counted(
        np.concatenate((parent[found], upper[missing])),
        np.concatenate((child[found], spans.service[missing])),
        np.concatenate((error[found], np.zeros(int(missing.sum()), np.bool_))),
    )


def _effective_kinds(tree: _Tree) -> Kinds:
    """The end of a call that each row tells of: `linker._effective_kind`, and none for what is not to be visited."""
    spans = tree.spans
    has_child = np.zeros(len(tree.above) + 1, np.bool_)
    has_child[tree.above] = True
    kind = np.where((spans.kind == _NO_KIND) & (spans.service != 0) & (spans.remote != 0), _CLIENT, spans.kind)
    silent = (spans.kind == _CLIENT) & has_child[:-1]
    silent |= tree.root & (kind == _SERVER) & (spans.remote == 0)
    return np.where(silent | ~tree.reached, _NO_KIND, kind)


def _counted(parent: Ints, child: Ints, error: Bools) -> Calls:
    names = int(max(parent.max(initial=0), child.max(initial=0))) + 1
    codes, counts = np.unique((parent * names + child) * 2 + error, return_counts=True)
    pairs, errors = np.divmod(codes, 2)
    return Calls(pairs // names, pairs % names, errors.astype(np.bool_), counts)
