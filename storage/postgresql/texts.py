"""Texts that many spans share, and their numbers.

A number stands for its text for good, so a process may remember what it has seen. A text is forgotten when no segment
is left that uses it; therefore each process announces, once a segment, which texts it uses there, before it does.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from hashlib import blake2b

import pyarrow as pa

from storage.postgresql import nul, sql
from storage.postgresql.connections import Connections
from storage.postgresql.session import Arrows, Rows

_MAX_REMEMBERED = 200_000


class Role(IntEnum):
    """What a text is. The numbers are stored."""

    SERVICE = 1
    NAME = 2
    KEYS = 3
    RESOURCE = 4
    SCOPE_NAME = 5
    SCOPE_VERSION = 6


Key = tuple[Role, str]


def digest(text: str) -> bytes:
    """What a stored text is found by: 16 bytes, wide enough that no two texts share theirs, even on purpose."""
    return blake2b(text.encode(), digest_size=16).digest()


class Numbers:
    """The numbers of texts for the spans that one process writes. Used by one thread at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._segment = -1
        self._known: dict[Key, int] = {}

    def of(self, keys: Iterable[Key], segment: int) -> Mapping[Key, int]:
        """A number for each of these texts at least, which stays while the segment is there. Commits by itself."""
        if segment != self._segment or len(self._known) > _MAX_REMEMBERED:
            self._known = {}
            self._segment = segment
        if missing := [key for key in dict.fromkeys(keys) if key not in self._known]:
            with self._connections.rows() as rows:
                found = _announced(rows, missing, segment)
            self._known.update(found)
        return self._known


def _announced(rows: Rows, keys: Sequence[Key], segment: int) -> dict[Key, int]:
    texts = [nul.stored(text) for _, text in keys]
    digests = [digest(text) for text in texts]
    asked = {"roles": [int(role) for role, _ in keys], "digests": digests, "segment": segment}
    found = dict(rows.fetch(sql.KNOWN_TEXTS, asked))
    if len(found) < len(keys):
        new = [place for place in range(len(keys)) if place + 1 not in found]
        added = {
            "roles": [int(keys[place][0]) for place in new],
            "digests": [digests[place] for place in new],
            "texts": [texts[place] for place in new],
            "segment": segment,
        }
        rows.change(sql.ADD_TEXTS, added)
        found = dict(rows.fetch(sql.KNOWN_TEXTS, asked))
    return {key: found[place] for place, key in enumerate(keys, 1)}


class KnownTexts:
    """The texts of numbers that were read. Several threads may use it at once."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def of(self, rows: Rows, numbers: Iterable[int]) -> Mapping[int, str]:
        """The text of each of these numbers at least; without those of spans that were dropped meanwhile."""
        known = self._texts
        if missing := [number for number in set(numbers) if number not in known]:
            if len(known) + len(missing) > _MAX_REMEMBERED:
                known = self._texts = {}
                return self.of(rows, numbers) if len(missing) < _MAX_REMEMBERED else _read(rows, set(numbers))
            known.update(_read(rows, missing))
        return known

    def numbers_of(self, rows: Rows, role: Role, text: str) -> list[int]:
        """The number of one text, if it has any."""
        return [number for (number,) in rows.fetch(sql.TEXT_ID, (int(role), digest(nul.stored(text))))]

    def containing(self, rows: Rows, role: Role, part: str) -> list[tuple[int, str]]:
        """(number, text) of all texts of a role that contain `part`, spelled as they are stored."""
        return [(number, nul.plain(text)) for number, text in rows.fetch(sql.TEXTS_OF_ROLE, (int(role), part))]


class ArrowTexts:
    """The texts of columns of numbers, as one transaction sees them."""

    def __init__(self, connection: Arrows) -> None:
        self._connection = connection
        self._known: dict[int | None, str | None] = {None: None}

    def know(self, number: int, text: str) -> None:
        """Let a number stand for a text that is none of the table's."""
        self._known[number] = text

    def of(self, numbers: pa.ChunkedArray) -> pa.Array:
        """The text of each row's number."""
        encoded = numbers.combine_chunks().dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        if missing := [number for number in distinct if number not in self._known]:
            found = self._connection.fetch(sql.texts_of_numbers(missing))
            for number, text in zip(found["id"].to_pylist(), found["text"].to_pylist(), strict=True):
                self._known[number] = nul.plain(text)
        return pa.array([self._known[number] for number in distinct], pa.string()).take(encoded.indices)


def _read(rows: Rows, numbers: Iterable[int]) -> dict[int, str]:
    return {number: nul.plain(text) for number, text in rows.fetch(sql.TEXTS_BY_ID, (list(numbers),))}
