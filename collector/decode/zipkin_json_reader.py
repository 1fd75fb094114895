"""A pull reader for JSON with the tolerance and the error texts of gson in its "legacy strict" mode, which Zipkin uses.

Literals in any case, control characters in strings, bytes after the value; numbers where a string is wanted, strings
where a number is wanted. It never recurses: nesting deeper than gson's limit is refused.
"""

import re
from collections.abc import Iterator
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed lacks it
from math import inf
from typing import NoReturn

from collector.decode.zipkin_span import RefusedSpanError

_WHITE_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[ \t\r\n,\]}]|$)")
_LITERAL = re.compile(r"(?:null|true|false)(?=[ \t\r\n,\]}]|$)", re.IGNORECASE)
_QUOTED_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NESTING_LIMIT = 255
_LONGEST_EXACT = 20
_LONGEST_NUMBER = 400  # no double has more digits before its point
_SHOWN_CHARACTERS = 100
_CONTAINERS = {"[": "BEGIN_ARRAY", "{": "BEGIN_OBJECT", "]": "END_ARRAY", "}": "END_OBJECT"}


class JsonReader:
    """Reads one text from its start. Every method raises RefusedSpanError, with the cause as gson words it."""

    __slots__ = ("_at", "_path", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._path: list[str] = []

    def elements(self) -> Iterator[int]:
        """Step through an array: the caller reads exactly one value a step. Gives the index."""
        self._open("[")
        index = 0
        if self._closes("]"):
            return
        while True:
            self._path.append(f"[{index}]")
            yield index
            self._path.pop()
            if self._ends("]"):
                return
            index += 1

    def members(self) -> Iterator[str]:
        """Step through an object: the caller reads exactly one value a step. Gives the name."""
        self._open("{")
        if self._closes("}"):
            return
        while True:
            name = self._name()
            self._path.append(f".{name[:_SHOWN_CHARACTERS]}")
            yield name
            self._path.pop()
            if self._ends("}"):
                return

    def path(self) -> str:
        """Where the reader is, as in `$[0].tags.foo`."""
        return f"${''.join(self._path)}"

    def take_null(self) -> bool:
        """Whether the next value is null; it is read only then."""
        if self._peek() in "nN":
            kind, _ = self._scalar()
            return kind == "NULL"
        return False

    def string(self) -> str:
        """The next value, a string or the text of a number. Half a surrogate pair becomes U+FFFD."""
        place = self._at
        kind, text = self._scalar()
        if kind not in ("STRING", "NUMBER"):
            self._unexpected("a string", kind, place)
        return text

    def integer(self) -> int:
        """The next value, a number without a fraction: 12, 12.0, 1.2e1, "12"."""
        place = self._at
        kind, text = self._scalar()
        if kind not in ("STRING", "NUMBER"):
            self._unexpected("a long", kind, place)
        digits = text.strip()
        if not _QUOTED_NUMBER.fullmatch(digits):
            raise RefusedSpanError(f'For input string: "{text[:_SHOWN_CHARACTERS]}"', f"at {self.path()}")
        if len(digits) <= _LONGEST_EXACT and digits.lstrip("+-").isdigit():
            return int(digits)
        number = float(digits) if len(digits) <= _LONGEST_NUMBER else inf
        if not number.is_integer():
            self._unexpected("a long", text[:_SHOWN_CHARACTERS], place)
        return int(number)

    def boolean(self) -> bool:
        place = self._at
        kind, text = self._scalar()
        if kind != "BOOLEAN":
            self._unexpected("a boolean", kind, place)
        return text == "true"

    def at_string(self) -> bool:
        """Whether the next value is a string."""
        return self._peek() == '"'

    def at_boolean(self) -> bool:
        """Whether the next value is true or false."""
        return self._peek() in "tTfF"

    def skip(self) -> None:
        """Read the next value, whatever it is, and forget it."""
        closers: list[str] = []
        while True:
            opened = self._peek()
            if opened in "[{":
                if len(closers) + len(self._path) >= _NESTING_LIMIT:
                    self._malformed(f"Nesting limit {_NESTING_LIMIT} reached")
                self._at += 1
                closers.append("]" if opened == "[" else "}")
                if not self._closes(closers[-1]):
                    self._name_in(closers[-1])
                    continue
                closers.pop()
            elif self._scalar()[0] in _CONTAINERS.values():
                self._malformed("Unexpected value")
            while closers and self._ends(closers[-1]):
                closers.pop()
            if not closers:
                return
            self._name_in(closers[-1])

    def _name_in(self, closer: str) -> None:
        if closer == "}":
            self._name()

    def _scalar(self) -> tuple[str, str]:
        """The kind of the next token and its text; brackets are only looked at."""
        first = self._peek()
        if first == '"':
            return "STRING", self._quoted()
        if first in _CONTAINERS:
            return _CONTAINERS[first], ""
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            return "NUMBER", number.group()
        literal = _LITERAL.match(self._text, self._at)
        if literal is None:
            self._malformed("Expected a value")
        self._at = literal.end()
        text = literal.group().lower()
        return ("NULL" if text == "null" else "BOOLEAN"), text

    def _name(self) -> str:
        if self._peek() != '"':
            self._malformed("Expected a name in quotes")
        name = self._quoted()
        if self._peek() != ":":
            self._malformed("Expected ':'")
        self._at += 1
        return name

    def _quoted(self) -> str:
        try:
            text: str
            text, self._at = scanstring(self._text, self._at + 1, False)
        except JSONDecodeError as error:
            self._malformed(error.msg)
        return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _open(self, bracket: str) -> None:
        if self._peek() != bracket:
            self._malformed(f"Expected {_CONTAINERS[bracket]}")
        self._at += 1

    def _closes(self, bracket: str) -> bool:
        if self._peek() != bracket:
            return False
        self._at += 1
        return True

    def _ends(self, bracket: str) -> bool:
        """After a value: True past the bracket, False past a comma."""
        found = self._peek()
        if found not in (bracket, ","):
            self._malformed(f"Expected ',' or '{bracket}'")
        self._at += 1
        return found == bracket

    def _peek(self) -> str:
        space = _WHITE_SPACE.match(self._text, self._at)
        assert space is not None  # an empty match is one
        self._at = space.end()
        if self._at == len(self._text):
            raise RefusedSpanError(f"End of input{self._location(self._at)}")
        return self._text[self._at]

    def _location(self, place: int) -> str:
        line = self._text.count("\n", 0, place) + 1
        column = place - self._text.rfind("\n", 0, place)
        return f" at line {line} column {column} path {self.path()}"

    def _unexpected(self, expected: str, got: str, place: int) -> NoReturn:
        raise RefusedSpanError(f"Expected {expected} but was {got}{self._location(place)}")

    def _malformed(self, detail: str) -> NoReturn:
        raise RefusedSpanError("Malformed", detail + self._location(self._at))
