"""Tags to typed JSON text and search tokens, quickly: a service sends the same few sets of keys again and again.

What depends on the keys alone (their order, the JSON around the values, the CRC of `key=`) is worked out once a set.
Envoy writes the keys of equal spans in ever different orders, so the set is what is remembered, not the order.
"""

from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring
from operator import itemgetter
from zlib import crc32

from storage.attributes import key_set

Tags = Mapping[str, str]

_MAX_REMEMBERED = 1024
_MAX_REMEMBERED_TEXT = 4096
_remembered: dict[frozenset[str], "TagKeys"] = {}


class TagKeys:
    """One set of tag keys, sorted as Zipkin sorts them. values: the values of such tags in that order."""

    __slots__ = ("_json", "_token_starts", "has_error", "text", "values")

    def __init__(self, keys: Iterable[str]) -> None:
        ordered = sorted(keys)
        self.values = _picker(ordered)
        self.text = key_set(ordered)
        self.has_error = "error" in ordered
        self._token_starts = [crc32(f"{key}=".encode()) for key in ordered]
        members = [f'{encode_basestring(key).replace("%", "%%")}:"%s"' for key in ordered]
        self._json = f"{{{','.join(members)}}}"

    def tokens(self, values: tuple[str, ...]) -> Iterable[int]:
        """`attributes.token` of each tag: a CRC goes on from where the one of `key=` stopped."""
        return map(crc32, map(str.encode, values), self._token_starts)

    def json(self, values: tuple[str, ...]) -> str:
        """`attributes.encode` of tags none of whose values needs escaping in JSON."""
        return self._json % values

    def escaped_json(self, values: tuple[str, ...]) -> str:
        """`attributes.encode` of any tags."""
        return self._json % tuple([encode_basestring(value)[1:-1] for value in values])


def keys_of(tags: Tags) -> TagKeys:
    """The TagKeys of these tags, of which there is at least one."""
    key = frozenset(tags)
    found = _remembered.get(key)
    if found is None:
        found = TagKeys(key)
        if len(found.text) <= _MAX_REMEMBERED_TEXT:
            if len(_remembered) >= _MAX_REMEMBERED:
                _remembered.clear()
            _remembered[key] = found
    return found


def _picker(keys: list[str]) -> Callable[[Tags], tuple[str, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    (only,) = keys
    return lambda tags: (tags[only],)
