"""Calls of the service graph, summed up by minutes, tens of minutes, hours, sixes of hours and days.

By their traces' timestamps, kept as `link_sums` keeps those of links, at the same commits and in the same transactions.
There are no seconds: the service graph is one of whole minutes. `edges` numbers the pairs of nodes and finds them by
digests: names may be long.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from storage.latency_buckets import BUCKETS
from storage.linking.graph_rows import UNKNOWN
from storage.linking.graph_table import GRAPH_CALLS, MINUTE_CALLS
from storage.linking.row_index import Ints
from storage.postgresql import histograms, nul, sql
from storage.postgresql.histograms import Calls, Kept
from storage.postgresql.session import Arrows
from storage.postgresql.texts import digest
from storage.postgresql.time_parts import parts_of

EDGES = Kept("edge_sums", "edge", (1, 10, 60, 360, 1440), lambda minute, minutes: minute // minutes)

_NODES = ("parent", "parent_kind", "child", "child_kind")
_NEW_EDGES = pa.schema(
    [
        ("edge", pa.int64()),
        ("digest", pa.binary()),
        ("parent", pa.string()),
        ("parent_kind", pa.int16()),
        ("child", pa.string()),
        ("child_kind", pa.int16()),
    ]
)
_NUMBERS = "SELECT digest, edge FROM edges WHERE digest = ANY({digests})"
_LARGEST = "SELECT coalesce(max(edge), 0) AS edge FROM edges"
_FORGET_UNCALLED = f"""
DELETE FROM edges
WHERE edge NOT IN (SELECT edge FROM {EDGES.table} WHERE minutes = {EDGES.minutes[-1]})
"""
_PART = """
SELECT edge, calls, errors, buckets, counts FROM edge_sums
WHERE minutes = {minutes:d} AND period >= {first:d} AND period < {stop:d}
"""
_NAMES = f"SELECT edge, {', '.join(_NODES)} FROM edges WHERE edge = ANY({{edges}})"


def add(connection: Arrows, changes: Iterable[pa.Table]) -> None:
    """Add MINUTE_CALLS to the sums, in the caller's transaction."""
    calls = pa.concat_tables([MINUTE_CALLS.empty_table(), *changes]).combine_chunks()
    if calls.num_rows:
        minute, latency, times, errors = (calls[name].to_numpy() for name in ("minute", "latency", "calls", "errors"))
        histograms.add(connection, EDGES, Calls(_edge_numbers(connection, calls), minute, latency, times, errors))


def forget_uncalled(connection: Arrows) -> None:
    """Forget the edges that no sum counts calls of, in the caller's transaction."""
    connection.execute(_FORGET_UNCALLED)


def sums_between(connection: Arrows, minutes: range) -> pa.Table:
    """GRAPH_CALLS that the sums hold of the traces of these minutes since the epoch.

    For each pair and bucket a row without errors; for each pair one of the calls of unknown duration, with all errors.
    """
    parts = [
        connection.fetch(_PART.format(minutes=size, first=part.start, stop=part.stop))
        for size, part in parts_of(minutes, EDGES.minutes)
    ]
    if not parts:
        return GRAPH_CALLS.empty_table()
    rows = pa.concat_tables(parts).combine_chunks()
    cells = histograms.cells_of(rows)
    of_row = rows["edge"].to_numpy()
    edge, calls, errors = histograms.summed(of_row, rows["calls"].to_numpy(), rows["errors"].to_numpy())
    place = np.searchsorted(edge, of_row)
    cell, counts = histograms.summed_cells(len(edge), cells._replace(row=place[cells.row]))
    of_cell, bucket = np.divmod(cell, BUCKETS)
    in_buckets = np.zeros(len(edge), np.int64)
    np.add.at(in_buckets, of_cell, counts)
    names = _names(connection, edge).take(pa.array(np.concatenate([of_cell, np.arange(len(edge))])))
    return pa.table(
        [
            *names.columns,
            np.concatenate([bucket, np.full(len(edge), UNKNOWN)]),
            np.concatenate([counts, calls - in_buckets]),
            np.concatenate([np.zeros_like(counts), errors]),
        ],
        names=GRAPH_CALLS.names,
    ).cast(GRAPH_CALLS)


def _names(connection: Arrows, edges: Ints) -> pa.Table:
    """The nodes of each of these edges, which are sorted."""
    found = connection.fetch(_NAMES.format(edges=sql.bigints(edges.tolist()))).sort_by("edge").select(_NODES)
    for at, name in enumerate(_NODES):
        if name in ("parent", "child"):
            found = found.set_column(at, name, pa.array(map(nul.plain, found[name].to_pylist()), pa.string()))
    return found


def _edge_numbers(connection: Arrows, calls: pa.Table) -> Ints:
    """The number of each row's edge; pairs of nodes that have none are given one."""
    codes = np.zeros(calls.num_rows, np.int64)
    for name in _NODES:
        encoded = calls[name].combine_chunks().dictionary_encode()
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    edges = [
        (nul.stored(parent), parent_kind, nul.stored(child), child_kind)
        for parent, parent_kind, child, child_kind in zip(
            *(column.to_pylist() for column in calls.select(_NODES).take(pa.array(first)).columns), strict=True
        )
    ]
    digests = [digest("\0".join(map(str, edge))) for edge in edges]
    found = connection.fetch(_NUMBERS.format(digests=sql.byteas(digests)))
    numbers = dict(zip(found["digest"].to_pylist(), found["edge"].to_pylist(), strict=True))
    largest = int(connection.fetch(_LARGEST)["edge"][0].as_py())
    new = [(digest, *edge) for digest, edge in zip(digests, edges, strict=True) if digest not in numbers]
    if new:
        rows = [(number, *row) for number, row in enumerate(new, largest + 1)]
        connection.ingest("edges", pa.table(list(zip(*rows, strict=True)), schema=_NEW_EDGES))
        numbers.update((row[1], row[0]) for row in rows)
    of_pair: Ints = np.array([numbers[each] for each in digests], np.int64)
    return of_pair[place]
