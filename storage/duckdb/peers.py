"""Reading what spans say of the far ends of their calls: a few attributes, of those spans only that need them.

Attributes are most of what a span takes. To read those of every CLIENT, PRODUCER and CONSUMER with the rest of a slice
would cost half as much as linking; most of them turn out not to matter.
"""

import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.duckdb.sql import json_pointer
from storage.linking.peer import PEER_KEYS
from storage.linking.row_index import Ints

_POINTERS = ", ".join(f"'{json_pointer(key)}'" for key in PEER_KEYS[:-1])
_NOTHING = ", ".join("NULL" for _ in PEER_KEYS[:-1])
_READ = f"""
-- Typed JSON values by PEER_KEYS, the last of which is no attribute.
SELECT rowid,
    list_append(
        coalesce(TRY(json_extract(attributes, [{_POINTERS}])), [{_NOTHING}]),
        to_json(coalesce(remote_ipv4, rare->>'$.remote_ipv6'))
    )
FROM spans WHERE seq BETWEEN $first_seq AND $last_seq AND rowid IN (SELECT written FROM wanted)
"""
_ESCAPE = "\\"


def read_peers(cursor: duckdb.DuckDBPyConnection, written: Ints, first_seq: int, last_seq: int) -> pa.ListArray:
    """What `peer_table.peers_of` takes, of the spans with these distinct rowids, all in commits of that range."""
    if not written.size:
        return pa.array([], pa.list_(pa.string()))
    # The statement finds `wanted` by this name.
    wanted = pa.table({"written": written})
    found = cursor.execute(_READ, {"first_seq": first_seq, "last_seq": last_seq}).to_arrow_table().combine_chunks()
    del wanted
    rowids, values = (column.combine_chunks() for column in found.columns)
    order = np.argsort(rowids.to_numpy())
    values = values.take(pa.array(order[np.searchsorted(rowids.to_numpy(), written, sorter=order)]))
    offsets = np.arange(len(written) + 1, dtype=np.int32) * len(PEER_KEYS)
    return pa.ListArray.from_arrays(pa.array(offsets), texts_of_json(values.flatten()))


def texts_of_json(values: pa.StringArray) -> pa.StringArray:
    """The texts among JSON values, and "true" for true; null for all others."""
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.cast(pa.string())
    is_text = pc.starts_with(distinct, '"')
    texts = pc.binary_slice(distinct.cast(pa.binary()), 1, -1).cast(pa.string())
    texts = pc.if_else(is_text, texts, pc.if_else(pc.equal(distinct, "true"), "true", pa.scalar(None, pa.string())))
    is_escaped = pc.and_(is_text, pc.match_substring(distinct, _ESCAPE))
    escaped = [json.loads(value) for value in distinct.filter(is_escaped).to_pylist()]
    return pc.replace_with_mask(texts, is_escaped, pa.array(escaped, pa.string())).take(encoded.indices)
