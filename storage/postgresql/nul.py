"""Texts that PostgreSQL can hold: it takes every character but U+0000, so that and its stand-in are escaped.

Typed JSON never has it bare; names, messages and what else is kept as it came may.
"""

import pyarrow as pa
import pyarrow.compute as pc

_NUL = "\0"
_ESCAPE = "\x1a"
_ESCAPED_NUL = "\x1a0"
_ESCAPED_ESCAPE = "\x1a1"


def stored(text: str) -> str:
    """The text as it is stored, and as it is asked for."""
    if _NUL not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, _ESCAPED_ESCAPE).replace(_NUL, _ESCAPED_NUL)


def plain(text: str) -> str:
    """The text behind a stored one."""
    if _ESCAPE not in text:
        return text
    return text.replace(_ESCAPED_NUL, _NUL).replace(_ESCAPED_ESCAPE, _ESCAPE)


def stored_column(texts: pa.Array) -> pa.Array:
    """A column of texts as it is stored."""
    if texts.null_count == len(texts):
        return texts
    escaped = pc.replace_substring(texts, _ESCAPE, _ESCAPED_ESCAPE)
    return pc.replace_substring(escaped, _NUL, _ESCAPED_NUL)
