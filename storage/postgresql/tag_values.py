"""Values of the autocomplete keys: those that upkeep noted, and those of the spans that it does not know yet."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from storage import attributes as attrs
from storage.postgresql import names, nul, sql
from storage.postgresql.reader import marks_of
from storage.postgresql.session import Rows
from storage.postgresql.texts import KnownTexts

_LARGEST_PLACE = 2**63 - 1


class LastSeen(NamedTuple):
    """By when a span with a value was received at the latest, and the last place of one."""

    received_ns: int
    written: int


def tag_values(rows: Rows, texts: KnownTexts, key: str) -> list[str]:
    """As SpanReader.tag_values. A key that upkeep has not met is answered by reading every span that has it."""
    # In one transaction, so that no value is noted between the look at those that are and the look at the others.
    with rows.transaction():
        rows.change(sql.OF_ONE_MOMENT)
        if (nul.stored(key),) not in rows.fetch(sql.TAG_KEYS):
            return sorted(values_between(rows, texts, key, 0, _LARGEST_PLACE))
        marks = marks_of(rows)
        noted = rows.fetch(sql.TAG_VALUES, sql.visible({"key": nul.stored(key)}, marks))
        keys_ids = names.key_sets_with(rows, texts, key, elsewhere=False)
        news = rows.fetch(sql.NEWLY_TAGGED_SPANS, sql.visible({"keys_ids": keys_ids}, marks))
        return sorted({*(nul.plain(value) for (value,) in noted), *_values(key, news)})


def values_between(rows: Rows, texts: KnownTexts, key: str, first_place: int, stop_place: int) -> dict[str, LastSeen]:
    """The values of a key in the visible spans in [first_place, stop_place), and when each was seen last."""
    keys_ids = names.key_sets_with(rows, texts, key, elsewhere=False)
    asked = {"first": first_place, "stop": stop_place, "keys_ids": keys_ids}
    found = rows.fetch(sql.TAGGED_SPANS, sql.visible(asked, marks_of(rows)))
    seen: dict[str, LastSeen] = {}
    for attributes, received_ns, written in found:
        for value in _values(key, [(attributes,)]):
            last = seen.get(value, LastSeen(received_ns, written))
            seen[value] = LastSeen(max(last.received_ns, received_ns), max(last.written, written))
    return seen


def _values(key: str, found: Iterable[tuple[Any, ...]]) -> set[str]:
    decoded = (attrs.decode(attributes) for (attributes,) in found)
    return {attrs.text_of(attributes[key]) for attributes in decoded if key in attributes}
