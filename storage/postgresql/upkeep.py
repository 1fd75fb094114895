"""Rolling commits up into the tables of names, values and sums, a bounded slice at a time, beside reads and writes.

One process at a time does it, whichever comes first; the others leave it to that one. What commits it knows is a column
of `commits`, changed in the same transaction, so it does not matter in which order those became visible.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from storage.linking.row_index import Ints
from storage.postgresql import nul, segments, sql, sums, tag_values
from storage.postgresql.connections import Connections
from storage.postgresql.moment import Moment
from storage.postgresql.session import Arrows, Rows
from storage.postgresql.texts import KnownTexts, digest
from storage.postgresql.writer import names_of

SLICE_SPANS = 200_000
"""Spans rolled up in one transaction: about half a second of work, most of it linking."""
MAX_SLICES = 10
"""Slices in one round: what came since the last one, except after an outage or an upgrade."""

LARGEST_PLACE = 2**63 - 1

_LOCK = 0x636C6577
_TRY_LOCK = f"SELECT pg_try_advisory_lock({_LOCK}, 'spans'::regclass::oid::int)"
_UNLOCK = f"SELECT pg_advisory_unlock({_LOCK}, 'spans'::regclass::oid::int)"

_NEWS = """
SELECT written, sum(spans)::bigint AS spans FROM commits WHERE NOT is_known AND {visible} GROUP BY written
ORDER BY written LIMIT 10000
"""
_MERGE_NAMES = """
WITH merged AS (DELETE FROM new_names RETURNING *)
INSERT INTO span_names
SELECT service_id, name_id, kind, remote_service_id, max(received_ns), max(written) FROM merged
GROUP BY service_id, name_id, kind, remote_service_id
ON CONFLICT (service_id, name_id, kind, remote_service_id) DO UPDATE
SET received_ns = greatest(span_names.received_ns, excluded.received_ns),
    written = greatest(span_names.written, excluded.written)
"""
_KNOW = (
    """
    UPDATE segments SET spans = segments.spans + known.spans FROM (
        SELECT written >> {segment_bits:d} AS segment, sum(spans) AS spans FROM commits
        WHERE NOT is_known AND written >> {commit_bits:d} = ANY({commits}) GROUP BY 1
    ) AS known WHERE segments.segment = known.segment
    """,
    "UPDATE commits SET is_known = true WHERE NOT is_known AND written >> {commit_bits:d} = ANY({commits})",
)
_SUMMARIZE = """
SELECT brin_summarize_new_values(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid
WHERE indrelid = %s::regclass AND relam = (SELECT oid FROM pg_am WHERE amname = 'brin')
"""


class Upkeep:
    """The rolling up of one store. Used by one thread at a time."""

    def __init__(self, connections: Connections, texts: KnownTexts, autocomplete_keys: tuple[str, ...]) -> None:
        self._connections = connections
        self._texts = texts
        self._autocomplete_keys = autocomplete_keys

    @contextmanager
    def locked(self) -> Iterator[Rows | None]:
        """A connection that holds the lock of all upkeep; None when another process holds it."""
        with self._connections.rows() as rows:
            if not rows.fetch(_TRY_LOCK)[0][0]:
                yield None
                return
            try:
                yield rows
            finally:
                # Without a connection there is no lock, either.
                if not rows.raw.closed:
                    rows.fetch(_UNLOCK)

    def run(self, rows: Rows) -> None:
        """Roll up what was committed before the call, or a part of it when it is very much."""
        sums.forget_sums_of_other_rules(rows)
        self._agree_on_tag_keys(rows)
        for _ in range(MAX_SLICES):
            if not self._roll_up_slice(rows):
                break
        rows.fetch(_SUMMARIZE, (segments.partition(segments.open_segment(rows)),))

    def _roll_up_slice(self, rows: Rows) -> bool:
        """Whether there may be more."""
        with self._connections.arrows() as connection:
            connection.execute(sql.OF_ONE_MOMENT)
            connection.execute(sql.ALONE)
            moment = Moment.of(connection)
            commits = _next_slice(connection, moment)
            if not commits.size or not moment.are_ours:
                return False
            first_place = int(commits.min()) << sql.COMMIT_BITS
            stop_place = (int(commits.max()) + 1) << sql.COMMIT_BITS
            values = {
                "commit_bits": sql.COMMIT_BITS,
                "segment_bits": sql.SEGMENT_BITS,
                "commits": sql.bigints(commits.tolist()),
            }
            for spans in sums.count_commits(connection, moment, commits):
                connection.ingest("new_names", names_of(spans))
            connection.execute(_MERGE_NAMES)
            for (key,) in rows.fetch(sql.TAG_KEYS):
                self._roll_up_tag(rows, nul.plain(key), first_place, stop_place)
            for statement in _KNOW:
                connection.execute(statement.format(**values))
            connection.commit()
        return True

    def _agree_on_tag_keys(self, rows: Rows) -> None:
        """Roll up what is held for keys that are newly configured. Keys stay: another process may want them."""
        known = {nul.plain(key) for (key,) in rows.fetch(sql.TAG_KEYS)}
        for key in sorted(set(self._autocomplete_keys) - known):
            with rows.transaction():
                self._roll_up_tag(rows, key, 0, LARGEST_PLACE)
                rows.change(sql.ADD_TAG_KEY, (nul.stored(key),))

    def _roll_up_tag(self, rows: Rows, key: str, first_place: int, stop_place: int) -> None:
        found = tag_values.values_between(rows, self._texts, key, first_place, stop_place)
        if found:
            texts = [nul.stored(text) for text in found]
            values = {
                "key": nul.stored(key),
                "digests": [digest(text) for text in texts],
                "values": texts,
                "received_ns": [last.received_ns for last in found.values()],
                "written": [last.written for last in found.values()],
            }
            rows.change(sql.ADD_TAG_VALUES, values)


def _next_slice(connection: Arrows, moment: Moment) -> Ints:
    """The numbers of the oldest commits that are not known, of about SLICE_SPANS spans; at least one, if there are."""
    news = connection.fetch(_NEWS.format(visible=moment.visible))
    spans_before = np.cumsum(news["spans"].to_numpy()) - news["spans"].to_numpy()
    numbers = news["written"].to_numpy()[spans_before < SLICE_SPANS] >> sql.COMMIT_BITS
    commits: Ints = np.unique(numbers)
    return commits
