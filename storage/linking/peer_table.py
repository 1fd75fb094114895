"""`peer.described_peer` for many spans at once: columns of texts, made into numbers of far ends."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from storage.linking.peer import AUTHORITY, AUTHORITY_HOST, HOSTS, PEER_KEYS, URL, URL_AUTHORITY, Peer, described_peer
from storage.linking.row_index import Ints

_Codes = npt.NDArray[np.int32]
_ABSENT = np.int32(-1)
_HOST_COLUMNS = [PEER_KEYS.index(key) for key in HOSTS]


class Peers(NamedTuple):
    """number: of each span's far end, an index into `found`; 0 is None, no far end."""

    number: Ints
    found: Sequence[Peer | None]


def peers_of(texts: pa.ListArray) -> Peers:
    """The far end that each span describes.

    texts: a list a span, of the texts of its attributes PEER_KEYS, in that order; null or "" where it has none or one
    that is no text (but "true" for true).
    """
    if not len(texts):
        return Peers(np.zeros(0, np.int64), [None])
    encoded = texts.flatten().dictionary_encode()
    codes = encoded.indices.fill_null(_ABSENT).to_numpy(zero_copy_only=False).reshape(len(texts), len(PEER_KEYS)).copy()
    words = encoded.dictionary
    codes[np.isin(codes, np.flatnonzero(pc.equal(words, "")))] = _ABSENT
    return _described(codes, _keep_one_host(codes, words))


def _keep_one_host(codes: _Codes, words: pa.StringArray) -> pa.StringArray:
    """Leave of the columns that may name the host the first that does, reduced to that name; the words with those.

    Of URLs and addresses there may be as many as spans; so that no more of them stay than there are hosts.
    """
    unknown = np.ones(len(codes), np.bool_)
    for key, at in zip(HOSTS, _HOST_COLUMNS, strict=True):
        column = codes[:, at]
        column[~unknown] = _ABSENT
        if key in URL or key in AUTHORITY:
            words = _reduce_to_hosts(column, words, is_url=key in URL)
        unknown &= column == _ABSENT
    return words


def _reduce_to_hosts(column: _Codes, words: pa.StringArray, *, is_url: bool) -> pa.StringArray:
    """Put in the place of each URL or authority a shorter one of the same host; none where it has no host."""
    present = np.flatnonzero(column != _ABSENT)
    if not present.size:
        return words
    distinct, place = np.unique(column[present], return_inverse=True)
    authorities = words.take(pa.array(distinct))
    if is_url:
        authorities = pc.struct_field(pc.extract_regex(authorities, URL_AUTHORITY), "authority")
    hosts = pc.extract_regex(authorities, AUTHORITY_HOST)
    address, name = (pc.struct_field(hosts, part).fill_null("") for part in ("address", "name"))
    short = pc.if_else(pc.equal(address, ""), name, pc.binary_join_element_wise("[", address, "]", ""))
    encoded = short.dictionary_encode()
    numbers = np.arange(len(encoded.dictionary), dtype=np.int32) + np.int32(len(words))
    numbers[np.flatnonzero(pc.equal(encoded.dictionary, ""))] = _ABSENT
    column[present] = numbers[encoded.indices.to_numpy()[place]]
    reduced = pc.binary_join_element_wise("x://" if is_url else "", encoded.dictionary, "")
    return pa.concat_arrays([words, reduced.cast(pa.string())])


def _described(codes: _Codes, words: pa.StringArray) -> Peers:
    """Of spans with the same texts one is looked at."""
    width = codes.shape[1]
    rows = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(codes.itemsize * width), len(codes), [None, pa.py_buffer(np.ascontiguousarray(codes))]
    ).dictionary_encode()
    distinct = np.frombuffer(b"".join(rows.dictionary.to_pylist()), np.int32).reshape(-1, width)
    used = np.unique(distinct[distinct != _ABSENT])
    text_of = dict(zip(used.tolist(), words.take(pa.array(used)).to_pylist(), strict=True))
    found: list[Peer | None] = [None]
    numbers: dict[Peer | None, int] = {None: 0}
    number_of_distinct = np.zeros(len(distinct), np.int64)
    for at, row in enumerate(distinct.tolist()):
        peer = described_peer({key: text_of[code] for key, code in zip(PEER_KEYS, row, strict=True) if code >= 0})
        number = numbers.setdefault(peer, len(found))
        if number == len(found):
            found.append(peer)
        number_of_distinct[at] = number
    return Peers(number_of_distinct[rows.indices.to_numpy()], found)
