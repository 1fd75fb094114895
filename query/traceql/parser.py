"""TraceQL text to values. What is not understood is refused with what it is and where.

Not understood are structural operators (`>>`, `>`, `~` ...), arithmetic, aggregates and metrics (`count()`, `rate()`,
`by()` ...), the parent's fields, and hints but `most_recent=true`, which clew does anyway.
"""

from functools import cache
from typing import NoReturn

from lark import Lark
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError
from lark.lexer import Token

from query.errors import BadRequest
from query.traceql.reading import Reading
from query.traceql.syntax import Attribute, Field, Query, Scope
from query.traceql.words import GRAMMAR, LEXER_CALLBACKS, Refusal

MAX_CHARACTERS = 32_768
_SHOWN_CHARACTERS = 40
_SUPPORTED = "filters in braces joined by && and ||, and select()"
_NAMES = {
    "$END": "the end",
    "AND": "&&",
    "OR": "||",
    "PIPE": "|",
    "NOT": "!",
    "COMPARISON": "a comparison",
    "ATTRIBUTE": "an attribute",
    "INTRINSIC": "an intrinsic",
    "STRING": "a text",
    "INTEGER": "a number",
    "DURATION": "a duration",
    "SELECT": "select",
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
}


def parse(text: str) -> Query:
    """The query. BadRequest, with line and column from 1, when it cannot be read or is more than clew understands."""
    if len(text) > MAX_CHARACTERS:
        raise BadRequest(f"invalid TraceQL query: expected at most {MAX_CHARACTERS} characters, got {len(text)}")
    parsed = _parsed(text, "query")
    assert isinstance(parsed, Query)
    return parsed


def parse_field(text: str) -> Field:
    """A field as queries name it; a name without a scope or a dot, such as `service.name`, is an unscoped attribute.

    BadRequest when it is none.
    """
    try:
        parsed = _parsed(text[:MAX_CHARACTERS], "field")
    except BadRequest:
        if not text or any(character.isspace() or character in '{}()=~!<>&|^,"' for character in text):
            raise
        return Attribute(Scope.ANY, text.removeprefix("."))
    assert not isinstance(parsed, Query)
    return parsed


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer="basic",
        start=["query", "field"],
        transformer=Reading(),
        lexer_callbacks=LEXER_CALLBACKS,
    )


def _parsed(text: str, start: str) -> Query | Field:
    try:
        parsed = _parser().parse(text, start=start)
    except Refusal as refusal:
        _refuse(refusal.line, refusal.column, refusal.why)
    except VisitError as error:
        if isinstance(error.orig_exc, Refusal):
            _refuse(error.orig_exc.line, error.orig_exc.column, error.orig_exc.why)
        raise
    except UnexpectedToken as error:
        _refuse_token(error.token, {*error.expected}, text)
    except UnexpectedCharacters as error:
        _refuse(error.line, error.column, f"unexpected {text[error.pos_in_stream or 0]!r}")
    except UnexpectedEOF as error:
        _refuse(1, len(text) + 1, f"unexpected end{error.token}")
    except LarkError as error:
        raise BadRequest(f"invalid TraceQL query: {error}") from error
    assert isinstance(parsed, Query | Field)
    return parsed


def _refuse_token(token: Token, expected: set[str], text: str) -> NoReturn:
    if token.type == "$END":
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        _refuse(line, column, f"unexpected end, expected {_listed(expected)}")
    found = str(token)[:_SHOWN_CHARACTERS]
    if token.type == "COMPARISON" and "PIPE" in expected:
        _refuse(token.line, token.column, f"the structural operator {found!r} is not supported; {_supported()}")
    if token.type == "LBRACE" and "SELECT" in expected:
        _refuse(token.line, token.column, f"a filter after | is not supported; {_supported()}")
    _refuse(token.line, token.column, f"unexpected {found!r}, expected {_listed(expected)}")


def _refuse(line: int | None, column: int | None, why: str) -> NoReturn:
    raise BadRequest(f"invalid TraceQL query: parse error at line {line}, col {column}: {why}")


def _supported() -> str:
    return f"clew understands {_SUPPORTED}"


def _listed(expected: set[str]) -> str:
    return " or ".join(sorted(_NAMES[name] for name in expected if name in _NAMES)) or "something else"
