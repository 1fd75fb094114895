"""From what the grammar found to the values of `syntax`, bottom-up while it is found, so that no depth is too deep."""

import math
import re

from lark import Transformer, v_args
from lark.lexer import Token

from query.traceql.patterns import Pattern
from query.traceql.syntax import (
    ANYTHING,
    Attribute,
    Both,
    Comparison,
    Condition,
    Conjunction,
    Constant,
    Disjunction,
    Either,
    Field,
    Filter,
    Intrinsic,
    Literal,
    Match,
    Negation,
    Operand,
    Presence,
    Query,
    Scope,
    Spansets,
)
from query.traceql.words import INTRINSICS, KEYWORDS, Refusal
from storage.durations import parse_duration_ns
from storage.span import SpanKind, StatusCode

MAX_CONDITIONS = 256
"""It bounds how deep conditions lie in each other."""
_LARGEST_INT64 = 2**63 - 1
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))", re.S
)
_ESCAPED = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_NUMBERS = (Intrinsic.DURATION, Intrinsic.TRACE_DURATION)


@v_args(inline=True)
class Reading(Transformer[Token, Query | Field]):
    """One method a rule or alias of the grammar. Raises Refusal where the meaning of what fits the grammar does not."""

    def query(self, spansets: Spansets, *rest: Token | Field | None) -> Query:
        """A pipeline; tokens are what stands between its parts."""
        selected = tuple(one for one in rest if one is not None and not isinstance(one, Token))
        first = next((one for one in rest if isinstance(one, Token)), None)
        if _count(spansets, *selected) > MAX_CONDITIONS:
            raise Refusal(first or Token("LBRACE", "{", line=1, column=1), f"more than {MAX_CONDITIONS} conditions")
        return Query(spansets, selected)

    def hints(self, with_: Token, *rest: object) -> None:
        """All of them were judged in `hint`."""

    def hint(self, name: Token, operator: Token, value: Constant) -> None:
        if operator != "=" or value.value is not True:
            raise Refusal(name, f"the hint {name!s} can only be true: clew finds the most recent traces anyway")

    def both(self, left: Spansets, _: Token, right: Spansets) -> Spansets:
        return Both(left, right)

    def either(self, left: Spansets, _: Token, right: Spansets) -> Spansets:
        return Either(left, right)

    def everything(self, *_: Token) -> Spansets:
        return Filter(ANYTHING)

    def filtered(self, _: Token, condition: Condition, _end: Token) -> Spansets:
        return Filter(condition)

    def in_parentheses(self, _: Token, inner: Spansets | Condition, _end: Token) -> Spansets | Condition:
        return inner

    def conjunction(self, left: Condition, _: Token, right: Condition) -> Condition:
        """As in Tempo `&&` and `||` bind alike, from left to right."""
        return Conjunction((*left.parts, right) if isinstance(left, Conjunction) else (left, right))

    def disjunction(self, left: Condition, _: Token, right: Condition) -> Condition:
        return Disjunction((*left.parts, right) if isinstance(left, Disjunction) else (left, right))

    def negation(self, _: Token, _start: Token, condition: Condition, _end: Token) -> Condition:
        return Negation(condition)

    def no_truth(self, _: Token, field: Field) -> Condition:
        return Comparison(field, "=", Constant(False))

    def truth(self, operand: Operand) -> Condition:
        if isinstance(operand, Intrinsic) or (isinstance(operand, Constant) and not isinstance(operand.value, bool)):
            what = operand.value if isinstance(operand, Intrinsic) else _shown(operand.value)
            raise Refusal(Token("", "", line=1, column=1), f"{what} alone is neither true nor false; compare it")
        return Comparison(operand, "=", Constant(True))

    def presence(self, operand: Operand, operator: Token, _: Token) -> Condition:
        if operator not in ("=", "!=") or isinstance(operand, Constant):
            raise Refusal(operator, "nil can only be compared with a field, by = or !=")
        return Presence(operand, negated=operator == "=")

    def comparison(self, left: Operand, operator: Token, right: Operand) -> Condition:
        if operator in ("=~", "!~"):
            return _match(left, operator, right)
        for field, other in ((left, right), (right, left)):
            _refuse_foreign(field, operator, other)
        if isinstance(left, Constant) and not isinstance(right, Constant):
            return Comparison(right, _FLIPPED.get(operator, str(operator)), left)
        return Comparison(left, str(operator), right)

    def attribute(self, token: Token) -> Field:
        scope, _, key = token.partition(".")
        return Attribute(Scope(scope), re.sub(r'"((?:[^"\\]|\\.)*)"', lambda quoted: _plain(quoted[1], token), key))

    def intrinsic(self, token: Token) -> Field:
        return INTRINSICS[token]

    def text(self, token: Token) -> Constant:
        return Constant(token[1:-1] if token.startswith("`") else _plain(token[1:-1], token))

    def duration(self, token: Token) -> Constant:
        try:
            duration_ns = parse_duration_ns(str(token))
        except ValueError as error:
            raise Refusal(token, str(error)) from error
        return Constant(_within_int64(duration_ns, token))

    def double(self, token: Token) -> Constant:
        number = float(token)
        if not math.isfinite(number):
            raise Refusal(token, "expected a number that 64 bits hold")
        return Constant(number)

    def integer(self, token: Token) -> Constant:
        return Constant(_within_int64(int(token) if len(token) < 30 else _LARGEST_INT64 + 1, token))

    def keyword(self, token: Token) -> Constant:
        return Constant(KEYWORDS[token])


def _match(left: Operand, operator: Token, right: Operand) -> Condition:
    if not isinstance(right, Constant) or not isinstance(right.value, str):
        raise Refusal(operator, f"{operator!s} needs a regular expression in quotes on its right")
    if isinstance(left, Intrinsic) and _allowed(left) is not str:
        raise Refusal(operator, f"{left.value} is no text, and {operator!s} matches texts")
    try:
        pattern = Pattern(right.value)
    except ValueError as error:
        raise Refusal(operator, str(error)) from error
    return Match(left, pattern, negated=operator == "!~")


def _refuse_foreign(field: Operand, operator: Token, other: Operand) -> None:
    """An intrinsic has a type that is known before any span is seen."""
    if not isinstance(field, Intrinsic):
        return
    allowed = _allowed(field)
    if allowed in (StatusCode, SpanKind) and operator not in ("=", "!="):
        raise Refusal(operator, f"{field.value} has no order; compare it by = or !=")
    if isinstance(other, Constant) and not _is_of(other.value, allowed):
        words: dict[type, str] = {
            StatusCode: "ok, error or unset",
            SpanKind: "server, client and so on, without quotes",
        }
        expected = words.get(allowed, "a duration" if allowed is int else "a text in quotes")
        raise Refusal(operator, f"{field.value} is compared with {expected}, got {_shown(other.value)}")


def _allowed(field: Intrinsic) -> type:
    if field in _NUMBERS:
        return int
    return {Intrinsic.STATUS: StatusCode, Intrinsic.KIND: SpanKind}.get(field, str)


def _is_of(value: Literal, allowed: type) -> bool:
    if allowed is int:
        return type(value) in (int, float)
    return type(value) is allowed


def _shown(value: Literal) -> str:
    if isinstance(value, StatusCode | SpanKind):
        return value.name.lower()
    return repr(value)[:60]


def _plain(text: str, token: Token) -> str:
    """A quoted text without its escapes, which are Go's."""

    def character(found: re.Match[str]) -> str:
        simple, octal = found[1], found[5]
        if simple:
            return _ESCAPED[simple]
        code = int(octal, 8) if octal else int(found[2] or found[3] or found[4] or "110000", 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000 or found[6] is not None:
            raise Refusal(token, f"invalid escape {found[0]!r}; write \\\\ for a backslash")
        return chr(code)

    return _ESCAPE.sub(character, text)


def _within_int64(number: int, token: Token) -> int:
    if not -_LARGEST_INT64 - 1 <= number <= _LARGEST_INT64:
        raise Refusal(token, "expected a number that 64 bits hold")
    return number


def _count(*nodes: Spansets | Condition | Field) -> int:
    waiting: list[object] = [*nodes]
    count = 0
    while waiting and count <= MAX_CONDITIONS:
        count += 1
        match waiting.pop():
            case Both(left, right) | Either(left, right):
                waiting += (left, right)
            case Conjunction(parts) | Disjunction(parts):
                waiting += parts
            case Filter(condition) | Negation(condition):
                waiting.append(condition)
    return count
