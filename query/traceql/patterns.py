"""Regular expressions that a stranger may send.

Python's `re` can take exponential time, and would hold up the whole process with it. RE2 takes linear time, and its
language is Go's, which TraceQL's is. Arrow brings it along.
"""

import pyarrow as pa
import pyarrow.compute as pc

_REMEMBERED = 10_000


class Pattern:
    """A regular expression for whole texts; a dot matches line ends too. ValueError when RE2 cannot read it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._anchored = rf"\A(?s:{text})\z"
        self._seen: dict[str, bool] = {}
        for expression in (text, self._anchored):
            _found(expression, "")

    def matches(self, text: str) -> bool:
        """Whether the whole text matches. Texts come again and again in spans, so answers are kept."""
        answer = self._seen.get(text)
        if answer is None:
            answer = _found(self._anchored, text.encode(errors="replace").decode())
            if len(self._seen) < _REMEMBERED:
                self._seen[text] = answer
        return answer


def _found(expression: str, text: str) -> bool:
    try:
        return bool(pc.match_substring_regex(pa.scalar(text), expression).as_py())
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise ValueError(f"{str(error)[:200]}") from error
