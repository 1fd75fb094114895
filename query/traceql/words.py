"""The words of TraceQL: its grammar for lark, and what each word means.

Words are one terminal and told apart here, so that those which clew does not understand can be refused by name.
"""

from collections.abc import Callable

from lark.lexer import Token

from query.traceql.syntax import Intrinsic
from storage.span import SpanKind, StatusCode

GRAMMAR = r"""
query: spansets (PIPE _stage)* [hints]
_stage: SELECT LPAR field (COMMA field)* RPAR
hints: WITH LPAR hint (COMMA hint)* RPAR
hint: HINT_NAME COMPARISON constant

?spansets: spanset
    | spansets AND spanset -> both
    | spansets OR spanset -> either
?spanset: LBRACE RBRACE -> everything
    | LBRACE condition RBRACE -> filtered
    | LPAR spansets RPAR -> in_parentheses

?condition: simple
    | condition AND simple -> conjunction
    | condition OR simple -> disjunction
?simple: LPAR condition RPAR -> in_parentheses
    | NOT LPAR condition RPAR -> negation
    | NOT field -> no_truth
    | operand -> truth
    | operand COMPARISON operand -> comparison
    | operand COMPARISON NIL -> presence
?operand: field | constant

field: ATTRIBUTE -> attribute | INTRINSIC -> intrinsic
constant: STRING -> text | DURATION -> duration | FLOAT -> double | INTEGER -> integer | KEYWORD -> keyword
    | UNSUPPORTED -> never | WORD -> never

ATTRIBUTE.9: /(?:parent|span|resource|event|link|instrumentation)?\.(?:[^\s{}()=~!<>&|^,"]|"(?:[^"\\]|\\.)*")+/
STRING.9: /"(?:[^"\\\n]|\\.)*"|`[^`]*`/
DURATION.8: /-?(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h|d|w|y))+(?![\w.])/
FLOAT.7: /-?\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)/
INTEGER.6: /-?\d+/
UNSUPPORTED.5: /!?>>|!?<<|&>>|&<<|&[<>~]|!>(?!=)|!<(?!=)|(?<![=!])~|[+*\/%^-]/
COMPARISON.4: /=~|!~|!=|<=|>=|=|<|>/
AND: "&&"
OR: "||"
PIPE: "|"
NOT: "!"
WORD: /[A-Za-z_]\w*(?::[A-Za-z_]\w*)?/
LBRACE: "{"
RBRACE: "}"
LPAR: "("
RPAR: ")"
COMMA: ","
%declare INTRINSIC KEYWORD NIL SELECT WITH HINT_NAME
%ignore /\s+/
"""

KEYWORDS: dict[str, bool | StatusCode | SpanKind] = {
    "true": True,
    "false": False,
    **{code.name.lower(): code for code in StatusCode},
    **{kind.name.lower(): kind for kind in SpanKind},
}
INTRINSICS = {one.value: one for one in Intrinsic} | {
    "span:name": Intrinsic.NAME,
    "span:kind": Intrinsic.KIND,
    "span:status": Intrinsic.STATUS,
    "span:statusMessage": Intrinsic.STATUS_MESSAGE,
    "span:duration": Intrinsic.DURATION,
    "trace:duration": Intrinsic.TRACE_DURATION,
    "trace:rootName": Intrinsic.ROOT_NAME,
    "trace:rootService": Intrinsic.ROOT_SERVICE,
}
_OTHERS = {"nil": "NIL", "select": "SELECT", "with": "WITH", "most_recent": "HINT_NAME"}


class Refusal(Exception):
    """Something was read that clew does not understand. line, column: from 1."""

    def __init__(self, at: Token, why: str) -> None:
        super().__init__(why)
        self.line, self.column, self.why = at.line, at.column, why


def _classified(token: Token) -> Token:
    word = str(token)
    if word in INTRINSICS:
        return Token.new_borrow_pos("INTRINSIC", word, token)
    if word in KEYWORDS:
        return Token.new_borrow_pos("KEYWORD", word, token)
    if word in _OTHERS:
        return Token.new_borrow_pos(_OTHERS[word], word, token)
    raise Refusal(token, f"{word[:40]!r} is not supported; attributes begin with a dot")


def _refused(token: Token) -> Token:
    raise Refusal(token, f"the operator {str(token)!r} is not supported")


def _own_attribute(token: Token) -> Token:
    if token.startswith("parent."):
        raise Refusal(token, f"{str(token)[:40]!r} is not supported: fields of the parent")
    return token


LEXER_CALLBACKS: dict[str, Callable[[Token], Token]] = {
    "WORD": _classified,
    "UNSUPPORTED": _refused,
    "ATTRIBUTE": _own_attribute,
}
