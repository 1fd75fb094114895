"""Reading what spans say of the far ends of their calls: a few attributes, of those spans only that need them.

Where the rows are is known from the reading of their traces, in the same transaction: so they are fetched by their
addresses in the partitions, without another look into an index.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from storage.linking.peer import PEER_KEYS
from storage.linking.row_index import Ints
from storage.postgresql import sql
from storage.postgresql.segments import partition
from storage.postgresql.session import Arrows

_AT_ONCE = 20_000
_READ = """
SELECT written, attributes, remote_ipv4, rare FROM {partition} WHERE ctid = ANY('{{{addresses}}}'::tid[])
"""
_FIELDS = [f"of_{number}" for number in range(len(PEER_KEYS) - 1)]
_Attributes = msgspec.defstruct(
    "_Attributes",
    [(field, object, None) for field in _FIELDS],
    rename=dict(zip(_FIELDS, PEER_KEYS, strict=False)),
    gc=False,
)
_attributes = msgspec.json.Decoder(_Attributes)
"""Everything else is skipped."""


def read_peers(connection: Arrows, written: Ints, addresses: pa.Array) -> pa.ListArray:
    """What `peer_table.peers_of` takes, of the spans in these places. addresses: their ctid as texts."""
    told: dict[int, Sequence[str | None]] = {}
    for segment in np.unique(written >> sql.SEGMENT_BITS).tolist():
        of_segment = np.flatnonzero(written >> sql.SEGMENT_BITS == segment)
        for first in range(0, len(of_segment), _AT_ONCE):
            asked = addresses.take(pa.array(of_segment[first : first + _AT_ONCE])).to_pylist()
            quoted = ",".join(f'"{address}"' for address in asked)
            found = connection.fetch(_READ.format(partition=partition(segment), addresses=quoted))
            for place, *values in zip(*(column.to_pylist() for column in found.columns), strict=True):
                told[place] = _texts(*values)
    return pa.array([told[place] for place in written.tolist()], pa.list_(pa.string()))


def _texts(attributes: str, remote_ipv4: str | None, rare: str | None) -> Sequence[str | None]:
    address = remote_ipv4 or (msgspec.json.decode(rare).get("remote_ipv6") if rare else None)
    return [*map(_text, msgspec.structs.astuple(_attributes.decode(attributes))), address]


def _text(value: object) -> str | None:
    if value is True:
        return "true"
    return value if isinstance(value, str) else None
