"""The linker for millions of spans: the rules of `linker`, applied to whole columns instead of to one span at a time.

A trace is plain when no two of its spans have one id and one shared flag. Then nothing needs merging, a parent is
found by its key, and the rules become a few array operations. Traces that are not plain (repeated spans, spans in
pieces, several servers of one id) are named to the caller, who gives them to `linker`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.linking.row_index import Bools, Ids, Ints, RowIndex
from storage.span import SpanKind

Kinds = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int32]

_NO_KIND, _SERVER, _CLIENT, _PRODUCER, _CONSUMER = (
    np.uint8(kind)
    for kind in (SpanKind.UNSPECIFIED, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
)
_TOP_KIND = np.uint8(255)
_PIECE_SPANS = 1 << 14
_MAX_PIECES = 1 << 15


@dataclass(frozen=True, slots=True)
class LinkColumns:
    """The spans of whole traces, a row each, in any order: `LinkSpan` in columns.

    trace: number of the trace, from 0 on; all rows of a trace are here. parent_span_id: 0 when absent,
    never span_id. kind: UNSPECIFIED or one of LINKED_KINDS. service, remote: numbers of names, 0 when absent.
    address: equal for equal local addresses (with their ports), 0 when absent.
    """

    trace: Ints
    span_id: Ids
    parent_span_id: Ids
    kind: Kinds
    shared: Bools
    service: Codes
    address: Ints
    remote: Codes
    error: Bools

    def take(self, rows: Ints) -> "LinkColumns":
        """These rows, in this order."""
        return LinkColumns(*(getattr(self, name)[rows] for name in self.__slots__))


class ToldCalls(NamedTuple):
    """Calls that spans tell of, one each: `linker.Told` in columns.

    row: of the span that tells. named: NOBODY, or the END of which only the name is known.
    """

    row: Ints
    group: Ints
    parent: Ints
    child: Ints
    error: Bools
    named: Kinds
    witnessed: Bools


NOBODY, CHILD, PARENT = (np.uint8(number) for number in range(3))


class LonelyCalls(NamedTuple):
    """Spans that are an end of a call, name no service at the other and have no one there: rows of `graph`'s rules.

    service: the number of the name of this end.
    """

    row: Ints
    group: Ints
    service: Ints


class Calls(NamedTuple):
    """Calls between named services, as numbers of names, and how often; one row a (group, parent, child, error)."""

    group: Ints
    parent: Ints
    child: Ints
    error: Bools
    times: Ints


class PlainTraces(NamedTuple):
    """What linking found. odd: all rows of the asked traces that are not plain; they stand together by trace.

    lonely: None unless asked for.
    """

    told: ToldCalls
    odd: Ints
    lonely: LonelyCalls | None


def link_plain_traces(spans: LinkColumns, group: Ints, *, with_lonely: bool = False) -> PlainTraces:
    """The calls that the plain ones of the asked traces show.

    group: in which group each trace is counted, by its number; from 0 on, few of them unused. A trace whose group is
    negative is not asked for.
    """
    told, lonely, odd = [], [], []
    for rows, traces in _pieces(spans.trace, len(group)):
        piece = spans.take(rows)
        found = _link_piece(replace(piece, trace=piece.trace - traces.start), group[traces], with_lonely=with_lonely)
        told.append(found.told._replace(row=rows[found.told.row]))
        odd.append(rows[found.odd])
        if found.lonely:
            lonely.append(found.lonely._replace(row=rows[found.lonely.row]))
    odd_rows = np.concatenate(odd)
    return PlainTraces(
        ToldCalls(*(np.concatenate(column) for column in zip(*told, strict=True))),
        odd_rows[np.argsort(spans.trace[odd_rows], kind="stable")],
        LonelyCalls(*(np.concatenate(column) for column in zip(*lonely, strict=True))) if with_lonely else None,
    )


def _pieces(trace: Ints, traces: int) -> Iterator[tuple[Ints, slice]]:
    """All rows in pieces of whole traces, about _PIECE_SPANS each, and their traces.

    A piece fits in the CPU's cache and its work needs little memory; a quarter of a million rows at once take half
    as long again.
    """
    count = max(min(len(trace) // _PIECE_SPANS, _MAX_PIECES), 1)
    starts = np.arange(count + 1) * traces // count
    piece = np.searchsorted(starts, np.arange(traces), side="right").astype(np.uint16)[trace]
    ends = np.cumsum(np.bincount(piece, minlength=count + 1))
    order = np.argsort(piece, kind="stable")
    for number in range(count):
        yield order[ends[number] : ends[number + 1]], slice(int(starts[number]), int(starts[number + 1]))


def _link_piece(spans: LinkColumns, group: Ints, *, with_lonely: bool) -> PlainTraces:
    index = RowIndex(spans.trace, spans.span_id, spans.shared)
    is_odd = np.zeros(len(group), np.bool_)
    is_odd[spans.trace[index.repeated]] = True
    tree = _tree(spans, index, len(group))
    group_of_row = np.where(is_odd, -1, group)[spans.trace]
    ancestor = _ancestors(tree)
    told = _told_calls(tree, ancestor, group_of_row)
    lonely = _lonely_calls(tree, ancestor, group_of_row, told) if with_lonely else None
    return PlainTraces(told, np.flatnonzero(((group >= 0) & is_odd)[spans.trace]), lonely)


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


def _tree(spans: LinkColumns, index: RowIndex, traces: int) -> _Tree:
    """`merge` and `tree_of` for plain traces. Those that are not plain get some places that mean nothing."""
    size = len(spans.trace)
    shared = np.flatnonzero(spans.shared)
    client_half = np.full(size, size)
    client_half[shared] = index.find(spans.trace[shared], spans.span_id[shared], shared=False)
    spans = _merged(spans, client_half, traces)
    root_of_trace = _roots(spans, traces)
    root_row = root_of_trace[spans.trace]
    root = root_row == np.arange(size)
    above = np.where(spans.shared, client_half, _parents(spans, index, shared, traces))
    above = np.where(root, size, np.where(above == size, root_row, above))
    reached = _ends(above) == size
    return _Tree(spans, np.where(reached, above, size), root, reached)


def _merged(spans: LinkColumns, client_half: Ints, traces: int) -> LinkColumns:
    """Shared halves learn the parent from the client half; a lone shared span without a parent is not shared."""
    parent = spans.parent_span_id.copy()
    heirs = np.flatnonzero(spans.shared & (parent == 0) & (client_half < len(parent)))
    parent[heirs] = parent[client_half[heirs]]
    parentless = parent == 0
    per_trace = np.bincount(spans.trace[parentless], minlength=traces)
    lone = parentless & (per_trace[spans.trace] == 1)
    return replace(spans, parent_span_id=parent, shared=spans.shared & ~lone)


def _roots(spans: LinkColumns, traces: int) -> Ints:
    """The row of each trace's root: of the spans without a parent that one with the least id."""
    roots = np.flatnonzero((spans.parent_span_id == 0) & ~spans.shared)
    trace, span_id = spans.trace[roots], spans.span_id[roots]
    least = np.full(traces, np.iinfo(np.uint64).max)
    np.minimum.at(least, trace, span_id)
    first = span_id == least[trace]
    root_of_trace = np.full(traces, len(spans.trace))
    root_of_trace[trace[first]] = roots[first]
    return root_of_trace


def _parents(spans: LinkColumns, index: RowIndex, shared: Ints, traces: int) -> Ints:
    """Where the span stands that each unshared one names as its parent: the shared half it is within, else the other.

    shared: the rows that carry the shared flag as it was reported, which the index knows.
    """
    size = len(spans.trace)
    above = np.full(size, size)
    children = np.flatnonzero(~spans.shared & (spans.parent_span_id != 0))
    above[children] = index.find(spans.trace[children], spans.parent_span_id[children], shared=False)
    if shared.size:
        has_shared = np.zeros(traces, np.bool_)
        has_shared[spans.trace[shared]] = True
        children = children[has_shared[spans.trace[children]]]
        half = index.find(spans.trace[children], spans.parent_span_id[children], shared=True)
        is_half = np.append(spans.shared, False)[half]
        children, half = children[is_half], half[is_half]
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


def _ancestors(tree: _Tree) -> Ints:
    """The nearest row above each that has a kind."""
    size = len(tree.above)
    step = np.where(tree.spans.kind == _NO_KIND, tree.above, np.arange(size))
    return np.append(_ends(step), size)[tree.above]


def _told_calls(tree: _Tree, ancestor: Ints, group: Ints) -> ToldCalls:
    """The rules of `linker.told_at`, for all rows asked for at once: those of a group that is not negative."""
    spans = tree.spans
    kind = np.where(group >= 0, _effective_kinds(tree), _NO_KIND)
    asks_up = (kind == _CLIENT) | (kind == _SERVER)
    upper = np.where(asks_up, np.append(spans.service, 0)[ancestor], 0)
    called = (kind == _SERVER) | (kind == _CONSUMER)
    parent = np.where(called, spans.remote, spans.service)
    child = np.where(called, spans.service, spans.remote)
    is_upper = (upper != 0) & ((kind == _SERVER) | (parent == 0))
    parent = np.where(is_upper, upper, parent)
    hears = (upper != 0) & (np.append(spans.kind, _TOP_KIND)[ancestor] == _CLIENT) & (spans.parent_span_id != 0)
    hears &= spans.parent_span_id == np.append(spans.span_id, np.uint64(0))[ancestor]
    error = spans.error | (hears & np.append(spans.error, False)[ancestor])
    found = np.flatnonzero((kind != _NO_KIND) & (parent != 0) & (child != 0))
    missing = np.flatnonzero((kind == _CLIENT) & (upper != 0) & (spans.service != 0) & (spans.service != upper))
    named = np.where(called[found], np.where(is_upper[found], NOBODY, PARENT), CHILD)
    return ToldCalls(
        np.concatenate((found, missing)),
        np.concatenate((group[found], group[missing])),
        np.concatenate((parent[found], upper[missing])),
        np.concatenate((child[found], spans.service[missing])),
        np.concatenate((error[found], np.zeros(len(missing), np.bool_))),
        np.concatenate((named, np.full(len(missing), NOBODY))),
        np.concatenate((np.ones(len(found), np.bool_), np.zeros(len(missing), np.bool_))),
    )


def _lonely_calls(tree: _Tree, ancestor: Ints, group: Ints, told: ToldCalls) -> LonelyCalls:
    """The rules of `graph` for whom `told_at` names nobody."""
    spans, kind = tree.spans, tree.spans.kind
    is_caller = np.zeros(len(kind) + 1, np.bool_)
    is_caller[ancestor[(kind != _NO_KIND) & tree.reached]] = True
    service = np.where((kind == _CLIENT) & (spans.service == 0), np.append(spans.service, 0)[ancestor], spans.service)
    lonely = ((kind == _CLIENT) & ~is_caller[:-1]) | (kind == _PRODUCER) | (kind == _CONSUMER)
    lonely &= tree.reached & (group >= 0) & (service != 0)
    lonely[told.row[told.named != NOBODY]] = False
    rows = np.flatnonzero(lonely)
    return LonelyCalls(rows, group[rows], service[rows])


def _effective_kinds(tree: _Tree) -> Kinds:
    """The end of a call that each row tells of: `linker._effective_kind`, and none for what is not to be visited."""
    spans = tree.spans
    has_child = np.zeros(len(tree.above) + 1, np.bool_)
    has_child[tree.above] = True
    kind = np.where((spans.kind == _NO_KIND) & (spans.service != 0) & (spans.remote != 0), _CLIENT, spans.kind)
    silent = (spans.kind == _CLIENT) & has_child[:-1]
    silent |= tree.root & (kind == _SERVER) & (spans.remote == 0)
    return np.where(silent | ~tree.reached, _NO_KIND, kind)


def counted(told: ToldCalls) -> Calls:
    """The calls and how often each was made."""
    names = int(max(told.parent.max(initial=0), told.child.max(initial=0))) + 1
    # Arrow counts by hashing, which takes a third of the time that sorting would.
    found = pa.array(((told.group * names + told.parent) * names + told.child) * 2 + told.error).value_counts()
    pairs, errors = np.divmod(found.field("values").to_numpy(), 2)
    callers, children = np.divmod(pairs, names)
    groups, parents = np.divmod(callers, names)
    return Calls(groups, parents, children, errors.astype(np.bool_), found.field("counts").to_numpy())
