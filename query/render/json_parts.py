"""JSON that is too long to be held: lists in parts."""

from collections.abc import Iterable, Iterator
from itertools import islice

from query.render.jaeger_envelope import to_bytes

_AT_ONCE = 500
"""Items in one part; of spans about half a megabyte."""


def joined(items: Iterable[object]) -> Iterator[bytes]:
    """The items between the brackets of a JSON list."""
    some, comma = iter(items), b""
    while part := list(islice(some, _AT_ONCE)):
        yield comma + to_bytes(part)[1:-1]
        comma = b","
